"""Plain decoding: the target's own law and text, and the entropy that its view draws."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.decoding.chi_square import assert_lossless
from glasshouse.families.decoding.interface import Look, Sampling
from glasshouse.families.decoding.laws import plain, run, setting, text
from glasshouse.families.decoding.methods.autoregressive import Autoregressive, entropy
from glasshouse.families.decoding.reading import node_look
from glasshouse.families.decoding.rounds import rounds
from glasshouse.numerics.seeds import Seeds


def test_every_round_is_one_token_and_one_forward() -> None:
    events, _ = run(Autoregressive(), setting(Sampling(1.0)))
    assert {(e.nodes, e.accepted, e.tokens, e.draft_calls, e.final_kind) for e in events} == {(1, 0, 1, 0, "bonus")}


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(1.0), Sampling(0.7, 0.8), Sampling(1.4, coupled=True)], ids=str)
def test_the_text_is_the_one_read_off_the_table(sampling: Sampling) -> None:
    assert text(run(Autoregressive(), setting(sampling))[0]) == plain(setting(sampling))


@pytest.mark.long
def test_the_law_is_the_targets() -> None:
    assert_lossless(Autoregressive())


def test_temperature_and_top_p_shape_the_first_token() -> None:
    """Frequencies against the processed law, five standard errors."""
    given = setting(Sampling(0.6, top_p=0.8), new=1)
    p = given.target.next(given.tokens).numpy() ** (1 / 0.6)     # type: ignore[attr-defined]
    order = np.argsort(-p)
    kept = order[:int(np.searchsorted(p[order].cumsum() / p.sum(), 0.8)) + 1]
    wanted = np.zeros_like(p)
    wanted[kept] = p[kept] / p[kept].sum()
    draws = 4000
    counts: Counter[int] = Counter()
    for seed in range(draws):
        given.target.reset()
        counts[next(rounds(Autoregressive(), given, Seeds(seed), None)).final] += 1
    found = np.asarray([counts[t] for t in range(len(p))]) / draws
    assert np.all(np.abs(found - wanted) <= 5 * np.sqrt(wanted * (1 - wanted) / draws) + 1e-12)


def test_the_view_is_the_entropy_of_all_tokens_before() -> None:
    given = setting(Sampling(1.0))
    events, _ = run(Autoregressive(), given, keep="top")
    last = node_look(events, Look()).extra
    assert last["position_past"].tolist() == [event.position for event in events[:-1]]
    tokens = [*given.tokens, *text(events)]
    for place, bits in zip(last["position_past"][::9], last["entropy_past"][::9], strict=True):
        p = given.target.next(tokens[:place]).numpy()    # type: ignore[attr-defined]
        assert bits == pytest.approx(-(p * np.log2(p)).sum())
    assert len(node_look(events, Look(0)).extra["entropy_past"]) == 0


def test_entropy_of_certainty_and_of_ignorance() -> None:
    sure = np.zeros(8)
    sure[3] = 1.0
    assert (entropy(sure), entropy(np.full(8, 1 / 8))) == (0.0, 3.0)
