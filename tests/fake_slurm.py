"""A SLURM of a few shell scripts."""

import os
from pathlib import Path

import pytest

SBATCH = """
cd "$STATE"
number=$(cat sbatch.number 2> /dev/null || echo 100); number=$((number + 1)); echo $number > sbatch.number
cp "$1" sbatch.$number.sh; env > sbatch.$number.env
if [ -f refuses ]; then cat refuses >&2; exit 1; fi
name=$(sed -n 's/^#SBATCH --job-name=//p' "$1")
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
if [ -n "$last" ]; then
    for place in $(seq 0 $last); do echo "${number}_$place|$name|PENDING|lab|normal|Priority"; done >> queue
else
    echo "$number|$name|PENDING|lab|normal|Priority" >> queue
fi
if [ -f silent ]; then echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1; fi
if [ -f kills ]; then kill -9 $PPID; fi
echo "Submitted batch job $number"
"""
PROGRAMS = {
    "sbatch": SBATCH,
    "srun": "exit 1",
    "squeue": 'cat "$STATE/queue" 2> /dev/null; exit 0',
    "scancel": 'echo "$*" >> "$STATE/scancel"',
    "scontrol": "echo 'MaxArraySize            = 1001'; echo 'MaxJobCount             = 10000'",
    "sacctmgr": "echo 'sacctmgr: error: Slurm accounting storage is disabled' >&2; exit 1",
}


class FakeSlurm:
    """What the scripts are told, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def program(self, name: str, text: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/bash\nSTATE='{self.folder}'\n{text}\n")
        file.chmod(0o755)

    def queue(self, *lines: str) -> None:
        (self.folder / "queue").write_text("".join(f"{line}\n" for line in lines))

    def queued(self) -> list[str]:
        return self.said("queue")

    def said(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def tell(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def scripts(self) -> list[str]:
        """What sbatch was given, in order."""
        return [file.read_text() for file in sorted(self.folder.glob("sbatch.*.sh"))]


@pytest.fixture
def slurm(tmp_path_factory, monkeypatch) -> FakeSlurm:
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "bin").mkdir()
    fake = FakeSlurm(folder)
    for name, text in PROGRAMS.items():
        fake.program(name, text)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    return fake
