"""What tracking costs: `python -m tests.bench.tracking [--rounds N]`.

100 steps of 5 metrics, as the training loop pays for them: our journal against MLflow's own client on the same
database; then what the thread beside training pays to bring MLflow level.
"""

import argparse
import shutil
import tempfile
import time
from itertools import count
from pathlib import Path

from repro.store.journal import Journal
from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.track import MLflowMirror, take_snapshot
from tests.bench.timing import interleaved
from tests.example_runs import example_run, write_points

METRICS = {"loss": 0.5, "learning_rate": 0.01, "images_per_second": 30.0, "auxiliary_loss": 0.1, "grad_norm": 2.0}


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    outputs = Path(tempfile.mkdtemp(prefix="repro-bench-"))
    try:
        compare(outputs, rounds)
        print()
        sync(outputs, rounds)
    finally:
        shutil.rmtree(outputs)


def compare(outputs: Path, rounds: int) -> None:
    """100 steps of 5 metrics."""
    mirror = MLflowMirror(f"sqlite:///{outputs / 'mlflow.db'}", "repro", Outputs(outputs))
    mirror.open()
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=mirror.uri)
    experiment = client.get_experiment_by_name("repro")
    assert experiment is not None
    run_id = client.create_run(experiment.experiment_id).info.run_id
    journal = Journal(outputs / "journal.jsonl")
    steps = count()

    def by_mlflow() -> None:
        for step in (next(steps) for _ in range(100)):
            moment = time.time_ns() // 1_000_000
            metrics = [mlflow.entities.Metric(key, value, moment, step) for key, value in METRICS.items()]
            client.log_batch(run_id, metrics=metrics)

    def by_journal() -> None:
        for step in (next(steps) for _ in range(100)):
            journal.point(step, **METRICS)

    interleaved({"MlflowClient.log_batch, 100 steps": by_mlflow, "Journal.point, 100 steps": by_journal}, rounds)


def sync(outputs: Path, rounds: int) -> None:
    """1000 points into MLflow, the look at a run that is level, and the reading of a long journal."""
    names = (f"{index:016x}" for index in count())
    fresh = [example_run(outputs / "runs", next(names), steps=500) for _ in range(rounds + 1)]
    mirror = MLflowMirror(f"sqlite:///{outputs / 'mlflow.db'}", "repro", Outputs(outputs))
    level = example_run(outputs / "runs", next(names), steps=500)
    mirror.bring_level(take_snapshot(level))
    long = example_run(outputs / "runs", next(names), steps=0, checkpoint=0, state=RunState.RUNNING)
    with Journal(long.journal_path) as journal:
        write_points(journal, 1, 30_000)
    interleaved(
        {
            "a new run with 1000 points": lambda: mirror.bring_level(take_snapshot(fresh.pop())),
            "a run that is level": lambda: mirror.bring_level(take_snapshot(level)),
            "read 30,000 steps x 2 metrics": lambda: take_snapshot(long, upto_step=30_000),
        },
        rounds,
    )


if __name__ == "__main__":
    main()
