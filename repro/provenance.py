"""Where a number comes from: code, versions and hardware, gathered once per process."""

import hashlib
import io
import json
import os
import platform
import socket
import subprocess
import tokenize
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "torchvision", "numpy", "hydra-core", "omegaconf", "mlflow", "pillow", "repro")

SCIENCE = ("nn/**/*.py", "data/**/*.py", "metrics/**/*.py", "engine/**/*.py", "build.py", "seeding.py")
"""The modules whose code decides what a configuration measures."""

SNAPSHOT = "snapshot.json"
"""The file beside a copy of the package that says what it is a copy of."""


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def code_version() -> dict[str, Any]:
    """Commit of the checkout that the package runs from, whether it was changed since, and the hash of its science."""
    return {**checkout_version(), "science": science_sha256(Path(__file__).parent)}


def checkout_version() -> dict[str, Any]:
    """Commit of the checkout that the package runs from, and whether it was changed since.

    Both are null where it is installed; a copy made for queued jobs has those of what it was made of.
    """
    folder = Path(__file__).parent
    if (copied := _facts_of_copy(_root_of_copy())) is not None:
        return {"commit": copied["commit"], "dirty": copied["dirty"]}
    commit = _git(folder, "rev-parse", "HEAD")
    tracked = commit is not None and _git(folder, "ls-files", "--error-unmatch", "provenance.py") is not None
    changed = bool(_git(folder, "status", "--porcelain", "--untracked-files=no")) if tracked else None
    return {"commit": commit if tracked else None, "dirty": changed}


def science_sha256(package: Path) -> str:
    """First 16 hex digits of the sha256 over the modules that compute, without comments, docstrings and empty lines."""
    files = [file for part in SCIENCE for file in sorted(package.glob(part))]
    lines = (f"{file.relative_to(package).as_posix()}\0{_bare(file)}\0" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _bare(file: Path) -> str:
    """A module's text without what says nothing to Python."""
    with tokenize.open(file) as stream:
        text = stream.read()
    lines = [list(line) for line in text.splitlines(keepends=True)]
    begins = True  # whether a text here would be a statement of its own
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_docstring = token.type == tokenize.STRING and begins
        if is_docstring or token.type == tokenize.COMMENT:
            (first, left), (last, right) = token.start, token.end
            for number in range(first, last + 1):
                start, end = (left if number == first else 0), (right if number == last else len(lines[number - 1]) - 1)
                lines[number - 1][start:end] = " " * (end - start)
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            begins = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    stripped = ("".join(line).rstrip() for line in lines)
    return "\n".join(line for line in stripped if line)


def file_version(file: Path) -> dict[str, Any]:
    """Commit of the repository that a file of the user's is kept in, and whether it differs; nulls if in none."""
    root = _root_of_copy()
    copied = _facts_of_copy(root)
    if copied is not None and file.is_relative_to(root):
        origin = copied["origins"].get(file.relative_to(root).as_posix(), {})
        return {key: origin.get(key) for key in ("commit", "dirty")}
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return {"commit": None, "dirty": None}
    commit = _git(file.parent, "rev-parse", "HEAD")
    return {"commit": commit, "dirty": bool(_git(file.parent, "status", "--porcelain", "--", file.name))}


def _root_of_copy() -> Path:
    """The folder of a snapshot, if the package is in one."""
    return Path(__file__).parents[2]


@cache
def _facts_of_copy(root: Path) -> dict[str, Any] | None:
    """What the snapshot in a folder is a copy of; None if it is none."""
    try:
        found: dict[str, Any] = json.loads((root / SNAPSHOT).read_bytes())
    except (OSError, ValueError):
        return None
    return found


@cache
def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that results depend on; null for one that is not installed."""
    from importlib import metadata  # here, so that what is done already answers sooner

    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hardware(device: str) -> dict[str, Any]:
    """Host, processor, cores, and the GPU with its driver's view if the run uses one."""
    import torch  # here, so that commands which only read records do not pay for it

    facts: dict[str, Any] = {
        "host": socket.gethostname(),
        "processor": _processor(),
        "cores": available_cores(),
        "threads": torch.get_num_threads(),
        "device": device,
    }
    if device.startswith("cuda"):
        facts |= {
            "gpu": torch.cuda.get_device_name(device),
            "gpu_memory_gib": round(torch.cuda.get_device_properties(device).total_memory / 2**30, 1),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
            "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
            "tf32_convolution": torch.backends.cudnn.allow_tf32,
        }
    return facts


def of_process(device: str) -> dict[str, Any]:
    """Code, versions and hardware of this process; training and evaluation may differ in them."""
    return {"code": code_version(), "versions": versions(), "hardware": hardware(device), "memory": peak_memory(device)}


def peak_memory(device: str) -> dict[str, int]:
    """Bytes that this process has taken at most: of a GPU those of tensors and those reserved, of a machine all."""
    if device.startswith("cuda"):
        import torch

        return {
            "allocated_bytes": torch.cuda.max_memory_allocated(device),
            "reserved_bytes": torch.cuda.max_memory_reserved(device),
        }
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    kibibytes = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    return {} if kibibytes is None else {"resident_bytes": kibibytes * 1024}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", errors="replace",
                              timeout=10, check=False)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
