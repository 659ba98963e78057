"""What a notebook says in numbers, or of always and never, is computed by one of its cells or held by a test that is named here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
HELD = {
    "01_decoding": {
        "At temperature 0 the most likely token is always taken": "tests/core/decoding/test_lossless_greedy.py::test_every_kind_of_prompt",
        "the round commits at least 1; at least 2 with probability":
            "tests/core/decoding/methods/test_speculative_sampling.py::test_tokens_per_round_are_as_the_paper_derives",
        "always where the draft thinks a guess is most likely":
            "tests/core/decoding/methods/test_dyspec.py::test_filled_slots_are_worth_more_than_open_ones",
        "for trees of 1, 4, 16 and 64 tokens": "size = np.array([1, 4, 16, 64])",
    },
    "02_conformal": {
        "press **Split the images 100 times**": "tests/notebooks/test_words.py::test_a_button_that_is_named_exists",
        "How many of 100 calibration points may be wrong so that the true error is at most 0.1 with confidence 0.9": "0.9 ** (100 - i)",
        "can promise only though they nearly always give": "tests/core/conformal/methods/test_jackknife_plus.py::test_covers_at_least_as_claimed_and_about_as_aimed",
    },
    "03_certification": {
        "their ratio is the *tightness*, 1 at best": "tests/core/certification/test_tightness.py::test_weights_of_one_sign_are_exact_and_so_is_one_layer",
    },
}
NUMBER = re.compile(r"(?<![\w-])\.?\d|\b(always|never)\b", re.IGNORECASE)


def sentences(path: Path) -> list[str]:
    """Running text without headings, formulas and code; a name's digits (EAGLE-2) are no numbers."""
    cells = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "markdown"]
    found = []
    for cell in cells:
        text = re.sub(r"^#.*$|^\d+\. ", "", "".join(cell["source"]), flags=re.MULTILINE)
        text = re.sub(r"\$\$.*?\$\$|\$.*?\$|`.*?`", "", text, flags=re.DOTALL)
        found += re.split(r"(?<=[.!?:])\s+|\n\s*\n", text)
    return [" ".join(sentence.split()) for sentence in found if sentence.strip()]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_every_number_and_every_always_is_held_by_something(path: Path) -> None:
    held = HELD[path.stem]
    said = [s for s in sentences(path) if NUMBER.search(s)]
    assert [s for s in said if not any(part in s for part in held)] == []
    assert [part for part in held if not any(part in s for s in said)] == []


@pytest.mark.parametrize(("stem", "holder"), [(stem, holder) for stem, held in HELD.items() for holder in held.values()])
def test_what_holds_a_sentence_exists(stem: str, holder: str) -> None:
    if "::" in holder:
        file, name = holder.split("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8")
    else:
        cells = json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text("utf-8"))["cells"]
        assert any(holder in "".join(c["source"]) for c in cells if c["cell_type"] == "code")


def test_a_button_that_is_named_exists() -> None:
    assert '"Split the images 100 times"' in (ROOT / "widgets" / "glasshouse_widgets" / "labs" / "conformal.py").read_text("utf-8")


def test_a_plain_claim_is_noticed(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": ["# Part 1\n", "In EAGLE-2 all is well, $p = 0.5$ and `x[0]`.\n", "It never fails.\n", "It has\n",
                                                  "0.8 million parts."]}]
    page = tmp_path / "page.ipynb"
    page.write_text(json.dumps({"cells": cells}), "utf-8")
    assert [s for s in sentences(page) if NUMBER.search(s)] == ["It never fails.", "It has 0.8 million parts."]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    code = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in code)
