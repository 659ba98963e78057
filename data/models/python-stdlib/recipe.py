"""Remake the bundled language-model pair from the running Python's standard library.

    python recipe.py all                    # about two hours on one core
    python recipe.py all --steps 30         # the smoke run of the tests

Stages, each reading what the one before wrote: ``corpus`` (module list, held-out text), ``tokenizer``, ``target``,
``calibrate`` (one temperature, folded into the target's last norm), ``distil`` (the draft, cut out of the target, against it),
``export`` (fp16 safetensors beside this file), ``measure`` (bits per byte and acceptance, into ``quality.json``).
Nothing is downloaded. Checkpoints and the training curve go to ``--work``; a run that stops goes on from there.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# A spinning wait on a shared machine costs more than the second core brings.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from corpus import VOCABULARY, encoded, write_corpus, write_tokenizer
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
HELD_OUT_HOME = HERE.parents[1] / "datasets" / "python-stdlib-heldout"
CONTEXT = 512
TARGET = {"hidden_size": 256, "num_hidden_layers": 8, "num_attention_heads": 4, "intermediate_size": 688}
DRAFT = TARGET | {"num_hidden_layers": 2}


def new_model(shape: dict[str, int], seed: int) -> torch.nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    # pad_token_id must stay None: a pad id that is a real token silences that token's embedding gradient.
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
                                        bos_token_id=0, eos_token_id=0, pad_token_id=None, **shape))


def optimisers(model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for the embedding and the norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [torch.optim.Muon(matrices, lr=0.02, weight_decay=0.05, momentum=0.95),
            torch.optim.AdamW(rest, lr=2e-3, betas=(0.9, 0.95), weight_decay=0.0)]


def schedule(progress: float, step: int) -> float:
    """Warm up over 50 steps, flat to 40 % of the budget, then linear to zero."""
    return min(1.0, (step + 1) / 50) * min(1.0, (1.0 - progress) / 0.6)


def batch(ids: np.ndarray, tokens: int, progress: float, rng: np.random.Generator) -> torch.Tensor:
    """Random windows; short ones for speed, the full context for the last fifth of the budget."""
    length = CONTEXT // 2 if progress < 0.8 else CONTEXT
    starts = rng.integers(0, len(ids) - length - 1, tokens // length)
    return torch.from_numpy(np.stack([ids[s:s + length + 1] for s in starts]).astype(np.int64))


def cross_entropy(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    logits = model(ids[:, :-1], use_cache=False).logits
    return F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())


def distillation(target: torch.nn.Module) -> Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]:
    """TV(p, q) + 0.3 KL(p || q): a draft is judged by acceptance, which is 1 - TV; KL carries the early steps, where TV is flat."""
    def loss(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            log_p = F.log_softmax(target(ids[:, :-1], use_cache=False).logits.float(), -1)
        log_q = F.log_softmax(model(ids[:, :-1], use_cache=False).logits.float(), -1)
        p = log_p.exp()
        tv = 0.5 * (p - log_q.exp()).abs().sum(-1).mean()
        return tv + 0.3 * (p * (log_p - log_q)).sum(-1).mean()
    return loss


@torch.no_grad()
def calibrate(work: Path) -> None:
    """Divide the target's logits by the temperature that codes unlearned text best: four passes leave a model too sure of itself."""
    ids, model = encoded(work, "distil"), trained(work, "target", TARGET)
    starts = np.linspace(0, len(ids) - CONTEXT - 1, 40).astype(int)
    window = torch.from_numpy(np.stack([ids[s:s + CONTEXT + 1] for s in starts]).astype(np.int64))
    logits = torch.cat([model(w[None, :-1], use_cache=False).logits[0] for w in window])
    temperatures = np.arange(0.8, 1.5, 0.02)
    best = min(temperatures, key=lambda t: F.cross_entropy(logits / float(t), window[:, 1:].flatten()).item())
    model.model.norm.weight /= float(best)
    torch.save(model.state_dict(), work / "calibrated.pt")
    print(f"calibrated at temperature {best:.2f}", flush=True)


def train(work: Path, name: str, model: torch.nn.Module, loss_of: Callable[..., torch.Tensor], text: str, *, steps: int,
          tokens: int, seconds: float, seed: int) -> None:
    """Train in place on ``text`` until steps or seconds run out; the schedule follows whichever is nearer its end."""
    ids, held_out = encoded(work, text), encoded(work, "heldout")
    opts = optimisers(model)
    peaks = [g["lr"] for o in opts for g in o.param_groups]
    state_file, curve_file = work / f"{name}.ckpt", work / f"{name}.curve.csv"
    step, before = 0, 0.0
    if state_file.exists():
        saved = torch.load(state_file, weights_only=True)
        model.load_state_dict(saved["model"])
        for o, s in zip(opts, saved["optimisers"], strict=True):
            o.load_state_dict(s)
        step, before = saved["step"], saved["seconds"]
    rng, start, running = np.random.default_rng([seed, step]), time.monotonic(), None
    model.train()
    while step < steps and (elapsed := before + time.monotonic() - start) < seconds:
        progress = max(step / steps, elapsed / seconds)
        factor = schedule(progress, step)
        for group, peak in zip((g for o in opts for g in o.param_groups), peaks, strict=True):
            group["lr"] = peak * factor
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(model, batch(ids, tokens, progress, rng))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        running = loss.item() if running is None else 0.95 * running + 0.05 * loss.item()
        step += 1
        if step % 100 == 0 or step == steps:
            bits = bits_per_byte(model, held_out[:20_000], work) if step % 200 == 0 else None
            with curve_file.open("a", newline="") as f:
                csv.writer(f).writerow([step, step * tokens, round(before + time.monotonic() - start), round(running, 4),
                                        bits and round(bits, 4)])
            print(f"{name} {step}/{steps} {before + time.monotonic() - start:.0f}s loss {running:.3f} bits/byte {bits}", flush=True)
        if step % 400 == 0:
            torch.save({"model": model.state_dict(), "optimisers": [o.state_dict() for o in opts], "step": step,
                        "seconds": before + time.monotonic() - start}, state_file)
    torch.save(model.state_dict(), work / f"{name}.pt")


def trained(work: Path, name: str, shape: dict[str, int]) -> torch.nn.Module:
    model = new_model(shape, 0)
    model.load_state_dict(torch.load(work / f"{name}.pt", weights_only=True))
    return model.eval()


def cut(work: Path) -> torch.nn.Module:
    """The draft to begin with: the target's embedding, first and last layer. Six minutes of distilling it do what twenty-five did from nothing."""
    draft, weights = new_model(DRAFT, 2), torch.load(work / "calibrated.pt", weights_only=True)
    last = f"layers.{TARGET['num_hidden_layers'] - 1}."
    draft.load_state_dict({name: weights[name.replace("layers.1.", last)] for name in draft.state_dict()})
    return draft


def windows(ids: np.ndarray, length: int) -> Iterator[torch.Tensor]:
    for start in range(0, len(ids) - 1, length):
        yield torch.from_numpy(ids[start:start + length + 1].astype(np.int64))[None]


@torch.no_grad()
def bits_per_byte(model: torch.nn.Module, ids: np.ndarray, work: Path) -> float:
    """Teacher-forced code length of ``ids`` in bits, over the bytes those tokens spell; windows of one context."""
    from tokenizers import Tokenizer

    training = model.training
    model.eval()
    nats = sum(cross_entropy(model, w).item() * (w.shape[1] - 1) for w in windows(ids, CONTEXT))
    model.train(training)
    text = Tokenizer.from_file(str(work / "tokenizer.json")).decode(ids[1:].tolist(), skip_special_tokens=False)
    return nats / math.log(2) / len(text.encode())


@torch.no_grad()
def acceptance(target: torch.nn.Module, draft: torch.nn.Module, ids: np.ndarray) -> dict[str, float]:
    """Teacher-forced agreement over 60 windows of 256, first 32 positions dropped: alpha = mean of 1 - TV(p, q)."""
    alphas, top1, entropy = [], [], []
    starts = np.linspace(0, len(ids) - 257, 60).astype(int)
    for start in starts:
        window = torch.from_numpy(ids[start:start + 256].astype(np.int64))[None]
        p, q = (m(window).logits[0, 32:].double().softmax(-1) for m in (target, draft))
        alphas.append(torch.minimum(p, q).sum(-1).mean().item())
        top1.append((p.argmax(-1) == q.argmax(-1)).double().mean().item())
        entropy.append(-(p * p.clamp_min(1e-300).log()).sum(-1).mean().item())
    return {"alpha_T1": float(np.mean(alphas)), "top1_agreement": float(np.mean(top1)), "target_entropy_nats": float(np.mean(entropy))}


def export(work: Path, out: Path, held_out_home: Path) -> None:
    for name, shape, folder in (("calibrated", TARGET, "target"), ("distilled", DRAFT, "draft")):
        trained(work, name, shape).half().save_pretrained(out / folder)
    tokenizer = json.loads((work / "tokenizer.json").read_text("utf-8"))
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), "utf-8")
    (out / "files.json").write_bytes((work / "files.json").read_bytes())
    for curve in work.glob("*.curve.csv"):
        (out / curve.name).write_bytes(curve.read_bytes())
    held_out_home.mkdir(parents=True, exist_ok=True)
    (held_out_home / "heldout.txt").write_bytes((work / "heldout.txt").read_bytes())


def quality(work: Path, out: Path, most: int | None = None) -> dict[str, float]:
    """The exported pair on the first ``most`` held-out tokens (all where None)."""
    from transformers import AutoModelForCausalLM

    held_out = encoded(work, "heldout")[:most]
    target, draft = (AutoModelForCausalLM.from_pretrained(out / n, dtype=torch.float32).eval() for n in ("target", "draft"))
    return {"held_out_tokens": len(held_out), "target_bits_per_byte": bits_per_byte(target, held_out, work),
            "draft_bits_per_byte": bits_per_byte(draft, held_out, work), **acceptance(target, draft, held_out)}


def measure(work: Path, out: Path, most: int | None) -> None:
    measured = quality(work, out, most)
    (out / "quality.json").write_text(json.dumps(measured, indent=1), "utf-8")
    print(json.dumps(measured, indent=1), flush=True)


def main(argv: list[str] | None = None) -> int:
    stages = ("corpus", "tokenizer", "target", "calibrate", "distil", "export", "measure")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("all", *stages))
    parser.add_argument("--work", type=Path, default=Path("build/python-stdlib"), help="checkpoints and curves")
    parser.add_argument("--out", type=Path, default=HERE, help="where the exported pair goes")
    parser.add_argument("--held-out", type=Path, default=None, help="where the held-out text goes")
    parser.add_argument("--held-out-tokens", type=int, default=None, help="measure on the first so many only")
    parser.add_argument("--steps", type=int, default=None, help="cut every stage to this many steps")
    parser.add_argument("--minutes", type=float, default=90.0, help="limit of the target's stage")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    held_out_home = args.held_out or (HELD_OUT_HOME if args.out == HERE else args.out / "heldout")

    def limited(steps: int) -> int:
        return steps if args.steps is None else min(steps, args.steps)

    def run(stage: str) -> None:
        if stage == "corpus":
            write_corpus(args.work)
        elif stage == "tokenizer":
            write_tokenizer(args.work)
        elif stage == "target":
            train(args.work, "target", new_model(TARGET, 0), cross_entropy, "train",
                  steps=limited(3200), tokens=3072, seconds=args.minutes * 60, seed=1)
        elif stage == "calibrate":
            calibrate(args.work)
        elif stage == "distil":
            train(args.work, "distilled", cut(args.work), distillation(trained(args.work, "calibrated", TARGET)), "distil",
                  steps=limited(4000), tokens=3072, seconds=args.minutes * 30, seed=4)
        elif stage == "export":
            export(args.work, args.out, held_out_home)
        else:
            measure(args.work, args.out, args.held_out_tokens)

    for stage in stages if args.stage == "all" else (args.stage,):
        run(stage)
    return 0


if __name__ == "__main__":
    sys.exit(main())
