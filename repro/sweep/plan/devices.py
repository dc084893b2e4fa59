"""The device whose memory jobs have to fit into, found out without loading torch."""

import subprocess
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Device:
    """A GPU: its name, empty where only its size is known, and its memory."""

    name: str
    memory_bytes: int


def smallest_here() -> Device | None:
    """The GPU of this machine with the least memory; None if there is none, or if its driver does not answer."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return smallest_of(done.stdout) if done.returncode == 0 else None


def smallest_of(listed: str) -> Device | None:
    """The GPU with the least memory of lines such as `NVIDIA GeForce RTX 3090, 24576`, in MiB."""
    found = []
    for line in listed.splitlines():
        name, _, memory = line.rpartition(",")
        if memory.strip().isdigit():
            found.append(Device(name.strip(), int(memory) * 2**20))
    return min(found, key=lambda device: device.memory_bytes, default=None)
