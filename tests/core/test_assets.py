"""Finding the data, and telling when it is not what was shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse import assets
from glasshouse.schema.errors import Unsupported


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of two files with a manifest that fits."""
    (tmp_path / "models" / "x").mkdir(parents=True)
    lines = []
    for name, content in (("models/x/a.bin", b"abc"), ("b.txt", b"hello")):
        (tmp_path / name).write_bytes(content)
        said = assets.entry(tmp_path / name)
        lines.append(f'[files."{name}"]\nbytes = {said.size}\nsha256 = "{said.sha256}"\n')
    (tmp_path / "manifest.toml").write_text("\n".join(lines), "utf-8")
    monkeypatch.setattr(assets, "_HOMES", (tmp_path / "wheel", tmp_path))
    return tmp_path


def test_a_known_checksum(home: Path) -> None:
    # FIPS 180-2, appendix B.1: the digest of "abc".
    assert assets.manifest()["models/x/a.bin"] == assets.Entry(
        3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_paths(home: Path) -> None:
    assert assets.path("models", "x") == home / "models" / "x"
    with pytest.raises(Unsupported, match="models/y"):
        assets.path("models", "y")


def test_a_wheel_comes_before_a_checkout(home: Path) -> None:
    (home / "wheel").mkdir()
    assert assets.home() == home / "wheel"


def test_no_data_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_HOMES", (home / "wheel",))
    with pytest.raises(Unsupported, match="install"):
        assets.path("models")


def test_verify_names_each_kind_of_damage(home: Path) -> None:
    assert assets.verify() == ()
    (home / "b.txt").write_bytes(b"hellO")
    assert assets.verify() == ("b.txt: the checksum differs",)
    (home / "b.txt").write_bytes(b"hell")
    (home / "models" / "x" / "a.bin").unlink()
    assert assets.verify() == ("models/x/a.bin: missing", "b.txt: 4 bytes instead of 5")


def test_this_checkout_has_data() -> None:
    assert assets.path("models").is_dir()
    assert assets.manifest()
