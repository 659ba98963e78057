"""From a name, a folder or a hub id to models that can be scored: safetensors only, no code from strangers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike
from pathlib import Path
from threading import RLock
from typing import Any, Generic, TypeVar

from glasshouse import assets
from glasshouse.models.language import architecture
from glasshouse.models.language.hub import fetchable, is_hub_id
from glasshouse.schema.errors import BadValue, Unsupported, bad_type, bad_value

BUNDLED = ("python-stdlib",)
SEPARATOR = "<|file|>"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")

Source = str | PathLike[str]
T = TypeVar("T")

_LOADING = RLock()
"""transformers changes settings of the whole process while it loads (torch's default dtype, progress bars): one thread at a time."""


class LoadedOnce(Generic[T]):
    """``lru_cache`` for a function that loads models: what two threads ask for at once is made once, and the second waits for it."""

    def __init__(self, make: Callable[..., T], most: int = 1) -> None:
        self._cached = lru_cache(most)(make)
        self.cache_clear = self._cached.cache_clear

    def __call__(self, *arguments: str) -> T:
        with _LOADING:
            return self._cached(*arguments)


@dataclass(frozen=True, eq=False)
class Pair:
    """A target, the draft that speculates for it (None where there is none) and their tokenizer.

    The models are of transformers, in float32, evaluating, without gradients. The bundled pair is shared by all who
    load it: do not change it.
    """

    target: Any = field(repr=False)
    draft: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    name: str


def load_pair(name: str | None = "python-stdlib", *, target: Source | None = None, draft: Source | None = None) -> Pair:
    """The bundled pair, or models of your own from folders or hub ids.

    Safe on several threads. A ``draft`` without a ``target`` drafts for the bundled target. Raises BadValue for an unknown name, a source that
    cannot be read, or a draft whose vocabulary is not the target's; Unsupported for another architecture.
    """
    if target is None:
        if name not in BUNDLED:
            raise bad_value("name", name, f"one of {', '.join(BUNDLED)}; or give target=, a folder or a hub id")
        bundled = _bundled(name)
        if draft is None:
            return bundled
        own = load_model(draft, argument="draft")
        _check_same_vocabulary(bundled.target, own, bundled.tokenizer, _tokenizer_or_none(draft))
        return Pair(bundled.target, own, bundled.tokenizer, f"{name} + {draft}")
    big, tokenizer = load_model(target, argument="target"), load_tokenizer(target, argument="target")
    if draft is None:
        return Pair(big, None, tokenizer, str(target))
    small = load_model(draft, argument="draft")
    _check_same_vocabulary(big, small, tokenizer, _tokenizer_or_none(draft))
    return Pair(big, small, tokenizer, f"{target} + {draft}")


@LoadedOnce
def _bundled(name: str) -> Pair:
    target, draft = (load_model(assets.path("models", name, part)) for part in ("target", "draft"))
    return Pair(target, draft, _bare_tokenizer(assets.path("models", name, "tokenizer.json")), name)


def load_model(source: Source, *, argument: str = "model") -> Any:
    """A causal language model in float32, evaluating, without gradients.

    ``source`` is a folder with ``config.json`` and safetensors, or a hub id: from the local cache, else downloaded.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    place, local = _located(source, argument)
    with _LOADING, _readable(source, argument), _silent(local):
        config = AutoConfig.from_pretrained(place, trust_remote_code=False, local_files_only=local)
        architecture.check(config, argument, str(source))
        model, info = AutoModelForCausalLM.from_pretrained(
            place, config=config, dtype=torch.float32, use_safetensors=True, trust_remote_code=False,
            local_files_only=local, output_loading_info=True)
    if info["missing_keys"] or info["mismatched_keys"]:
        lacking = sorted(map(str, [*info["missing_keys"], *info["mismatched_keys"]]))
        raise bad_value(argument, str(source),
                        f"weights that fit config.json: {len(lacking)} are missing or of other shape, first {lacking[0]}")
    return model.eval().requires_grad_(False)


def load_tokenizer(source: Source, *, argument: str = "tokenizer") -> Any:
    """The tokenizer of a folder or hub id, or the ``tokenizer.json`` beside a folder, as with the bundled models."""
    from transformers import AutoTokenizer

    folder = Path(source).expanduser()
    if folder.is_dir():
        bare = [f for f in (folder / "tokenizer.json", folder.parent / "tokenizer.json") if f.is_file()]
        if bare and not (folder / "tokenizer_config.json").is_file():
            with _readable(source, argument):
                return _bare_tokenizer(bare[0])
        place, local = str(folder), True
    else:
        place, local = _located(source, argument)
    with _LOADING, _readable(source, argument), _silent(local):
        return AutoTokenizer.from_pretrained(place, trust_remote_code=False, local_files_only=local)


def _bare_tokenizer(file: Path) -> Any:
    """A ``tokenizer.json`` without the settings that usually lie beside it."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(file), clean_up_tokenization_spaces=False)
    if SEPARATOR in tokenizer.get_vocab():
        tokenizer.add_special_tokens({"bos_token": SEPARATOR, "eos_token": SEPARATOR})
    return tokenizer


def _tokenizer_or_none(source: Source) -> Any:
    try:
        return load_tokenizer(source, argument="draft")
    except BadValue:                                        # drafts are often saved without one
        return None


def _located(source: Source, argument: str) -> tuple[str, bool]:
    """(what transformers is given, whether it must stay on this machine)."""
    if not isinstance(source, str | PathLike):
        raise bad_type(argument, source, "a folder or a hub id")
    folder = Path(source).expanduser()
    if folder.is_dir():
        _check_folder(folder, argument)
        return str(folder), True
    if folder.exists() or not is_hub_id(str(source)):
        raise bad_value(argument, str(source), "a folder with config.json and *.safetensors, or a hub id (owner/model)")
    return str(source), not fetchable(str(source), argument)


def _check_folder(folder: Path, argument: str) -> None:
    if not (folder / "config.json").is_file():
        raise bad_value(argument, str(folder), "a folder that holds config.json")
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(f.name for f in folder.iterdir() if f.suffix in PICKLES)
    found = f"; {', '.join(pickles[:3])} can run code when read and is not opened" if pickles else ""
    raise bad_value(argument, str(folder), f"a folder that holds weights as *.safetensors{found} "
                                           "(model.save_pretrained(folder) writes them)")


def _check_same_vocabulary(target: Any, draft: Any, tokenizer: Any, draft_tokenizer: Any) -> None:
    wanted, found = target.config.vocab_size, draft.config.vocab_size
    if wanted != found:
        raise bad_value("draft", f"vocabulary of {found}", f"a model with the target's vocabulary of {wanted}")
    if draft_tokenizer is not None and draft_tokenizer.get_vocab() != tokenizer.get_vocab():
        raise bad_value("draft", "another tokenizer", "a model trained with the target's tokenizer, as ids mean text")


@contextmanager
def _readable(source: Source, argument: str) -> Iterator[None]:
    """Whatever the libraries raise over a file becomes one line about the argument."""
    from safetensors import SafetensorError

    try:
        yield
    except Unsupported:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise bad_value(argument, str(source), f"a model or tokenizer that can be read ({first})") from error


@contextmanager
def _silent(local: bool) -> Iterator[None]:
    """No progress bars over files that are already here; downloads keep theirs."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    if local:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
