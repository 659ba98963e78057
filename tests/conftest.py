"""One thread a process: two workers of pytest fill two cores, and what is measured does not depend on how many there are."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
