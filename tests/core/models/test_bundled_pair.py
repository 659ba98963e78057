"""The bundled pair is what its card says, and its recipe runs."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from glasshouse.models.language.loading import load_pair

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "data" / "models" / "python-stdlib"
HELD_OUT = ROOT / "data" / "datasets" / "python-stdlib-heldout" / "heldout.txt"
WINDOW = 512


def bits_per_byte(model: torch.nn.Module, tokenizer: Any, ids: list[int]) -> float:
    """Over 24 windows of one context, evenly spread; independent of the recipe's own measure."""
    nats, size = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(ids) - WINDOW, (len(ids) - WINDOW) // 23):
            window = torch.tensor([ids[start : start + WINDOW + 1]])
            nats += F.cross_entropy(model(window[:, :-1]).logits[0], window[0, 1:], reduction="sum").item()
            size += len(tokenizer.decode(window[0, 1:]).encode())
    return nats / math.log(2) / size


def test_the_card_meets_the_bars() -> None:
    # A healthy distance of target and draft would be 0.1 bits per byte; CARD.md says why it is smaller here.
    quality = json.loads((HOME / "quality.json").read_text("utf-8"))
    assert quality["target_bits_per_byte"] <= 1.45
    assert quality["draft_bits_per_byte"] <= 1.70
    assert quality["target_bits_per_byte"] < quality["draft_bits_per_byte"]
    assert quality["alpha_T1"] >= 0.60


@pytest.mark.long
def test_the_shipped_weights_have_the_quality_of_the_card() -> None:
    pair = load_pair("python-stdlib")
    ids = [0, *pair.tokenizer.encode(HELD_OUT.read_text("utf-8"), add_special_tokens=False)]
    quality = json.loads((HOME / "quality.json").read_text("utf-8"))
    for name in ("target", "draft"):
        measured = bits_per_byte(getattr(pair, name), pair.tokenizer, ids)
        # 24 windows scatter around all 408 with a standard deviation of about 0.08.
        assert abs(measured - quality[f"{name}_bits_per_byte"]) < 0.25


def test_the_held_out_text_is_the_one_of_the_listing() -> None:
    import hashlib

    listing = json.loads((HOME / "files.json").read_text("utf-8"))
    assert hashlib.sha256(HELD_OUT.read_bytes()).hexdigest() == listing["held_out_sha256"]
    assert not set(listing["held_out"]) & set(listing["train"])


@pytest.mark.recipe
def test_thirty_steps_of_the_recipe(tmp_path: Path) -> None:
    out = tmp_path / "out"
    subprocess.run([sys.executable, str(HOME / "recipe.py"), "all", "--steps", "30", "--held-out-tokens", "4096",
                    "--work", str(tmp_path / "work"), "--out", str(out)], check=True, capture_output=True)
    quality = json.loads((out / "quality.json").read_text("utf-8"))
    bytes_per_token = 3.29
    uniform = math.log2(3072) / bytes_per_token
    assert quality["target_bits_per_byte"] < 0.85 * uniform, "thirty steps learn at least which tokens are frequent"
    assert 0.0 < quality["alpha_T1"] <= 1.0
    with (out / "target.curve.csv").open(newline="") as f:
        assert int(list(csv.reader(f))[-1][0]) == 30
    pair = load_pair(target=str(out / "target"), draft=str(out / "draft"))
    assert pair.target.config.vocab_size == pair.draft.config.vocab_size == 3072
