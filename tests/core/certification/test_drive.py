"""The loop and its looks: what was reached lies in the boxes, radii tell shares, bad looks are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.certification.nets import images, net
from glasshouse import runs
from glasshouse.families.certification.certificate import certified_at
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.region import region
from glasshouse.runs.session import Session
from glasshouse.schema.errors import BadValue
from glasshouse.schema.events.certification import BROKEN, SAFE, WRONG, Checkpoint, Inspected


@pytest.fixture(scope="module")
def session() -> Session:
    one = runs.open("certification.ibp-warmup", "tiny", seed=0)
    for _ in one.events():
        pass
    return one


def look(session: Session, **looks: float) -> Inspected:
    seen = session.look(**looks)
    assert isinstance(seen, Inspected)
    return seen


@pytest.mark.parametrize("eps", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_what_was_reached_lies_within_the_boxes(seed: int, eps: float) -> None:
    ours, x = net(seed, 9, 12, 12, 4, scale=1.5), images(seed, 1, 9)[0]
    found = region(ours, x, 2, eps)
    assert (found.leads >= found.lead_box.lower - 1e-9).all()
    assert (found.leads <= found.lead_box.upper + 1e-9).all()
    assert (found.reached_radius <= found.ibp_radius + 1e-9).all()
    logits = ours.logits(x.unsqueeze(0))[0]
    assert torch.allclose(found.leads[0], logits[2] - logits[list(found.rivals)])
    assert 2 not in found.rivals
    assert found.reached_radius[1] == pytest.approx(float(found.ibp_radius[1])), "bounds of the first layer are exact, and corners reach them"


def test_where_all_units_stay_on_the_reached_box_is_the_best_one() -> None:
    """Then the network is linear around the image, and the corners of gradients are the extremes."""
    ours, x = net(1, 9, 12, 12, 4), torch.full((9,), 0.5, dtype=torch.float64)
    ours = Net(ours.weights, tuple(b + 50 * 20**i for i, b in enumerate(ours.biases)))
    found = region(ours, x, 1, 0.1)
    product = ours.weights[2] @ ours.weights[1] @ ours.weights[0]
    others = [0, 2, 3]
    best = (product[1] - product[others]).abs().sum(1).mean() * 0.1
    assert float(found.reached_radius[-1]) == pytest.approx(float(best))


def test_shares_are_those_of_the_radii_and_of_bounds_computed_anew(session: Session) -> None:
    last = session.computed[-1]
    assert isinstance(last, Checkpoint)
    for eps in (0.01, 0.05, 0.1):
        seen = look(session, eps=eps)
        assert seen.certified == (last.certified_radius >= eps).mean() == (seen.state == SAFE).mean()
        assert seen.attacked == (last.broken_radius > eps).mean()
        anew = certified_at(Net.of(last.weights), torch.from_numpy(last.images), torch.from_numpy(last.labels), eps).double().mean()
        assert abs(seen.certified - float(anew)) <= 1 / len(last.labels)
        assert seen.certified <= seen.attacked <= seen.clean
        assert (seen.state == WRONG).mean() == pytest.approx(1 - seen.clean)
        assert ((seen.state == BROKEN) <= (last.broken_radius <= eps)).all()


def test_a_larger_eps_proves_less_and_breaks_more(session: Session) -> None:
    seen = [look(session, eps=eps) for eps in np.linspace(0, 0.5, 11)]
    for name in ("certified", "attacked"):
        values = [getattr(s, name) for s in seen]
        assert values == sorted(values, reverse=True)
    assert seen[0].certified == seen[0].clean == seen[0].attacked
    assert seen[-1].certified < 0.5
    margins = np.array([s.margins for s in seen])
    assert (np.diff(margins, axis=0) <= 1e-9).all()


def test_history_is_what_the_checkpoints_say(session: Session) -> None:
    events = [e for e in session.computed if isinstance(e, Checkpoint)]
    seen = look(session, eps=0.05, moment=3)
    assert seen.moment == 3
    assert seen.moments == len(events) == len(seen.history.step)
    assert seen.step == events[3].step == seen.history.step[3]
    assert seen.history.certified[-1] == (events[-1].certified_radius >= 0.05).mean()
    assert look(session).moment == len(events) - 1
    assert events[0].step == 0
    assert events[-1].step == events[-1].steps


def test_the_attacked_image_is_within_the_radius(session: Session) -> None:
    for image in range(5):
        seen = look(session, eps=0.07, image=image)
        assert np.abs(seen.attacked_image - seen.original).max() <= 0.07 + 1e-12
        assert seen.attacked_image.min() >= 0
        assert seen.attacked_image.max() <= 1
        assert seen.original.shape == (8, 8)
        if seen.verdict == "certified":
            assert seen.read_as == seen.label


@pytest.mark.parametrize(("looks", "named"), [({"image": 40}, "image"), ({"moment": 500}, "moment"), ({"eps": 0.6}, "eps"), ({"eps": -0.1}, "eps")])
def test_what_is_not_there_is_refused(session: Session, looks: dict[str, float], named: str) -> None:
    with pytest.raises(BadValue) as error:
        session.look(**looks)
    assert error.value.argument == named


def test_equal_seeds_train_equal_networks_whatever_else_is_asked(session: Session) -> None:
    again = runs.open("certification.ibp-warmup", "tiny", seed=0, eps=0.2, image=3)
    for _ in again.events():
        pass
    pair = (session.computed[-1], again.computed[-1])
    assert isinstance(pair[0], Checkpoint)
    assert isinstance(pair[1], Checkpoint)
    assert all(np.array_equal(a, b) for a, b in zip(pair[0].weights, pair[1].weights, strict=True))
