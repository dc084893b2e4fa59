"""All evaluations that are known: run folders, a tracking server if asked, and what runs.csv remembers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from repro.errors import StoreError
from repro.store.outputs import Outputs
from repro.store.reports import RUNS_CSV
from repro.store.run_folder import RunFolder
from repro.store.runs_csv import Recorded, read_runs, recorded, runs_csv
from repro.track import TrackingError, fetch_records


@dataclass
class Local:
    """What run folders hold.

    Attributes:
        evaluations: by their ids.
        damaged: ids of evaluations whose record cannot be read.
        problems: why not, one sentence each.
    """

    evaluations: dict[str, Recorded] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Collected:
    """Every known evaluation.

    Attributes:
        evaluations: by their ids.
        text: of runs.csv as it should be; None if it holds wrong lines and is to be left alone.
        problems: what could not be read, one sentence each.
    """

    evaluations: dict[str, Recorded]
    text: str | None
    problems: tuple[str, ...]


def collect(outputs: Outputs, reports: Path, *, server: str | None = None, prune: bool = False) -> Collected:
    """The union of what is known; of the same evaluation, the run folder's record counts.

    Args:
        outputs: where the runs are.
        reports: folder with runs.csv.
        server: address of a tracking store whose records are fetched if they are not here.
        prune: leave out of runs.csv what neither run folders nor the server hold.
    """
    path = reports / RUNS_CSV
    remembered, wrong = read_runs(path)
    local = read_local(outputs)
    problems = [*wrong, *local.problems]
    old = {line.evaluation_id: line for line in remembered}
    held = dict(local.evaluations)
    if server is not None:
        known = held.keys() if prune else held.keys() | old.keys()
        try:
            fetched, trouble = fetch_records(server, known)
            held |= {record.evaluation_id: recorded(record) for record in fetched}
            problems += trouble
        except TrackingError as error:
            problems.append(str(error))
            prune = False  # what a server out of reach holds is not known
    everything = united(held, old, keep=local.damaged if prune else old.keys())
    text = runs_csv(everything.values()) if prune or not wrong else None
    return Collected(everything, text, tuple(problems))


def remembered(reports: Path) -> Collected:
    """What runs.csv alone gives; its text is None if it is missing or holds wrong lines."""
    path = reports / RUNS_CSV
    lines, problems = read_runs(path)
    text = None if problems else runs_csv(lines)
    return Collected({line.evaluation_id: line for line in lines}, text, tuple(problems))


def united(held: Mapping[str, Recorded], old: Mapping[str, Recorded], keep: Collection[str]) -> dict[str, Recorded]:
    """Evaluations that are held now, and those old ones that are to be kept."""
    return {key: line for key, line in old.items() if key in keep} | dict(held)


def read_local(outputs: Outputs) -> Local:
    """The records of all run folders; a damaged one is named and does not keep the others out."""
    local = Local()
    folders = list(outputs.runs())
    for folder in tqdm(folders, desc="records", unit="run", disable=None, leave=False):
        for evaluation_id in folder.evaluation_ids():
            _read_one(folder, evaluation_id, local)
    return local


def _read_one(folder: RunFolder, evaluation_id: str, local: Local) -> None:
    try:
        local.evaluations[evaluation_id] = recorded(folder.read_record(evaluation_id))
    except StoreError as error:
        local.damaged.add(evaluation_id)
        local.problems.append(str(error))
