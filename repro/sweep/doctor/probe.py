"""What a job of a sweep finds on its node: a file that runs by itself, with the standard library alone.

`python probe.py FOLDER` reads FOLDER/questions.json and leaves FOLDER/answer.json.
"""

import fcntl
import importlib.util
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import TypedDict

QUESTIONS, ANSWER, HELD = "questions.json", "answer.json", "held"
"""Files of the folder; the last one is locked by who asks."""

ANSWER_SECONDS = 20.0


class Questions(TypedDict):
    """What is asked of a node: an address or None, and folders."""

    tracking: str | None
    folders: list[str]


class Answer(TypedDict):
    """What a node says.

    `lock` is held, free, or why it cannot be asked for; texts are None where there is nothing to be said against it.
    """

    clock: float
    host: str
    node: str
    python: str
    executable: str
    lock: str
    no_package: str | None
    no_torch: str | None
    torch: str | None
    gpus: list[str]
    visible_gpus: str | None
    driver: str | None
    no_tracking: str | None
    absent: list[str]


def answer(folder: Path, questions: Questions) -> Answer:
    """Looks around on this node."""
    clock = time.time()
    no_torch, version, gpus = _torch()
    return Answer(
        clock=clock,
        host=socket.gethostname(),
        node=os.environ.get("SLURMD_NODENAME", socket.gethostname()),
        python=platform.python_version(),
        executable=sys.executable,
        lock=_lock(folder / HELD),
        no_package=None if importlib.util.find_spec("repro") else "repro cannot be imported",
        no_torch=no_torch,
        torch=version,
        gpus=gpus,
        visible_gpus=os.environ.get("CUDA_VISIBLE_DEVICES"),
        driver=_driver(),
        no_tracking=None if questions["tracking"] is None else unreachable(questions["tracking"]),
        absent=[name for name in questions["folders"] if not Path(name).is_dir()],
    )


def _lock(path: Path) -> str:
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "held"
    except OSError as error:
        return error.strerror or str(error)
    return "free"


def _torch() -> tuple[str | None, str | None, list[str]]:
    try:
        import torch
    except (ImportError, OSError) as error:
        return f"torch cannot be imported ({error})", None, []
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return None, metadata.version("torch"), names


def _driver() -> str | None:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.split("\n")[0].strip() or None


def unreachable(address: str) -> str | None:
    """Why a server of MLflow does not answer; None: it does, be it to ask for a password."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=ANSWER_SECONDS):
            return None
    except urllib.error.HTTPError:
        return None
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def main(folder: Path) -> None:
    """Answers the questions in a folder."""
    questions: Questions = json.loads((folder / QUESTIONS).read_text(encoding="utf-8"))
    partial = folder / f"{ANSWER}.partial"
    partial.write_text(json.dumps(answer(folder, questions)), encoding="utf-8")
    partial.rename(folder / ANSWER)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
