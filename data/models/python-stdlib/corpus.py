"""The text the pair learns from, the text it never sees, and the tokenizer."""

from __future__ import annotations

import hashlib
import json
import platform
import sysconfig
from pathlib import Path

import numpy as np

SEPARATOR = "<|file|>"
VOCABULARY = 3072

# Tables, tests, generated files and other people's packages teach little Python.
SKIPPED_FOLDERS = {"test", "tests", "idlelib", "turtledemo", "lib2to3", "ensurepip", "encodings",
                   "pydoc_data", "site-packages", "__pycache__"}
# Whole modules that neither the tokenizer nor the models ever see.
HELD_OUT = (
    "heapq.py", "textwrap.py", "json/__init__.py", "json/decoder.py", "json/encoder.py", "json/scanner.py", "csv.py",
    "shlex.py", "dataclasses.py", "zipfile.py", "configparser.py", "asyncio/queues.py", "asyncio/locks.py",
    "statistics.py", "fractions.py", "contextlib.py", "graphlib.py", "difflib.py", "tempfile.py", "wave.py",
    "http/cookies.py", "urllib/robotparser.py", "unittest/result.py", "email/utils.py", "logging/config.py",
)
# Newline with its indent, identifiers with an optional leading space, single digits, runs of punctuation.
PRE_SPLIT = r"\n+[ \t]*| ?[A-Za-z_]+| ?\d| ?[^\sA-Za-z_\d]+|\s"


def corpus() -> tuple[dict[str, str], dict[str, str]]:
    """Every kept module of the standard library as ``{relative path: text}``: (training, held out)."""
    root = Path(sysconfig.get_path("stdlib"))
    train, held_out = {}, {}
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        # _sysconfigdata carries the building machine's paths.
        if SKIPPED_FOLDERS & set(relative.parts[:-1]) or relative.name.startswith("_sysconfigdata"):
            continue
        name = relative.as_posix()
        (held_out if name in HELD_OUT else train)[name] = path.read_text("utf-8")
    return train, held_out


def distilling() -> list[str]:
    """What the draft is distilled on, about half and half: the library, and its tests, which the target has not learned by heart.

    Some distributions leave the tests out; then the library has to serve alone.
    """
    library = list(corpus()[0].values())
    tests = []
    for path in sorted((Path(sysconfig.get_path("stdlib")) / "test").rglob("*.py")):
        try:
            tests.append(path.read_text("utf-8"))
        except UnicodeDecodeError:      # written to be undecodable
            continue
    return library * 2 + tests


def write_corpus(work: Path) -> None:
    train, held_out = corpus()
    text = SEPARATOR.join(held_out[name] for name in sorted(held_out))
    listing = {
        "python": platform.python_version(),
        "train": {name: hashlib.sha256(t.encode()).hexdigest()[:16] for name, t in train.items()},
        "held_out": sorted(held_out),
        "held_out_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "train_bytes": sum(len(t.encode()) for t in train.values()),
        "held_out_bytes": len(text.encode()),
    }
    (work / "heldout.txt").write_text(text, "utf-8")
    (work / "files.json").write_text(json.dumps(listing, indent=1), "utf-8")


def write_tokenizer(work: Path) -> None:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    train, _ = corpus()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PRE_SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[SEPARATOR], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(train.values(), trainer)
    for name, text in train.items():
        if tokenizer.decode(tokenizer.encode(text).ids) != text:
            raise RuntimeError(f"the tokenizer does not give {name} back")
    tokenizer.save(str(work / "tokenizer.json"), pretty=False)


def encoded(work: Path, which: str) -> np.ndarray:
    """Token ids of ``which`` text ("train", "distil", "heldout"), each file after a separator; kept in ``work`` once made."""
    from tokenizers import Tokenizer

    kept = work / f"{which}.npy"
    if not kept.exists():
        tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
        separator = tokenizer.token_to_id(SEPARATOR)
        if which == "heldout":
            texts = [(work / "heldout.txt").read_text("utf-8")]
        else:
            texts = list(corpus()[0].values()) if which == "train" else distilling()
        pieces = [ids for text in texts for ids in ([separator], tokenizer.encode(text).ids)]
        np.save(kept, np.concatenate([np.asarray(p, np.int32) for p in pieces]))
    return np.load(kept)
