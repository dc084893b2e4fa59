"""How long a person waits for help, for the answer to a mistake, and for a composition.

python -m tests.bench.start_up [--rounds N]
"""

import argparse
import subprocess
import sys

from tests.bench.timing import interleaved

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "python -m repro --help": ["-m", "repro", "--help"],
    "python -m repro head=votex": ["-m", "repro", "head=votex"],
    "python -m repro schedule.lenght=3": ["-m", "repro", "schedule.lenght=3"],
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds

    def run(arguments: list[str]) -> None:
        subprocess.run([sys.executable, *arguments], capture_output=True, check=False)

    interleaved({name: lambda a=arguments: run(a) for name, arguments in COMMANDS.items()}, rounds)


if __name__ == "__main__":
    main()
