"""Randomness by address: a generator is a hash of (seed, purpose, position), so nothing is shared and all can be replayed."""

from __future__ import annotations

import hashlib
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glasshouse.schema.errors import bad_type

if TYPE_CHECKING:
    import torch


def checked_seed(given: Any) -> int:
    """``given`` as an int: Python's, NumPy's, or anything else that says it is one. Raises: BadType."""
    return whole_number("seed", given)


def whole_number(argument: str, given: Any) -> int:
    """``given`` as an int, of whatever integer type. Raises: BadType naming ``argument``, also for a bool."""
    try:
        if not isinstance(given, (bool, np.bool_)):
            return operator.index(given)
    except TypeError:
        pass
    raise bad_type(argument, given, "a whole number")


@dataclass(frozen=True)
class Seeds:
    """Generators addressed by purpose and position. Equal addresses give equal streams, on any machine.

    A slider that changes only the verifier asks for the same drafting addresses and gets the same tree.
    """

    seed: int

    def key(self, purpose: str, *position: int) -> int:
        """64 bits of BLAKE2b over the address."""
        address = f"{self.seed}/{purpose}/{'/'.join(map(str, position))}"
        return int.from_bytes(hashlib.blake2b(address.encode(), digest_size=8).digest(), "little")

    def uniform(self, purpose: str, *position: int) -> float:
        """One uniform number of [0, 1): the 53 high bits of the key, much cheaper than a generator."""
        return (self.key(purpose, *position) >> 11) * 2.0**-53

    def numpy(self, purpose: str, *position: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(self.key(purpose, *position)))

    def torch(self, purpose: str, *position: int) -> torch.Generator:
        """A CPU generator."""
        import torch

        return torch.Generator("cpu").manual_seed(self.key(purpose, *position) >> 1)
