"""Past one node: `python -m tests.bench.scale [--rows 1000] [--seeds 10]`: what plan and status of a lab's year take.

A paper of so many rows, all of them configurations of their own, a fifth of them with a training before; four runs in
ten are there, in every state that a folder can be in. Each command is a process of its own, with its peak memory. Where
caches are named cold, the page cache still has the files: to empty it is not a user's to do.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from repro.experiments.measurement import Measurement
from repro.experiments.measurements import Measurements
from repro.papers import load_papers
from repro.store.files import sealed_json
from repro.store.holder import Holder
from repro.store.journal import Journal
from repro.store.matrices import to_npz
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import WEIGHTS_DIGEST, RunState
from tests.report.made_runs import matrix_of, record_of

NETWORKS = [(backbone, head) for backbone in ("resnet18", "resnet50")
            for head in ("fcn", "aspp", "aspp_plus", "module_a", "vortex")]  # fmt: skip
ROWS_OF_A_TABLE = 50
JOURNAL_POINTS = 1000
TABLE = """\
title: Rows that differ
kind: comparison
evaluated_on: shapes val
run: [dataset=shapes, schedule=shapes_200]
evaluation: [evaluation=whole]
stages:
  before: {run: [dataset=shapes, schedule=shapes_200, schedule.length=100 steps]}
columns:
  mIoU: {metric: miou}
rows:
"""
ROW = """\
  - label: row {number}
    cells: {{mIoU: 50.0}}
    run: [backbone={backbone}, head={head}, schedule.weight_decay=0.{number:05}]
"""
KEY = "year/*"


def write_paper(folder: Path, rows: int) -> None:
    """A paper of so many rows in tables of fifty."""
    paper = folder / "year"
    paper.mkdir(parents=True)
    (paper / "paper.yaml").write_text("title: A lab's year\nauthors: x\nyear: 2026\nvenue: x\n")
    for first in range(0, rows, ROWS_OF_A_TABLE):
        text = TABLE
        for number in range(first + 1, min(first + ROWS_OF_A_TABLE, rows) + 1):
            backbone, head = NETWORKS[number % len(NETWORKS)]
            text += ROW.format(number=number, backbone=backbone, head=head)
            text += "    after: before\n" if number // len(NETWORKS) % 5 == 0 else ""
        (paper / f"table{first // ROWS_OF_A_TABLE + 1}.yaml").write_text(text)


class RunMaker:
    """Makes run folders as runs would have left them; files that no look opens are one file under many names."""

    def __init__(self, outputs: Outputs, shared: Path, held: ExitStack) -> None:
        self._outputs, self._held = outputs, held
        self._journal, self._weights = shared / "journal.jsonl", shared / "weights.pt"
        self._weights.write_bytes(b"w" * 1000)
        with Journal(self._journal) as journal:
            for step in range(1, JOURNAL_POINTS + 1):
                journal.point(step, loss=0.5, learning_rate=0.01, seconds_per_step=0.2)

    def make(self, measurement: Measurement, seed: int, number: int) -> None:
        """One run in the state that its number gives: six in ten done, the others running, failed, killed or away."""
        run_id = measurement.run_id(seed)
        folder = self._outputs.run(run_id)
        folder.checkpoints.path.mkdir(parents=True)
        folder.evaluations_path.mkdir()
        folder.config_path.write_text(measurement.configuration(seed).to_yaml())
        os.link(self._journal, folder.journal_path)
        kind = number % 10
        if kind < 6:
            self._finish(folder, measurement, seed)
        elif kind == 6:
            _status(folder, RunState.RUNNING)
            self._held.enter_context(_held(folder))
        elif kind == 7:
            _status(folder, RunState.FAILED, "the loss is not finite at step 37; try a lower learning rate")
        elif kind == 8:
            _status(folder, RunState.RUNNING)
            os.link(self._weights, folder.checkpoints.file(40))
        else:
            _status(folder, RunState.RUNNING)
            _name(folder, "elsewhere")

    def _finish(self, folder: RunFolder, measurement: Measurement, seed: int) -> None:
        record = record_of(measurement, seed, 60.0)
        _status(folder, RunState.FINISHED)
        os.link(self._weights, folder.weights_path)
        path = folder.record_path(record.evaluation_id)
        path.with_suffix(".npz").write_bytes(to_npz(record, matrix_of(60.0), None))
        path.write_text(record.to_json())


def _status(folder: RunFolder, state: RunState, message: str = "") -> None:
    now = "2026-01-02T03:04:05.678+00:00"
    extra = {WEIGHTS_DIGEST: "ab" * 32} if state is RunState.FINISHED else {}
    content = {"state": state, "updated": now, "times": {state: now}, "host": "here", "pid": 1, "step": 40,
               "message": message, "extra": extra}  # fmt: skip
    folder.status_path.write_text(sealed_json(content))


def _name(folder: RunFolder, host: str) -> None:
    holder = Holder(host, os.getpid(), "2026-01-02T03:04:05+00:00", "run", False, "ab" * 8)
    folder.lock_path.write_text(json.dumps(vars(holder)))


@contextmanager
def _held(folder: RunFolder) -> Iterator[None]:
    _name(folder, os.uname().nodename)
    with folder.lock_path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def make_runs(sweeps: Path, outputs: Path, shared: Path, seeds: int, held: ExitStack) -> int:
    """Folders of four runs in ten; returns how many."""
    shared.mkdir(parents=True)
    library = load_papers([sweeps])
    found = Measurements(library, library.matching(KEY), library.scale("paper"))
    maker = RunMaker(Outputs(outputs), shared, held)
    cells = [item for item in found.values() if item.chain]
    wanted = ((item, seed) for seed in range(seeds) for item in cells)
    number = 0
    for number, (item, seed) in enumerate(islice(wanted, len(cells) * seeds * 4 // 10), 1):
        maker.make(item, seed, number)
    return number


def timed(command: Sequence[str]) -> tuple[float, float, str]:
    """Seconds, peak MiB, and last line of a command in a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = process.stdout.read()
    usage = os.wait4(process.pid, 0)[2]
    lines = text.splitlines() or [""]
    return time.perf_counter() - start, usage.ru_maxrss / 1024, f"{len(lines)} lines; {lines[-1][:60]}"


def main() -> None:
    """Prints one line per command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="make the folders here and leave them")
    given = parser.parse_args()
    root = given.keep or Path(tempfile.mkdtemp(prefix="repro-bench-"))
    try:
        with ExitStack() as held:
            write_paper(root / "sweeps", given.rows)
            start = time.perf_counter()
            made = make_runs(root / "sweeps", root / "outputs", root / "shared", given.seeds, held)
            print(f"{given.rows} rows x {given.seeds} seeds, {made} run folders made in "
                  f"{time.perf_counter() - start:.0f} s", flush=True)  # fmt: skip
            measure(root, given.seeds)
    finally:
        if given.keep is None:
            shutil.rmtree(root)


def measure(root: Path, seeds: int) -> None:
    """Times the commands on a folder of generated papers and runs."""
    shared = [f"table={KEY}", f"seeds={seeds}", f"sweeps_folder={root / 'sweeps'}", f"outputs={root / 'outputs'}",
              f"reports={root / 'reports'}"]  # fmt: skip
    for name, words in {"plan": [], "plan again": [], "status": ["action=status"]}.items():
        seconds, peak, last = timed(["repro.sweep", *shared, *words])
        print(f"{name:12} {seconds:7.1f} s {peak:7.0f} MiB  {last}", flush=True)


if __name__ == "__main__":
    main()
