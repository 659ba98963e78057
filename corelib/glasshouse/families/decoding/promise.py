"""What a text that was generated so promises."""

from __future__ import annotations

from glasshouse.families.decoding.interface import Method, Sampling
from glasshouse.schema.guarantee import Guarantee

ROUNDING = "up to rounding: a forward over many tokens may break near-ties otherwise than one over a single token"


def guarantee_of(method: Method, sampling: Sampling) -> Guarantee:
    """The actual promise: losslessness in law when sampling, token for token when greedy or coupled."""
    best = method.guarantee
    if best.kind not in ("lossless", "lossless-greedy"):
        return best
    assumptions = (*best.assumptions, ROUNDING)
    if sampling.greedy:
        return Guarantee("lossless-greedy", "The text is, token for token, the target's own greedy text.",
                         assumptions=assumptions, scope="this text")
    if best.kind == "lossless-greedy":
        return best.downgraded("none", f"{type(method).__name__} keeps the target's law only at temperature 0.")
    law = f"the target's law at temperature {sampling.temperature:g}" + (f" and top-p {sampling.top_p:g}" if sampling.top_p < 1 else "")
    if sampling.coupled:
        return Guarantee("lossless", f"The text is, token for token, the one that plain sampling draws with the same noise, from {law}.",
                         assumptions=assumptions, scope="this text")
    return Guarantee("lossless", f"The text is drawn from exactly {law}.", assumptions=assumptions, scope="texts over seeds")
