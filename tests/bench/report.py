"""What a report costs: `python -m tests.bench.report [--runs 100 1000 10000]`, each size in a process of its own.

Records of the papers' own cells at the smoke scale, under as many seeds as it takes, in run folders on disk. Collecting
reads and checks every record; the tables are all tables of all papers at two scales, rendered in three formats.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import count, islice, pairwise
from pathlib import Path

from repro.experiments.measurement import Kind
from repro.experiments.measurements import Measurements
from repro.papers import Library, load_papers
from repro.report.collect import collect
from repro.report.report import build
from repro.report.request import chosen_scales, read_request
from repro.store.outputs import Outputs
from repro.store.reports import write
from tests.report.made_runs import record_of

SCALE = "smoke"


def main() -> None:
    """Prints one line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only is not None:
        measure(given.only)
        return
    print("  records   collect     build     write   total s  peak MiB", flush=True)
    for runs in given.runs:
        subprocess.run([sys.executable, "-m", "tests.bench.report", "--only", str(runs)], check=True)


def measure(runs: int) -> None:
    """Times one size. Composing the cells' configurations is a part of building that no record makes longer."""
    folder = Path(tempfile.mkdtemp(prefix="repro-bench-"))
    try:
        library = load_papers()
        make_records(folder / "outputs", library, runs)
        request = read_request([f"outputs={folder / 'outputs'}", f"reports={folder / 'reports'}"])
        times = [time.perf_counter()]
        collected = collect(request.selection.outputs, request.selection.reports)
        times.append(time.perf_counter())
        assert len(collected.evaluations) == runs
        assert not collected.problems
        scales = chosen_scales(request.selection, library, {SCALE})
        tables = list(library.tables.values())
        report = build(request, library, tables, scales, collected)
        times.append(time.perf_counter())
        write(request.selection.reports, report.files)
        times.append(time.perf_counter())
        took = [after - before for before, after in pairwise(times)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures = "".join(f"{seconds:10.2f}" for seconds in (*took, sum(took)))
        print(f"{runs:9,}{figures} {peak:9.0f}", flush=True)
    finally:
        shutil.rmtree(folder)


def make_records(outputs: Path, library: Library, runs: int) -> None:
    """Records of distinct evaluations: every runnable cell under seed 0, then under seed 1, and so on."""
    found = Measurements(library, list(library.tables.values()), library.scale(SCALE))
    cells = {item.evaluation_id(0): item for item in found.values() if item.kind is Kind.RUN}
    wanted = ((item, seed) for seed in count() for item in cells.values())
    for number, (item, seed) in enumerate(islice(wanted, runs)):
        record = record_of(item, seed, 60 + number % 17)
        path = Outputs(outputs).run(record.run_id).record_path(record.evaluation_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record.to_json())


if __name__ == "__main__":
    main()
