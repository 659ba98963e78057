"""The eye: what a person would see lie out of place on a page in the browser, shadow roots and figures included.

``look(page)`` says, each with the words it is about: ``over`` text over text, ``outside`` text or a control beyond its box, ``zero``
text without a size, ``cut`` text cut without an ellipsis, ``small`` text, ``raw`` markup shown as text, ``nameless`` controls,
``wide`` what reaches beyond the window, ``scrolls`` whether it scrolls sideways, and ``boxes``, where the parts of a lab stand.
"""

from __future__ import annotations

from typing import Any

DEEP = """
  const all = (r) => [...r.querySelectorAll("*")].flatMap((n) => [n, ...(n.shadowRoot ? all(n.shadowRoot) : [])]);
  const up = (n) => n.parentElement ?? n.getRootNode().host ?? null;
  const within = (n) => { const line = []; for (let m = up(n); m; m = up(m)) line.push(m); return line; };
  const nodes = all(document), areas = ["gh-head", "gh-knobs", "gh-stage", "gh-player", "gh-readout", "gh-second", "gh-aside"];
"""
TEXTS = r"""
  const SILENT = new Set(["SCRIPT", "STYLE", "TITLE", "OPTION", "NOSCRIPT", "TEMPLATE", "TEXTAREA"]);
  const seen = (n) => n.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !n.closest(".sr");
  const words = (n) => [...n.childNodes].filter((c) => c.nodeType === 3 && c.textContent.trim());
  const holders = nodes.filter((n) => !SILENT.has(n.tagName) && words(n).length && seen(n));
  const turned = (n) => { const m = n.ownerSVGElement && n.getScreenCTM(); return !!m && Math.abs(m.b) > 1e-3; };
  const shorten = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);
  const lines = (n) => words(n).flatMap((c) => {
    const range = document.createRange();
    range.selectNodeContents(c);
    return [...range.getClientRects()].filter((r) => r.width > 0 && r.height > 0);
  });
  const clips = (n) => n.tagName !== "svg" && n.tagName !== "HTML" && n.tagName !== "BODY" && getComputedStyle(n).overflowX !== "visible";
  const texts = holders.map((n) => ({ n, lines: lines(n), says: shorten(words(n).map((c) => c.textContent).join(" ")) }));
"""
FAULTS = r"""
  const zero = texts.filter((t) => !t.lines.length || !t.n.getClientRects().length).map((t) => t.says);
  const flat = texts.filter((t) => !turned(t.n) && !t.n.closest(".take"))      // what hovers covers
    .flatMap((t) => t.lines.map((r) => ({ ...t, r }))).sort((a, b) => a.r.top - b.r.top);
  const over = [];
  for (let i = 0; i < flat.length; i++) {
    for (let j = i + 1; j < flat.length && flat[j].r.top < flat[i].r.bottom; j++) {
      const [a, b] = [flat[i], flat[j]];
      if (a.n === b.n) continue;
      const w = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
      const h = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
      const least = Math.min(a.r.width * a.r.height, b.r.width * b.r.height);
      if (w > 3 && h > 3 && w * h > .2 * least) over.push(`${a.says} / ${b.says}`);
    }
  }
  const beyond = (r, b, slack = 2) => r.left < b.left - slack || r.right > b.right + slack || r.top < b.top - slack || r.bottom > b.bottom + slack;
  const framed = (n) => { const s = getComputedStyle(n); return n.matches(".graph") || (!n.closest("svg") && s.display !== "inline"
    && parseFloat(s.borderLeftWidth) > 0 && parseFloat(s.borderTopWidth) > 0); };
  const controls = nodes.filter((n) => n.matches("button, select, input, textarea") && seen(n) && n.getClientRects().length);
  const things = [...texts.map((t) => ({ ...t, rects: t.lines })),
    ...controls.map((n) => ({ n, says: n.outerHTML.slice(0, 80), rects: [n.getBoundingClientRect()] }))];
  const outside = things.filter((t) => {
    const box = within(t.n).find(framed);
    return box && !t.n.closest(".take") && t.rects.some((r) => beyond(r, box.getBoundingClientRect()));
  }).map((t) => t.says);
  const cut = texts.filter((t) => {
    if (t.n.ownerSVGElement) return t.n.closest(".graph") && t.lines.some((r) => beyond(r, t.n.closest(".graph").getBoundingClientRect()));
    const clip = [t.n, ...within(t.n)].find(clips);
    if (!clip || getComputedStyle(clip).textOverflow === "ellipsis" || /auto|scroll/.test(getComputedStyle(clip).overflowX)) return false;
    return t.lines.some((r) => beyond(r, clip.getBoundingClientRect()));
  }).map((t) => t.says);
  const pen = document.createElement("canvas").getContext("2d");
  for (const n of controls.filter((c) => c.tagName === "SELECT" && c.selectedOptions.length)) {
    const s = getComputedStyle(n), says = n.selectedOptions[0].textContent.trim();
    pen.font = `${s.fontWeight} ${s.fontSize} ${s.fontFamily}`;
    const room = n.clientWidth - parseFloat(s.paddingLeft) - parseFloat(s.paddingRight);
    if (s.textOverflow !== "ellipsis" && pen.measureText(says).width > room) cut.push(says);
  }
"""
REST = r"""
  const ours = nodes.filter((n) => n.matches(".gh *") && n.offsetParent);
  const wide = ours.filter((n) => !n.matches(".sr, .sr *, svg *, .words *, .take, .take *, select, option"))
    .filter((n) => n.getBoundingClientRect().right > innerWidth + 1 && !within(n).some(clips)).map((n) => n.outerHTML.slice(0, 120));
  const small = texts.filter((t) => t.n.matches(".gh *") && !t.n.ownerSVGElement && parseFloat(getComputedStyle(t.n).fontSize) < 12
    && !t.n.matches("sub, sup, sub *, sup *")).map((t) => t.says);
  const raw = texts.filter((t) => t.n.matches(".words *") && /<\/?(span|b|i|sub|sup|br)\b/.test(t.n.textContent)).map((t) => t.says);
  const name = (n) => [...(n.labels ?? [])].map((l) => l.textContent).join(" ") + (n.getAttribute("aria-label") ?? "")
    + (n.tagName === "BUTTON" ? n.textContent : "");
  const nameless = nodes.filter((n) => n.matches("input, select, button, textarea, [role=slider]") && n.offsetParent && !name(n).trim())
    .map((n) => n.outerHTML.slice(0, 160));
  const box = (n) => { const { left, top, right, bottom } = n.getBoundingClientRect(); return [left, top, right, bottom]; };
  const parts = areas.map((a) => [a, nodes.find((n) => n.classList?.contains(a))]).filter(([, n]) => n);
  const boxes = Object.fromEntries(parts.map(([a, n]) => [a, box(n)]));
  return { over, outside, zero, cut, small, raw, nameless, wide, boxes, scrolls: document.documentElement.scrollWidth > innerWidth + 1 };
"""
EYE = "() => {" + DEEP + TEXTS + FAULTS + REST + "}"
PICTURES = """
() => {
  const all = (r) => [...r.querySelectorAll(".gh.plot"), ...[...r.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];
  return all(document).map((n) => [n.querySelector("h2").textContent, !!n.querySelector(".main-svg")]);
}
"""


def look(page: Any) -> dict[str, Any]:
    """What the eye finds at this moment."""
    found: dict[str, Any] = page.evaluate(EYE)
    return found


def faults(found: dict[str, Any]) -> dict[str, Any]:
    """What of it is wrong; empty where all is well."""
    wrong = {kind: said for kind, said in found.items() if kind != "boxes" and said}
    if pairs := apart(found["boxes"]):
        wrong["parts"] = pairs
    return wrong


def settled(page: Any) -> dict[str, Any]:
    """What the eye finds once figures have followed a new width, and stays so; after a quarter of a minute whatever there is."""
    found: dict[str, Any] = {}
    for _ in range(75):
        before, found = found, look(page)
        if found == before and not faults(found):
            break
        page.wait_for_timeout(200)
    return found


def apart(boxes: dict[str, list[float]]) -> list[tuple[str, str]]:
    """Pairs of parts that overlap, [left, top, right, bottom] each."""
    return [(one, two) for one, (l1, t1, r1, b1) in boxes.items() for two, (l2, t2, r2, b2) in boxes.items()
            if one < two and not (r1 <= l2 + 1 or r2 <= l1 + 1 or b1 <= t2 + 1 or b2 <= t1 + 1)]
