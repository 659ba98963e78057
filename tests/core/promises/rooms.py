"""A fresh problem for every room that promises something of new points. Populations are finite and drawn from with replacement, or simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy.special import ndtr

from core.promises.trial import Trial, an_alpha, ran, setting, tried
from glasshouse import catalogue
from glasshouse.families.certification.certificate import certified_radius
from glasshouse.families.certification.interface import Task
from glasshouse.families.certification.network import Net
from glasshouse.families.conformal.batch.interface import Batches
from glasshouse.families.conformal.code.interface import Pool as Programs
from glasshouse.families.conformal.code.interface import Statement
from glasshouse.families.conformal.code.trees import parse
from glasshouse.families.conformal.decisions.interface import Pool as Decisions
from glasshouse.families.conformal.drift.problems import DriftingCovariate, NoisyPeriod
from glasshouse.families.conformal.interface import Pool
from glasshouse.families.conformal.intervals.interface import Sample
from glasshouse.families.conformal.risk.interface import Pages
from glasshouse.families.conformal.risk.table import entries
from glasshouse.families.conformal.robust.interface import Pool as Attacked
from glasshouse.families.conformal.rules.interface import Evidence
from glasshouse.families.conformal.rules.smoothing import true_share
from glasshouse.models.digits import Network

Rng = np.random.Generator
NONE = np.empty((0, 0, 0), np.uint8)


def _look(id: str, **looks: object) -> object:
    return catalogue.modules(catalogue.info(id).room).Look(**looks)


def _looked(id: str, events: list, **looks: object):  # type: ignore[no-untyped-def, type-arg]
    return catalogue.modules(catalogue.info(id).room).look(events, _look(id, **looks))


def _labelled(rng: Rng, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(probs [n, K] of a model that is wrong about the law in one of several ways, labels [n])."""
    truth = rng.dirichlet(np.full(k, rng.choice([0.3, 0.7, 2.0])), n)
    labels = (rng.random((n, 1)) > truth.cumsum(axis=1)[:, :-1]).sum(axis=1)
    sharp = truth ** rng.choice([0.3, 1.0, 3.0]) + rng.choice([1e-9, 0.05])
    probs = sharp / sharp.sum(axis=1, keepdims=True)
    if rng.random() < 0.3:                          # a tree's: few different rows, many ties
        counts = np.floor(8 * probs)
        counts[:, 0] += 8 - counts.sum(axis=1)
        probs = counts / 8
    return probs, labels


def sets(id: str, rng: Rng) -> Trial:
    """Coverage of all, or of one cell chosen without looking at what is covered."""
    n, m, k, alpha = int(rng.integers(9, 120)), 100, int(rng.integers(2, 7)), an_alpha(rng)
    probs, labels = _labelled(rng, n + m, k)
    pool = Pool(probs, labels, NONE, np.arange(n), np.arange(n, n + m), (probs[:, 0] > 0.4).astype(np.int64), ("low", "high"))
    knobs = setting(catalogue.load(id), rng)
    events, promise = ran(id, knobs, pool, int(rng.integers(10_000)))
    seen, calibrated = _looked(id, events, alpha=alpha), events[-1]
    held = seen.sets[np.arange(m), calibrated.labels]
    if promise.kind != "marginal":
        cell = calibrated.cell[np.arange(m), calibrated.labels]
        there = np.setdiff1d(cell, [len(calibrated.cell_n) - 1] if calibrated.rare else [])
        held = held[cell == rng.choice(there)] if len(there) else held[:0]
    return tried(knobs, promise, held.mean() if len(held) else np.nan, 1 - alpha, alpha=alpha, n=n, K=k)


def intervals(id: str, rng: Rng) -> Trial:
    n, m, p, alpha = int(rng.integers(12, 70)), 50, int(rng.integers(1, 7)), an_alpha(rng)
    x = rng.normal(size=(n + m, p))
    y = x @ rng.normal(size=p) + (rng.choice([0.1, 1.0]) + np.abs(x[:, 0])) * rng.standard_t(3, n + m) + np.sin(3 * x[:, 0])
    if rng.random() < 0.2:
        y = np.round(y)                             # ties
    one = np.empty(0)
    sample = Sample(x[:n], y[:n], x[:n, 0], x[n:], y[n:], x[n:, 0], np.empty((0, p)), one, "x", "y")
    knobs = setting(catalogue.load(id), rng, folds=lambda r: int(r.integers(2, 25)))
    events, promise = ran(id, knobs, sample, int(rng.integers(10_000)))
    seen = _looked(id, events, alpha=alpha)
    return tried(knobs, promise, seen.coverage, seen.claimed, alpha=alpha, n=n, p=p)


def risk(id: str, rng: Rng) -> Trial:
    """A population of pages: the loss of fresh pages from it, or whether its true risk is within the limit."""
    n, k, alpha = int(rng.integers(5, 200)), int(rng.integers(2, 6)), an_alpha(rng)
    probs = rng.beta(*rng.choice([0.5, 0.8, 2.0], 2), (300, k))
    truth = rng.random((300, k)) < probs ** rng.choice([0.5, 1.0, 2.0])
    pages = Pages(probs, truth, entries(probs), rng.integers(300, size=n), rng.integers(300, size=60), NONE, np.full((300, 1), -1),
                  str(rng.choice(["missed-share", "missed-any"])))      # type: ignore[arg-type]
    knobs = setting(catalogue.load(id), rng)
    events, promise = ran(id, knobs, pages, int(rng.integers(10_000)))
    seen = _looked(id, events, alpha=alpha)
    if promise.kind == "PAC":
        return tried(knobs, promise, not seen.certified or seen.risk <= alpha, 1 - knobs["delta"], alpha=alpha, n=n)
    return tried(knobs, promise, 1 - seen.test_risk, 1 - alpha, alpha=alpha, n=n)


TEXTS = ("x = f(1)", "return a + b", "y.z(q)", "n += 1", "print(s)")


def _statement(rng: Rng, honest: bool) -> Statement:
    tree = parse(str(rng.choice(TEXTS)))
    end = np.arange(1, len(tree.text) + 1)
    nll = rng.exponential(0.5, (2, len(end)))
    chance = np.array([nll[0][tree.owner == v].sum() for v in range(len(tree))]) if honest else np.full(len(tree), 0.5)
    return Statement(tree, tree, tree.text, rng.random(len(tree)) < 1 - np.exp(-0.2 * chance), end, nll[0], end, nll[1])


def code(id: str, rng: Rng) -> Trial:
    """A population of 25 programs, solved once: whether its true share of errors is within eps."""
    n, honest = int(rng.integers(20, 200)), bool(rng.random() < 0.7)
    statements = tuple(_statement(rng, honest) for _ in range(25))
    knobs = setting(catalogue.load(id), rng, count=lambda r: int(r.integers(4, 9)))
    look = {"eps": float(rng.choice([0.05, 0.1, 0.2, 0.4])), "delta": float(rng.choice([0.05, 0.1, 0.3])), "holes": int(rng.integers(1, 4))}
    events, promise = ran(id, knobs, Programs(statements, rng.integers(25, size=n), np.arange(25), {}), 0)
    seen = _looked(id, events, statement=0, **look)
    return tried(knobs, promise, seen.error <= look["eps"], 1 - look["delta"], n=n, **look)


def batch(id: str, rng: Rng) -> Trial:
    """The share of fresh batches of which the claim is true."""
    n, m, b, alpha = int(rng.integers(1, 120)), int(rng.integers(1, 16)), 30, an_alpha(rng)
    total = n + m * b
    error, confidence = rng.beta(1, 2, total), rng.random(total)
    if rng.random() < 0.3:
        error, confidence = np.round(error, 1), np.round(confidence, 1)
    wrong = rng.random(total) < (1 - confidence) ** rng.choice([0.3, 1.0])
    pool = Batches(error, confidence, wrong, 1.0, np.arange(n), np.arange(n, total).reshape(b, m), np.empty((0, 0)))
    knobs = setting(catalogue.load(id), rng)
    events, promise = ran(id, knobs, pool, 0)
    look = {"alpha": alpha, "share": float(rng.choice([0.5, 0.8, 0.9, 1.0])), "allowed": int(rng.integers(0, m))}
    seen, batched = _looked(id, events, **look), events[-1]
    held = seen.held_share
    if batched.statement == "select":
        false = ((batched.confidence > seen.bound) & batched.wrong).sum(axis=1)
        held = (false <= look["allowed"]).mean()
    return tried(knobs, promise, held, 1 - alpha, n=n, m=m, **look)


def robust(id: str, rng: Rng) -> Trial:
    """Coverage of points moved by an attack of the very radius."""
    d, k, alpha, radius = 4, 3, float(rng.choice([0.1, 0.2, 0.3, 0.5])), float(rng.choice([0.05, 0.15, 0.3]))
    parts = np.split(np.arange(230), np.cumsum([40, 60, int(rng.integers(20, 90))]))
    network = Network(((4 * rng.normal(size=(k, d))).astype(np.float32),), (rng.normal(size=k).astype(np.float32),))
    x = rng.random((230, d)).astype(np.float32)
    labels = (rng.random((230, 1)) > network.probabilities(x).cumsum(axis=1)[:, :-1]).sum(axis=1)
    pool = Attacked(network, x, labels, parts[0], parts[1], parts[2], parts[3][:40], (0, 0), (radius,), 4, 4, ("drawn", int(rng.integers(1 << 60))))
    knobs = setting(catalogue.load(id), rng, n_mc=lambda r: int(r.choice([16, 64, 256])), training=lambda r: "given")
    events, promise = ran(id, knobs, pool, int(rng.integers(10_000)))
    beta = float(rng.choice([0.001, 0.01, 0.03]))
    seen = _looked(id, events, alpha=alpha, radius=radius, attack=float(rng.choice([0.0, radius])), beta=beta)
    return tried(knobs, promise, seen.coverage, 1 - alpha, alpha=alpha, radius=radius, beta=beta)


def rules(id: str, rng: Rng) -> Trial:
    """Coverage of robust sets from the votes on test points that are moved by the radius along a direction that hurts."""
    n, m, alpha, radius = int(rng.integers(15, 120)), 60, an_alpha(rng), float(rng.choice([0.0, 0.1, 0.25, 0.5]))
    draws, sigma, has = int(rng.choice([200, 5000])), float(rng.choice([0.25, 1.0])), np.array([[True, True, False], [True, False, False]])
    labels = rng.integers(3, size=n + m)
    truth = np.concatenate((labels[:, None] == np.arange(3), has[:, labels].T), axis=1)
    margins = np.where(truth, 1.0, -1.0) * rng.uniform(0.1, 1.5, 5) + rng.normal(size=(n + m, 5)) * rng.choice([0.3, 0.8])
    push = np.where(truth, -1.0, 1.0) * (rng.random(5) < 0.6) / sigma       # a detector of unit weights moves by the radius at most
    seen_margins = margins + np.where(np.arange(n + m)[:, None] >= n, radius * push, 0.0)
    votes, reading = rng.binomial(draws, ndtr(seen_margins)) / draws, 0.005
    low, high = true_share(votes, draws, reading / 20)
    rows = np.arange(n + m)
    evidence = Evidence(votes, draws, sigma, reading, low, high, labels, NONE, rows[:n], rows[n:], has, ("a", "b"), margins, push[None])
    knobs = setting(catalogue.load(id), rng)
    events, promise = ran(id, knobs, evidence, int(rng.integers(10_000)))
    seen = _looked(id, events, alpha=alpha, radius=radius)
    claim = 1 - 3 * alpha if knobs["calibration"] == "as published" else 1 - alpha
    return tried(knobs, promise, seen.robust_covered[1], claim, alpha=alpha, radius=radius, n=n)


def decisions(id: str, rng: Rng) -> Trial:
    """A population of 2,000 points, of which answers are judged: whether their true risk is within the limit, or the bound."""
    k, size = int(rng.integers(2, 5)), 2000
    dear = rng.dirichlet(np.full(k, 0.4), size)
    labels = (rng.random((size, 1)) > dear.cumsum(axis=1)[:, :-1]).sum(axis=1)
    cheap = rng.uniform(0.5, 1.0) * dear
    cheap += (1 - cheap.sum(axis=1, keepdims=True)) * rng.dirichlet(np.ones(k), size)
    parts = [rng.integers(size, size=int(s)) for s in rng.integers(20, 200, 3)]
    knobs = setting(catalogue.load(id), rng, steps=lambda r: int(r.integers(1, 6)))
    events, promise = ran(id, knobs, Decisions(cheap, dear, (1.0, 2.0), labels, NONE, *parts, np.arange(size)), int(rng.integers(10_000)))
    limit = float(rng.choice([0.05, 0.1, 0.2, 0.3]))
    if promise.kind != "PAC":
        return tried(knobs, promise, np.nan, 1.0)
    seen = _looked(id, events, limit=limit)
    most = limit if not hasattr(events[-1], "certified_on") else events[-1].bound
    return tried(knobs, promise, not seen.risk > most, 1 - knobs["delta"], limit=limit)


def drift(id: str, rng: Rng) -> Trial:
    """Every step's coverage over fresh streams, or whether the share of misses kept its bound."""
    n, draw, alpha = int(rng.integers(19, 300)), int(rng.integers(10_000)), an_alpha(rng)
    shifting = bool(rng.random() < 0.7)
    problem = (DriftingCovariate(strength=float(rng.uniform(0, 3)), speed=float(rng.choice([1.0, 5.0])), calibration_size=n, draw=draw) if shifting
               else NoisyPeriod(factor=float(rng.choice([1.0, 3.0])), calibration_size=n, draw=draw))
    knobs = setting(catalogue.load(id), rng, believed=lambda r: float(r.choice([1.0, 1.0, 1.0, 0.5])),
                    gamma=lambda r: float(r.choice([0.0, 0.01, 0.1, 0.3])))
    events, promise = ran(id, knobs, problem.open(), 0)
    seen = _looked(id, events, alpha=alpha)
    if promise.kind == "adversarial":
        return tried(knobs, promise, abs(seen.missed.mean() - alpha) <= seen.bound, 1.0, alpha=alpha, n=n)
    return tried(knobs, promise, 1 - seen.missed.mean(), 1 - alpha, alpha=alpha, n=n)


def knowing(id: str, rng: Rng) -> Trial:
    """Nothing is promised there."""
    return tried({}, catalogue.info(id).guarantee, np.nan, 1.0)


def certification(id: str, rng: Rng) -> Trial:
    """Images that are certified at a radius, moved by it at random, to corners and along gradients: none may be read otherwise."""
    d, eps = 16, float(rng.choice([0.01, 0.05, 0.1]))
    x, direction = torch.from_numpy(rng.random((120, d))), rng.normal(size=(3, d))
    labels = torch.from_numpy((x.numpy() @ direction.T).argmax(axis=1))
    task = Task(x[:80].float(), labels[:80], x[80:], labels[80:], classes=3, side=4, steps=12, batch=20)
    knobs = setting(catalogue.load(id), rng, width=lambda r: int(r.integers(2, 12)), depth=lambda r: int(r.integers(1, 3)))
    events, promise = ran(id, knobs, task, int(rng.integers(10_000)))
    at = events[-1]
    net, images, own = Net.of(at.weights), torch.from_numpy(at.images), torch.from_numpy(at.labels)
    safe = certified_radius(net, images, own).numpy() >= eps
    if not safe.any():
        return tried(knobs, promise, np.nan, 1.0, eps=eps)
    kept = np.ones(int(safe.sum()), bool)
    for step in range(60):
        away = rng.choice([-1.0, 1.0], images[safe].shape) if step % 2 else rng.uniform(-1, 1, images[safe].shape)
        moved = (images[safe] + eps * torch.from_numpy(away)).clamp(0, 1)
        kept &= (net.logits(moved).argmax(dim=1) == own[safe]).numpy()
    return tried(knobs, promise, (kept & (at.broken_radius[safe] > eps)).mean(), 1.0, eps=eps)


ROOMS: Mapping[str, Callable[[str, Rng], Trial]] = {
    "conformal": sets, "conformal.intervals": intervals, "conformal.risk": risk, "conformal.code": code, "conformal.batch": batch,
    "conformal.robust": robust, "conformal.rules": rules, "conformal.decisions": decisions, "conformal.drift": drift,
    "conformal.knowing": knowing, "certification": certification}
