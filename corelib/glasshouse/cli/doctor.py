"""What this installation is made of and whether it is whole."""

from __future__ import annotations

import os
import pkgutil
import platform
import sys
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import glasshouse
from glasshouse import assets

PACKAGES = ("numpy", "scipy", "torch", "triton", "transformers", "safetensors", "pydantic", "typer", "joblib", "pandas", "pyarrow",
            "param", "panel", "bokeh", "plotly", "ipywidgets", "jupyterlab", "voila")


def examined() -> dict[str, Any]:
    """What `doctor --json` prints."""
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    return {
        "versions": {"glasshouse": glasshouse.__version__, "python": platform.python_version(), **_installed()},
        "platform": platform.platform(),
        "device": {"name": device, "cores": os.cpu_count(), "torch_threads": torch.get_num_threads()},
        "kernels": _kernels(torch.cuda.is_available()),
        "data": {"files": len(assets.manifest()), "wrong": list(assets.verify())}}


def told(found: dict[str, Any]) -> str:
    """The same for a person."""
    device, data = found["device"], found["data"]
    lines = [f"{name:<13} {version}" for name, version in found["versions"].items()]
    lines += [f"platform      {found['platform']}",
              f"device        {device['name']}, {device['cores']} cores, {device['torch_threads']} torch threads"]
    lines += [f"kernel        {name}: {state}" for name, state in found["kernels"].items()]
    lines += [f"data          {line}" for line in data["wrong"]] or [f"data          {data['files']} files, checksums right"]
    return "\n".join(lines)


def _installed() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _kernels(cuda: bool) -> dict[str, str]:
    """Each kernel with the version that this machine would run and its status."""
    import glasshouse.kernels

    forced = os.environ.get("GLASSHOUSE_KERNELS") == "reference"
    fused = cuda and not forced and sys.platform == "linux" and find_spec("triton") is not None
    names = sorted(m.name for m in pkgutil.iter_modules(glasshouse.kernels.__path__) if m.ispkg)
    return {name: _status(name, "fused" if fused else "reference") + (" (forced)" if forced else "") for name in names}


def _status(kernel: str, version: str) -> str:
    said = import_module(f"glasshouse.kernels.{kernel}.{version}").__doc__ or ""
    status = next((line.partition(":")[2].strip(" .") for line in said.splitlines() if line.startswith("Status:")), "")
    return version if status in ("", version) else f"{version}, {status}"
