"""Where the parts of a lab stand in the browser, which controls have no name, which text is too small or cut."""

from __future__ import annotations

from typing import Any

NAMELESS = """
() => {
  const all = (r) => [...r.querySelectorAll("input, select, button, textarea, [role=slider]"),
    ...[...r.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];
  const labels = (n) => [...(n.labels ?? [])].map((l) => l.textContent).join(" ");
  const name = (n) => labels(n) + (n.getAttribute("aria-label") ?? "") + (n.tagName === "BUTTON" ? n.textContent : "");
  return all(document).filter((n) => n.offsetParent && !name(n).trim()).map((n) => n.outerHTML.slice(0, 160));
}
"""
BOXES = r"""
() => {
  const areas = ["gh-head", "gh-knobs", "gh-stage", "gh-player", "gh-readout", "gh-second", "gh-aside"];
  const all = (r) => [...r.querySelectorAll("*")].flatMap((n) => [n, ...(n.shadowRoot ? all(n.shadowRoot) : [])]);
  const nodes = all(document);
  const box = (n) => { const { left, top, right, bottom } = n.getBoundingClientRect(); return [left, top, right, bottom]; };
  const ours = nodes.filter((n) => n.matches(".gh *") && n.offsetParent);
  const wide = ours.filter((n) => !n.matches(".sr, .sr *, svg *, .words *, .take, .take *, select, option"))
    .filter((n) => n.getBoundingClientRect().right > innerWidth + 1).map((n) => n.outerHTML.slice(0, 120));
  const small = ours.filter((n) => [...n.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim()))
    .filter((n) => parseFloat(getComputedStyle(n).fontSize) < 12).map((n) => n.outerHTML.slice(0, 120));
  const room = (n) => { const a = n.getBoundingClientRect(), b = n.closest(".graph").getBoundingClientRect();
    return a.left >= b.left - 2 && a.right <= b.right + 2 && a.top >= b.top - 2 && a.bottom <= b.bottom + 2; };
  const said = ours.filter((n) => n.matches(".words > div") && n.textContent.trim());
  const named = (n) => `${n.closest(".plot").querySelector("h2").textContent}: ${n.textContent.slice(0, 120)}`;
  const cut = said.filter((n) => !room(n)).map(named), raw = said.filter((n) => /<\/?(span|b|i|sub|sup|br)\b/.test(n.textContent)).map(named);
  const areasThere = areas.map((a) => [a, nodes.find((n) => n.classList?.contains(a))]).filter(([, n]) => n);
  return { boxes: Object.fromEntries(areasThere.map(([a, n]) => [a, box(n)])),
           wide, small, cut, raw, scrolls: document.documentElement.scrollWidth > innerWidth + 1 };
}
"""
PICTURES = """
() => {
  const all = (r) => [...r.querySelectorAll(".gh.plot"), ...[...r.querySelectorAll("*")].flatMap((n) => n.shadowRoot ? all(n.shadowRoot) : [])];
  return all(document).map((n) => [n.querySelector("h2").textContent, !!n.querySelector(".main-svg")]);
}
"""


def settled(page: Any) -> dict[str, Any]:
    """What ``BOXES`` finds once figures have followed a new width, and stays so; after a minute whatever there is."""
    found: dict[str, Any] = {}
    for _ in range(300):
        before, found = found, page.evaluate(BOXES)
        if not found["wide"] and not found["cut"] and found == before:
            break
        page.wait_for_timeout(200)
    return found


def apart(boxes: dict[str, list[float]]) -> list[tuple[str, str]]:
    """Pairs of parts that overlap, [left, top, right, bottom] each."""
    return [(one, two) for one, (l1, t1, r1, b1) in boxes.items() for two, (l2, t2, r2, b2) in boxes.items()
            if one < two and not (r1 <= l2 + 1 or r2 <= l1 + 1 or b1 <= t2 + 1 or b2 <= t1 + 1)]
