"""How long a person waits: for help, for the answer to a mistake, for what is done already, for a plan of everything.

python -m tests.bench.start_up [--rounds N]
"""

import argparse
import subprocess
import sys
import tempfile
from functools import partial

from tests.bench.timing import interleaved

TINY_RUN = [
    "schedule.length=2 steps",
    "dataset.size=64",
    "dataset.cue_distance=0",
    "dataset.val_images=2",
    "tracking=none",
]
RECORDED_TABLE = ["table=vortex/table1", "scale=shapes", "seeds=3"]
"""A table that reports/runs.csv holds completely."""


def commands(outputs: str) -> dict[str, list[str]]:
    """What is timed: what it is to arguments of python."""
    run, sweep = ["-m", "repro"], ["-m", "repro.sweep"]
    return {
        "python -c pass": ["-c", "pass"],
        "--help": [*run, "--help"],
        "a misspelt choice": [*run, "head=votex"],
        "a misspelt key": [*run, "schedule.lenght=3"],
        "a finished run": [*run, *TINY_RUN, f"outputs={outputs}"],
        "a sweep with nothing to do": [*sweep, *RECORDED_TABLE, "submit=true"],
        "its status": [*sweep, *RECORDED_TABLE, "action=status"],
        "the plan of all tables": [*sweep, "table=*/*", "scale=shapes"],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds

    def run(arguments: list[str]) -> None:
        subprocess.run([sys.executable, *arguments], capture_output=True, check=False)

    with tempfile.TemporaryDirectory() as outputs:
        found = commands(outputs)
        subprocess.run([sys.executable, *found["a finished run"]], capture_output=True, check=True)
        interleaved({name: partial(run, words) for name, words in found.items()}, rounds)


if __name__ == "__main__":
    main()
