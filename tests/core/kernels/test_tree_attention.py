"""The reference against a loop over rows, the fused kernel against the reference."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from glasshouse.kernels import tree_attention as op
from glasshouse.kernels.tree_attention import reference, tree_attention

# new tokens, committed, head size, (query heads, key heads), earlier tentative nodes
AWKWARD = list(itertools.product((1, 7, 63), (0, 1, 63), (16, 64), ((4, 4), (4, 2), (3, 1)), (0, 3)))


def case(n: int, committed: int, d: int, heads: tuple[int, int], before: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """q as a scorer hands it over, a transposed view; some rows see nothing of the tree."""
    rng = torch.Generator().manual_seed(n + 100 * committed + d)
    h, h_kv = heads
    m = n + before
    q = torch.randn(n, h + 2, d, generator=rng)[:, :h].transpose(0, 1)
    k, v = (torch.randn(h_kv, committed + m + 5, d, generator=rng)[:, :committed + m] for _ in range(2))
    return q, k, v, torch.rand(n, m, generator=rng) > 0.6


def by_hand(q: Tensor, k: Tensor, v: Tensor, visible: Tensor, scale: float) -> Tensor:
    """Row by row in float64."""
    h, n, d = q.shape
    committed, group = k.shape[1] - visible.shape[1], h // k.shape[0]
    out = torch.zeros(h, n, d, dtype=torch.float64)
    for head, row in itertools.product(range(h), range(n)):
        seen = [*range(committed), *(committed + j for j in range(visible.shape[1]) if visible[row, j])]
        if seen:
            keys, values = (x[head // group, seen].double() for x in (k, v))
            out[head, row] = (scale * keys @ q[head, row].double()).softmax(0) @ values
    return out


@pytest.mark.parametrize(("n", "committed", "d", "heads", "before"), [c for c in AWKWARD if c[0] < 63])
def test_the_reference_is_softmax_over_what_is_visible(n: int, committed: int, d: int, heads: tuple[int, int],
                                                       before: int) -> None:
    q, k, v, visible = case(n, committed, d, heads, before)
    found = reference.tree_attention(q, k, v, visible, d ** -0.5)
    torch.testing.assert_close(found.double(), by_hand(q, k, v, visible, d ** -0.5), atol=2e-6, rtol=1e-5)
    everything = torch.ones_like(visible)
    torch.testing.assert_close(reference.tree_attention(q, k, v, None, 1.0), reference.tree_attention(q, k, v, everything, 1.0))


def test_a_row_that_sees_nothing_is_zero() -> None:
    q, k, v, visible = case(7, 0, 16, (4, 2), 0)
    visible[3] = False
    found = reference.tree_attention(q, k, v, visible, 0.25)
    assert torch.isfinite(found).all()
    assert (found[:, 3] == 0).all()
    assert (found[:, visible.any(-1)] != 0).any()


def test_inputs_are_left_alone() -> None:
    given = case(7, 5, 16, (4, 2), 0)
    before = [x.clone() for x in given]
    reference.tree_attention(*given, 0.5)
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


@pytest.mark.long
def test_on_a_cpu_the_dispatcher_takes_the_reference_and_does_not_import_triton() -> None:
    given = case(7, 5, 16, (4, 2), 0)
    assert torch.equal(tree_attention(*given, 0.5), reference.tree_attention(*given, 0.5))
    code = ("import sys, torch; from glasshouse.kernels.tree_attention import tree_attention as t; "
            "x = torch.ones(1, 1, 16); t(x, x, x, None, 1.0); assert 'triton' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


class OnGpu(torch.Tensor):
    """A CPU tensor that says it is on a GPU."""

    is_cuda = True


@pytest.mark.parametrize(("forced", "expected"), [("reference", "reference"), ("", "fused")])
def test_the_environment_forces_the_reference(forced: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    fake = types.ModuleType("fused")
    fake.tree_attention = lambda *_: "fused"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "glasshouse.kernels.tree_attention.fused", fake)
    monkeypatch.setattr(op, "fused", fake, raising=False)
    monkeypatch.setattr(op, "_has_triton", lambda: True)
    monkeypatch.setattr(reference, "tree_attention", lambda *_: "reference")
    monkeypatch.setenv("GLASSHOUSE_KERNELS", forced)
    x = torch.ones(1, 1, 16)
    assert tree_attention(x.as_subclass(OnGpu), x, x, None, 1.0) == expected


def compare_fused(cases: list[tuple[int, int, int, tuple[int, int], int]], device: str) -> None:
    from glasshouse.kernels.tree_attention import fused

    for n, committed, d, heads, before in cases:
        q, k, v, visible = (x.to(device) for x in case(n, committed, d, heads, before))
        for mask in (visible, None):
            expected = reference.tree_attention(q, k, v, mask, d ** -0.5)
            found = fused.tree_attention(q, k, v, mask, d ** -0.5)
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5, msg=f"{n, committed, d, heads, before}")


def interpreted(part: list[tuple[int, int, int, tuple[int, int], int]]) -> None:
    """In a process of its own: Triton reads the variable once, when it is imported."""
    pytest.importorskip("triton")
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_tree_attention as t; t.compare_fused({part!r}, 'cpu')"
    env = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.long
def test_the_fused_kernel_in_the_interpreter() -> None:
    interpreted([(1, 0, 16, (4, 4), 0), (1, 63, 64, (3, 1), 3), (7, 1, 16, (4, 2), 3), (7, 0, 40, (3, 1), 0), (33, 63, 16, (2, 1), 0)])


@pytest.mark.slow
def test_the_fused_kernel_in_the_interpreter_on_every_awkward_shape() -> None:
    interpreted(AWKWARD)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_fused_kernel_on_a_gpu() -> None:
    compare_fused(AWKWARD, "cuda")
