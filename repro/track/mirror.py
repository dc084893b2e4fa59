"""The one door to MLflow: brings one MLflow run level with a snapshot, as often as asked, without duplicates."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from repro.store.outputs import Outputs
from repro.store.status import RunState
from repro.track.door import batches, load_mlflow
from repro.track.interfaces import TrackingError
from repro.track.snapshot import MetricPoint, Snapshot, clean_key
from repro.track.sqlite import prepare_sqlite

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Item = TypeVar("Item")
Result = TypeVar("Result")

ENTRIES_PER_BATCH = 100  # likewise, of parameters or tags
RUN_ID_TAG = "repro.run_id"
POINTS_PER_BATCH = 1000  # what MLflow takes in one request
LEVEL_TAG = "repro.level"
ARTIFACTS_TAG = "repro.artifacts"
_PASSING_TAGS = {"repro.message", "repro.non_finite_metrics", "repro.images"}  # of what a later start may mend
_STATUS = {
    RunState.CREATED: "SCHEDULED",
    RunState.RUNNING: "RUNNING",
    RunState.FINISHED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.INTERRUPTED: "KILLED",
}
"""State of a run to what MLflow calls it."""


@dataclass
class _Shown:
    """What is known to be in MLflow about one run; thrown away after any failure and read back."""

    mlflow_id: str
    status: str
    params: set[str]
    tags: dict[str, str]
    steps: set[tuple[str, int]] = field(default_factory=set)


class MLflowMirror:
    """One MLflow experiment.

    A point is known by its metric and step. After a start or a failure the points already there are read back, so
    that sending again adds nothing, whatever the last attempt achieved before it broke off.

    Differs from the journal in one case: where a damaged checkpoint made a run repeat steps that were shown already,
    MLflow keeps the first values, since it deletes no points.

    Args:
        uri: database or server in full, as from `tracking_uri`.
        experiment: name of the experiment; made if it does not exist.
        outputs: where the artifacts of a database lie.
        patience_seconds: longest wait for a locked sqlite database.
    """

    def __init__(self, uri: str, experiment: str, outputs: Outputs, *, patience_seconds: float = 2.0) -> None:
        self.uri = uri
        self.experiment = experiment
        self._artifacts_root = outputs.artifacts_path.absolute()
        self._patience_seconds = patience_seconds
        self._client: MlflowClient | None = None
        self._experiment_id = ""
        self._shown: tuple[str, _Shown] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Makes a `bring_level` under way in another thread stop before its next write, and every later one."""
        self._cancelled = True

    def load(self) -> None:
        """Imports MLflow, quietly and with short time-outs.

        Raises:
            TrackingError: it is not installed.
        """
        load_mlflow(self.uri)

    def open(self) -> None:
        """Reaches the store and makes the experiment if needed.

        Raises:
            TrackingError: in one sentence, why that is impossible now.
        """
        with self._one_sentence():
            self._connect()

    def bring_level(self, snapshot: Snapshot) -> bool:
        """Makes MLflow show the snapshot; True if anything was missing.

        Raises:
            TrackingError: in one sentence, why that is impossible now; calling again later completes it.
        """
        try:
            with self._one_sentence():
                return self._bring_level(self._connect(), snapshot)
        except BaseException:
            self._shown = None
            raise

    def _bring_level(self, client: "MlflowClient", snapshot: Snapshot) -> bool:
        shown = self._find_or_create(client, snapshot)
        level = snapshot.fingerprint
        if shown.tags.get(LEVEL_TAG) == level and shown.status == _STATUS[snapshot.state]:
            return False
        running = snapshot.ended_ms is None
        if running and shown.status != _STATUS[snapshot.state]:
            self._write(client.update_run, shown.mlflow_id, status=_STATUS[snapshot.state])
            shown.status = _STATUS[snapshot.state]
        self._send_params(client, shown, snapshot.params)
        self._send_points(client, shown, snapshot.points)
        if not running:
            self._send_artifacts(client, shown, snapshot)
            self._write(client.set_terminated, shown.mlflow_id, _STATUS[snapshot.state], snapshot.ended_ms)
            shown.status = _STATUS[snapshot.state]
        tags = snapshot.tags | {"mlflow.runName": snapshot.name}
        for passed in _PASSING_TAGS & shown.tags.keys() - tags.keys():
            self._write(client.delete_tag, shown.mlflow_id, passed)
            del shown.tags[passed]
        self._send_tags(client, shown, tags if snapshot.state is RunState.RUNNING else tags | {LEVEL_TAG: level})
        return True

    def _find_or_create(self, client: "MlflowClient", snapshot: Snapshot) -> _Shown:
        if self._shown is not None and self._shown[0] == snapshot.run_id:
            return self._shown[1]
        run = self._find(client, snapshot.run_id)
        if run is None:
            started = snapshot.started_ms or time.time_ns() // 1_000_000
            tags = {RUN_ID_TAG: snapshot.run_id}
            run = self._write(client.create_run, self._experiment_id, started, tags, snapshot.name)
        shown = _Shown(run.info.run_id, run.info.status, set(run.data.params), dict(run.data.tags))
        for key in run.data.metrics:
            shown.steps.update((key, metric.step) for metric in client.get_metric_history(shown.mlflow_id, key))
        self._shown = (snapshot.run_id, shown)
        return shown

    def _find(self, client: "MlflowClient", run_id: str) -> "Run | None":
        """The run with our tag: the oldest, if a lost answer once made us create it twice."""
        wanted = f"tags.`{RUN_ID_TAG}` = '{run_id}'"
        found = list(client.search_runs([self._experiment_id], wanted, order_by=["attributes.start_time ASC"]))
        found.sort(key=lambda run: (not run.data.metrics, run.info.start_time, run.info.run_id))
        for twin in found[1:]:
            if not twin.data.metrics:
                self._write(client.delete_run, twin.info.run_id)
        return found[0] if found else None

    def _send_params(self, client: "MlflowClient", shown: _Shown, params: dict[str, str]) -> None:
        from mlflow.entities import Param

        missing = [Param(key, value) for key, value in params.items() if key not in shown.params]
        for batch in batches(missing, ENTRIES_PER_BATCH):
            self._write(client.log_batch, shown.mlflow_id, params=batch)
            shown.params.update(param.key for param in batch)

    def _send_points(self, client: "MlflowClient", shown: _Shown, points: Sequence[MetricPoint]) -> None:
        from mlflow.entities import Metric

        missing = [point for point in points if (point.key, point.step) not in shown.steps]
        for batch in batches(missing, POINTS_PER_BATCH):
            metrics = [Metric(point.key, point.value, point.time_ms, point.step) for point in batch]
            self._write(client.log_batch, shown.mlflow_id, metrics=metrics)
            shown.steps.update((point.key, point.step) for point in batch)

    def _send_tags(self, client: "MlflowClient", shown: _Shown, tags: dict[str, str]) -> None:
        from mlflow.entities import RunTag

        changed = [RunTag(key, value) for key, value in tags.items() if shown.tags.get(key) != value]
        for batch in batches(changed, ENTRIES_PER_BATCH):
            self._write(client.log_batch, shown.mlflow_id, tags=batch)
            shown.tags.update({tag.key: tag.value for tag in batch})

    def _send_artifacts(self, client: "MlflowClient", shown: _Shown, snapshot: Snapshot) -> None:
        fingerprint = snapshot.artifact_fingerprint
        if shown.tags.get(ARTIFACTS_TAG) == fingerprint:
            return
        for path, place in snapshot.artifacts:
            self._write(client.log_artifact, shown.mlflow_id, str(path), place or None)
        self._send_tags(client, shown, {ARTIFACTS_TAG: fingerprint})

    def _write(self, method: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
        if self._cancelled:
            raise TrackingError(f"MLflow at {self.uri} took too long and was given up")
        return method(*arguments, **named)

    def _connect(self) -> "MlflowClient":
        self.load()
        if self.uri.startswith("sqlite:///"):
            prepare_sqlite(Path(self.uri.removeprefix("sqlite:///")), self._artifacts_root, self._patience_seconds)
        if self._client is None:
            from mlflow import MlflowClient

            client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            self._experiment_id = self._find_experiment(client)
            self._client = client
        return self._client

    def _find_experiment(self, client: "MlflowClient") -> str:
        from mlflow.exceptions import MlflowException

        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is None:
            # A server chooses its own place for artifacts; MLflow's choice for a database would be the working folder.
            place = (
                None if self.uri.startswith("http") else (self._artifacts_root / clean_key(self.experiment)).as_uri()
            )
            try:
                return str(client.create_experiment(self.experiment, artifact_location=place))
            except MlflowException:
                experiment = client.get_experiment_by_name(self.experiment)  # Another run may have been quicker.
                if experiment is None:
                    raise
        if experiment.lifecycle_stage != "active":
            raise TrackingError(
                f"the MLflow experiment {self.experiment!r} has been deleted; restore it, or choose another by "
                "tracking.experiment=<name>"
            )
        return str(experiment.experiment_id)

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        try:
            yield
        except TrackingError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise TrackingError(f"MLflow at {self.uri} cannot be used now ({reason[:300]})") from error
