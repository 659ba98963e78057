"""Where a sweep runs, by name: this process, this machine's cores, or a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context

from glasshouse.schema.errors import Unsupported, bad_value


@contextmanager
def executor(spec: str | None) -> Iterator[Executor | None]:
    """None for this process, ``"local"`` for a process per core, ``"dask://HOST:PORT"`` for a running dask cluster.

    Raises: BadValue for any other text; Unsupported where the ``cluster`` extra is missing.
    """
    if spec is None:
        yield None
    elif spec == "local":
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _one_thread_each) as pool:
            yield pool
    elif spec.startswith("dask://") and len(spec) > len("dask://"):
        try:
            client_of = import_module("distributed").Client
        except ImportError:
            raise Unsupported('a dask executor needs more than is installed: pip install "glasshouse[cluster]"',
                              "executor") from None
        with client_of("tcp://" + spec.removeprefix("dask://")) as client:
            yield client.get_executor()
    else:
        raise bad_value("executor", spec, "local or dask://HOST:PORT")


def _one_thread_each() -> None:
    """As many processes as cores: more threads in each would only get in each other's way. Read when torch is imported."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
