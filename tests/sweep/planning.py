"""The plan of a command, without its words."""

from pathlib import Path

from repro.store.outputs import Outputs
from repro.sweep.plan.job import JobState
from repro.sweep.plan.plan import Plan
from repro.sweep.request import read_request
from repro.sweep.sweep import Sweep
from tests.one_second_paper import words


def sweep_for(folder: Path, outputs: Path, *more: str) -> Sweep:
    request = read_request(words(folder, outputs, *more))
    library = request.selection.library()
    return Sweep(request, library, request.tables_of(library))


def plan_for(folder: Path, outputs: Path, *more: str) -> Plan:
    return sweep_for(folder, outputs, *more).plan()


def states_by_row(plan: Plan, seed: int = 0) -> dict[str, JobState]:
    """Label of a row, and its reading, to its state."""
    return {
        " ".join(filter(None, (item.measurement.address.row, item.reading))): plan.state(item, seed)
        for item in plan.wanted
        if item.needs_training
    }


def weights_times(outputs: Path) -> dict[str, int]:
    """Run id to when its weights were written, for the runs that have any."""
    return {run.run_id: run.weights_path.stat().st_mtime_ns for run in Outputs(outputs).runs() if run.has_weights}
