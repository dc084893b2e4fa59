"""What it takes to fetch records from MLflow: all of them, and once more when all are known.

`python -m tests.bench.fetch [--runs 100 1000]`: runs of a few points each in a fresh sqlite store.
"""

import argparse
import tempfile
import time
from pathlib import Path

from repro.store.outputs import Outputs
from repro.track import MLflowMirror, fetch_records, take_snapshot
from tests.example_runs import example_run


def main() -> None:
    """Prints one line per number of runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1000])
    print("   runs  fetch all s  all known s")
    for count in parser.parse_args().runs:
        with tempfile.TemporaryDirectory() as folder:
            outputs = Path(folder)
            uri = f"sqlite:///{outputs / 'mlflow.db'}"
            mirror = MLflowMirror(uri, "repro", Outputs(outputs))
            mirror.open()
            for number in range(count):
                mirror.bring_level(take_snapshot(example_run(outputs / "runs", f"{number:016x}")))
            start = time.perf_counter()
            records, problems = fetch_records(uri, ())
            everything = time.perf_counter() - start
            assert not problems
            start = time.perf_counter()
            fetch_records(uri, {record.evaluation_id for record in records})
            print(f"{len(records):7} {everything:12.1f} {time.perf_counter() - start:12.1f}", flush=True)


if __name__ == "__main__":
    main()
