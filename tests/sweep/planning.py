"""The plan of a command, without its words."""

from pathlib import Path

from repro.papers import load_papers
from repro.sweep.plan.plan import Plan
from repro.sweep.request import chosen_tables, read_request
from repro.sweep.sweep import Sweep
from tests.one_second_paper import words


def sweep_for(folder: Path, outputs: Path, *more: str) -> Sweep:
    request = read_request(words(folder, outputs, *more))
    library = load_papers(request.sweeps_folders)
    return Sweep(request, library, chosen_tables(request, library))


def plan_for(folder: Path, outputs: Path, *more: str) -> Plan:
    return sweep_for(folder, outputs, *more).plan()


def states_by_row(plan: Plan, seed: int = 0) -> dict[str, str]:
    """Label of a row, and its variant, to its state."""
    return {
        " ".join(filter(None, (item.measurement.address.row, item.variant))): plan.state(item, seed)
        for item in plan.wanted
        if item.needs_training
    }
