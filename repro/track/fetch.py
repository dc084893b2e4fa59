"""Records out of MLflow: those that other machines have brought in and this one does not have."""

import os
import sqlite3
import tempfile
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import StoreError, first_line
from repro.store.record import Record
from repro.store.run_folder import RunFolder
from repro.track.door import load_mlflow
from repro.track.interfaces import TrackingError
from repro.track.mirror import RUN_ID_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

RUNS_PER_PAGE = 500


def fetch_records(uri: str, known: Collection[str]) -> tuple[list[Record], list[str]]:
    """The records of all runs in a tracking store but those of known evaluations.

    Args:
        uri: database or server in full, as from `tracking_uri`.
        known: evaluation ids whose records need not be fetched.

    Returns:
        The records in the order of run and evaluation, and a sentence for each that could not be had.

    Raises:
        TrackingError: the store is out of reach.
    """
    if uri.startswith("sqlite:///"):
        _check_database(Path(uri.removeprefix("sqlite:///")))
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one for each of thousands of small files
    load_mlflow(uri)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from tqdm import tqdm

    records: dict[tuple[str, str], Record] = {}
    problems = []
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        runs = list(_runs(client))
    except (MlflowException, OSError) as error:
        raise TrackingError(f"MLflow at {uri} cannot be read ({first_line(error)[:300]})") from error
    with tempfile.TemporaryDirectory(prefix="repro-fetch-") as folder:
        for run in tqdm(runs, desc="fetch", unit="run", disable=None, leave=False):
            run_id = run.data.tags[RUN_ID_TAG]
            try:
                for name in _wanted(client, run, known):
                    record = _fetch(client, run, name, Path(folder), uri)
                    records[record.run_id, record.evaluation_id] = record
            except (MlflowException, OSError, StoreError) as error:
                problems.append(f"the records of run {run_id} at {uri} cannot be fetched: {first_line(error)[:300]}")
    return [records[key] for key in sorted(records)], problems


def _check_database(database: Path) -> None:
    """MLflow would make a database that is not there, and wait minutes for one that is none."""
    if not database.is_file():
        raise TrackingError(f"there is no tracking database {database}; give its address as uri=sqlite:///<path>")
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT 1 FROM runs LIMIT 1").fetchall()
    except sqlite3.Error as error:
        raise TrackingError(f"{database} is no tracking database: {error}") from error


def _runs(client: "MlflowClient") -> Iterator["Run"]:
    """Every run of ours in any experiment, page by page."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    token = None
    while experiments:
        page = client.search_runs(
            experiments, f"tags.`{RUN_ID_TAG}` LIKE '%'", max_results=RUNS_PER_PAGE, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def _wanted(client: "MlflowClient", run: "Run", known: Collection[str]) -> list[str]:
    """Names of the artifacts that are records of unknown evaluations; only the list is read for that."""
    files = (Path(item.path) for item in client.list_artifacts(run.info.run_id, RunFolder.EVALUATIONS))
    return sorted(file.name for file in files if file.suffix == ".json" and file.stem not in known)


def _fetch(client: "MlflowClient", run: "Run", name: str, folder: Path, uri: str) -> Record:
    place = folder / run.info.run_id
    place.mkdir(exist_ok=True)
    file = Path(client.download_artifacts(run.info.run_id, f"{RunFolder.EVALUATIONS}/{name}", str(place)))
    source = f"{uri}, run {run.info.run_id}, {RunFolder.EVALUATIONS}/{name}"
    record = Record.from_json(file.read_bytes(), source)
    if (record.run_id, f"{record.evaluation_id}.json") != (run.data.tags[RUN_ID_TAG], name):
        raise StoreError(f"{source} holds the record of evaluation {record.evaluation_id} of run {record.run_id}")
    return record
