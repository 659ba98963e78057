"""The loop: score noisy copies of calibration and test points, attack the test points ever harder, score them again.

Which sets follow, for any radius, alpha and beta, is a look.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from scipy.special import ndtri

from glasshouse.families.conformal.coverage import coverage_band
from glasshouse.families.conformal.ranks import kth, threshold_rank
from glasshouse.families.conformal.robust.attack import attacked
from glasshouse.families.conformal.robust.certificate import Certificate, Error
from glasshouse.families.conformal.robust.interface import Classifier, Look, Method, Pool
from glasshouse.families.conformal.robust.smoothing import Memory, copies, smoothed
from glasshouse.families.conformal.robust.training import Trainable, trained
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import Unsupported, bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.conformal_robust import Attacked, RobustSets, Smoothed
from glasshouse.schema.guarantee import Guarantee

KEPT = Memory(160_000_000)      # probabilities of noisy copies and attacked points: what does not depend on the score


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """One `Smoothed`, then one `Attacked` a radius, the clean points first as radius 0."""
    pool = yield from _trained(method, problem.open(), seeds)
    u = seeds.numpy("u").random(len(pool.labels))
    holdout = _holdout(method, pool, u, seeds)
    at = pool.calibration
    probs = yield from _copies(method, pool, pool.x[at], "calibration", (), seeds)
    means, _ = yield from smoothed(method, probs, u[at], holdout, "scoring calibration points")
    own = pool.labels[at]
    calibration = np.sort(means[np.arange(len(at)), own])
    plain = _plain(method, pool, pool.x[at], u[at])[np.arange(len(at)), own]
    certificate = method.certificate
    x = pool.x[pool.test]
    clean = yield from _under(method, pool, x, 0.0, u, holdout, seeds, None)
    yield Smoothed(
        n=len(at), m=len(pool.test), classes=means.shape[1], holdout=len(holdout), sigma=certificate.sigma, n_mc=certificate.n_mc,
        error=certificate.error, calibration=calibration, plain_calibration=np.sort(plain), labels=pool.labels[pool.test], radii=pool.radii,
        clean=clean, extra=dict(method.extra(holdout, calibration)))
    yield clean
    for radius in pool.radii:
        x = yield from _attacked(method, pool, radius, x, seeds)
        yield (yield from _under(method, pool, x, radius, u, holdout, seeds, clean))


def _trained(method: Method, pool: Pool, seeds: Seeds) -> Generator[Progress, None, Pool]:
    """The pool with the last layer that the method asks for, remembered."""
    if method.training == "given":
        return pool
    if not isinstance(pool.classifier, Trainable):
        raise Unsupported("training = rct needs a network whose last layer can be replaced", "training")
    key = (pool.key, seeds.seed, method.certificate.sigma, "rct")
    head = KEPT.get(key)
    if head is None:
        classes = pool.classifier.probabilities(pool.x[:1]).shape[1]
        head = yield from trained(pool.classifier, pool.x[pool.train], pool.labels[pool.train], classes, method.certificate.sigma, seeds)
        KEPT.put(key, head)
    return replace(pool, classifier=cast(Classifier, pool.classifier.with_head(head[:, :-1], head[:, -1])), key=key)


def _holdout(method: Method, pool: Pool, u: np.ndarray, seeds: Seeds) -> np.ndarray:
    """Base scores of true labels under a single noisy draw each, ascending."""
    at = pool.holdout
    noise = seeds.numpy("holdout noise").standard_normal(pool.x[at].shape, np.float32)
    probs = pool.classifier.probabilities(pool.x[at] + np.float32(method.certificate.sigma) * noise).astype(np.float64)
    return np.sort(method.score(probs, u[at])[np.arange(len(at)), pool.labels[at]])


def _plain(method: Method, pool: Pool, x: np.ndarray, u: np.ndarray) -> np.ndarray:
    return method.score(pool.classifier.probabilities(x).astype(np.float64), u)


def _copies(method: Method, pool: Pool, x: np.ndarray, purpose: str, what: tuple[Hashable, ...], seeds: Seeds,
            ) -> Generator[Progress, None, np.ndarray]:
    """`copies`, remembered."""
    certificate = method.certificate
    key = (pool.key, seeds.seed, certificate.sigma, certificate.n_mc, purpose, len(x), *what)
    found = KEPT.get(key)
    if found is None:
        told = f"reading {certificate.n_mc} noisy copies of {len(x)} {'calibration' if purpose == 'calibration' else 'test'} points"
        found = yield from copies(pool.classifier, x, certificate.sigma, certificate.n_mc, seeds, f"{purpose} noise", told)
        KEPT.put(key, found)
    return found


def _attacked(method: Method, pool: Pool, radius: float, start: np.ndarray, seeds: Seeds) -> Generator[Progress, None, np.ndarray]:
    """`attack.attacked`, remembered: it depends on the noise, not on the score."""
    key = (pool.key, seeds.seed, method.certificate.sigma, "attack", radius)
    found = KEPT.get(key)
    if found is None:
        found = yield from attacked(pool, method.certificate.sigma, radius, start, seeds, f"attacking within radius {radius:g}")
        KEPT.put(key, found)
    return found


def _under(method: Method, pool: Pool, x: np.ndarray, radius: float, u: np.ndarray, holdout: np.ndarray, seeds: Seeds,
           clean: Attacked | None) -> Generator[Progress, None, Attacked]:
    """The test points at ``x``, scored; ``clean`` is what they were before the attack."""
    at = pool.test
    probs = yield from _copies(method, pool, x, "test", (radius,), seeds)
    means, variances = yield from smoothed(method, probs, u[at], holdout, f"scoring test points at radius {radius:g}")
    rows, own = np.arange(len(at)), pool.labels[at]
    used = 0.0
    if clean is not None:
        with np.errstate(invalid="ignore"):             # infinite where a mean is 0 or 1: nothing can be said
            moved = ndtri(means[rows, own]) - ndtri(clean.means[rows, own])
        finite = moved[np.isfinite(moved)]
        used = float(finite.mean()) * method.certificate.sigma / radius if len(finite) else 0.0
    height, width = pool.shape
    images = (x * 255).round().astype(np.uint8).reshape(-1, height, width) if height else np.empty((0, 0, 0), np.uint8)
    return Attacked(radius=radius, accuracy=float((probs.mean(axis=1).argmax(axis=1) == own).mean()), used=used, means=means,
                    variances=variances, plain=_plain(method, pool, x, u[at]), images=images)


def look(events: Sequence[Event], look: Look) -> RobustSets:
    """The sets for one radius, alpha and beta, under the nearest attack that is computed.

    Raises: BadValue for an image beyond the test points.
    """
    start = next(event for event in events if isinstance(event, Smoothed))
    under = [event for event in events if isinstance(event, Attacked)] or [start.clean]
    if look.image >= start.m:
        raise bad_value("image", look.image, f"a whole number from 0 to {start.m - 1}")
    certificate = Certificate(start.sigma, start.n_mc, cast(Error, start.error))
    k, plain_k = certificate.rank(start.n, look.alpha, look.beta), threshold_rank(start.n, look.alpha)
    threshold, plain_threshold = kth(start.calibration, k), kth(start.plain_calibration, plain_k)
    limit = certificate.limit(threshold, look.radius, look.beta)
    sets = [certificate.least(e.means, e.variances, look.beta) <= limit for e in under]
    plain_sets = [e.plain <= plain_threshold for e in under]
    rows = np.arange(start.m)
    coverages, plain_coverages = (np.array([s[rows, start.labels].mean() for s in every]) for every in (sets, plain_sets))
    sizes, plain_sizes = ([np.count_nonzero(s, axis=1).astype(np.int64) for s in every] for every in (sets, plain_sets))
    i = int(np.argmin([abs(e.radius - look.attack) for e in under]))
    shown = under[i]
    withstood = certificate.withstood(under[0].means[rows, start.labels], limit, look.beta)
    low, high = coverage_band(start.n, start.m, k)
    return RobustSets(
        alpha=look.alpha, beta=look.beta, radius=look.radius, attack=shown.radius, coverage=float(coverages[i]),
        certified=float((withstood >= shown.radius).mean()), clean=float(coverages[0]), plain_coverage=float(plain_coverages[i]),
        plain_clean=float(plain_coverages[0]), mean_size=float(sizes[i].mean()), plain_mean_size=float(plain_sizes[i].mean()), k=k,
        threshold=threshold, limit=limit, reach=look.radius / start.sigma, band_low=low, band_high=high,
        full_because=_why_full(start, certificate, k, limit, look), image=look.image, sets=sets[i], plain_sets=plain_sets[i], sizes=sizes[i],
        plain_sizes=plain_sizes[i], withstood=withstood, radii=np.array([e.radius for e in under]), coverages=coverages,
        plain_coverages=plain_coverages, mean_sizes=np.array([s.mean() for s in sizes]),
        plain_mean_sizes=np.array([s.mean() for s in plain_sizes]),
        least=certificate.least(shown.means[look.image], shown.variances[look.image], look.beta), measured=ndtri(shown.means[look.image]),
        smoothed=start, under=shown)


def _why_full(start: Smoothed, certificate: Certificate, k: int, limit: float, look: Look) -> str:
    """Why every set is full; empty where it need not be."""
    if k > start.n:
        left = look.alpha if certificate.error == "ignored" else look.alpha - 2 * look.beta
        return f"beta takes all of alpha = {look.alpha:g}" if left <= 0 else f"{start.n} calibration points are too few for alpha = {left:g}"
    if limit == math.inf:
        return f"the threshold lies so high that the error bound of {start.n_mc} noisy copies reaches past the largest score"
    return ""


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """Sizes of the split and, where sets were looked at, the last sets' numbers."""
    start = next(event for event in events if isinstance(event, Smoothed))
    numbers: dict[str, int | float | str] = {name: value for name, value in start.row().items() if name != "error"}
    seen = [event for event in events if isinstance(event, RobustSets)]
    if seen:
        numbers |= {name: value for name, value in seen[-1].row().items() if name != "image" and value != ""}
        numbers |= {"full": float((seen[-1].sizes == start.classes).mean())}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The method's promise with these knobs, which holds for every pool here: its points are shuffled, so they are exchangeable."""
    promise = method.promise()
    found = [event for event in events if isinstance(event, Smoothed)]
    if not found or promise.kind != "adversarial":
        return promise
    return replace(promise, statement=(
        f"With {found[-1].n} calibration points, a set made for a radius holds the true label with probability at least 1 - alpha, whatever "
        "an attacker does within that l2 radius."))
