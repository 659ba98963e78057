"""A file of one's own goes up in pieces and is computed on; what is wanted, and what is wrong, stands beside the knob."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.browser


def test_a_file_of_one_s_own_is_taken_and_computed_on(page: Any, serve: Any, tmp_path: Path) -> None:
    """More than one piece: 60,000 numbers of text are about 1.5 MB."""
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(20), 3000)
    labels = [rng.choice(20, p=p) for p in probs]
    np.savetxt(tmp_path / "mine.csv", np.column_stack((probs, labels)), delimiter=",")
    (tmp_path / "bad.csv").write_text("1,2\n3,4\n")
    url = serve("-m", "glasshouse", "serve", "--no-browser", "--port", "{port}")
    page.goto(f"{url}/conformal?version=1&lab=conformal&problem=own")
    page.get_by_role("alert").filter(has_text="an .npz file with probs").wait_for()
    chooser = page.get_by_label("file: choose a file")
    chooser.set_input_files(tmp_path / "mine.csv")
    page.get_by_text("Most sets say little").wait_for()
    chooser.set_input_files(tmp_path / "bad.csv")
    page.get_by_role("alert").filter(has_text="bad.csv").wait_for()
    assert page.get_by_text("Most sets say little").is_visible()
