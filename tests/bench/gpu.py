"""Everything that a GPU is to be measured for, in one go and under 8 minutes: `python -m tests.bench.gpu`.

    python -m tests.bench.gpu [device=cuda] [size=full] [seconds=440] [out=gpu.json]

Prints and writes one JSON. Every part has a share of the time; what was left out for time is named under `left_out`.
`device=cpu size=tiny` runs all of it small. Needs torch, torchvision, hydra-core and omegaconf.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torchvision

from repro.provenance import available_cores
from tests.bench.gpu_parts import PARTS, Machine, Size

SIZES = {"full": Size(50, 513, 16, 10, 97), "tiny": Size(18, 65, 2, 1, 9)}


@dataclass
class Clock:
    """The time of a part, after which nothing new begins.

    Attributes:
        left_out: what there was no time for.
    """

    end: float
    left_out: list[str] = field(default_factory=list)

    def measure(self, name: str, what: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a measurement gives, or the reason why there is none."""
        if time.monotonic() > self.end:
            self.left_out.append(name)
            return {}
        try:
            return what()
        except (RuntimeError, ImportError) as error:  # one form that a device lacks is no reason to lose the others
            return {"failed": str(error).strip().splitlines()[0]}


def measured(machine: Machine, size: Size, seconds: float) -> dict[str, Any]:
    """All parts, each until its share of the seconds is over; what one leaves is the next one's."""
    start = time.monotonic()
    found: dict[str, Any] = {}
    left_out: list[str] = []
    shares, passed = sum(part.share for part in PARTS), 0.0
    for part in PARTS:
        passed += part.share
        clock = Clock(start + seconds * passed / shares)
        found[part.name] = {
            name: clock.measure(f"{part.name}: {name}", what) for name, what in part.measurements(machine, size)
        }
        left_out += clock.left_out
    return {**found, "left_out": left_out, "seconds": round(time.monotonic() - start, 1)}


def main(words: list[str] | None = None) -> int:
    """Measures; 2 if there is no GPU and none was waived."""
    given = {"device": "cuda", "size": "full", "seconds": "440", "out": "gpu.json"}
    for word in sys.argv[1:] if words is None else words:
        key, _, value = word.partition("=")
        if key not in given:
            print(f"{word!r} is none of {', '.join(f'{name}=' for name in given)}", file=sys.stderr)
            return 2
        given[key] = value
    on_cpu = (given["device"], given["size"]) == ("cpu", "tiny")
    has_gpu = torch.cuda.is_available() and given["device"].startswith("cuda")
    if given["size"] not in SIZES or not (on_cpu or has_gpu):
        print("this machine shows no GPU, or not the one asked for: give device=cpu size=tiny to try all of it small",
              file=sys.stderr)  # fmt: skip
        return 2
    machine = Machine(torch.device(given["device"]), 1 if on_cpu else 3)
    facts = {
        "device": torch.cuda.get_device_name(machine.device) if not on_cpu else "cpu",
        "torch": torch.__version__, "torchvision": torchvision.__version__, "cores": available_cores(),
        "size": given["size"],
    }  # fmt: skip
    text = json.dumps(facts | measured(machine, SIZES[given["size"]], float(given["seconds"])), indent=1)
    Path(given["out"]).write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
