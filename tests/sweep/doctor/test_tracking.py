"""Where what jobs track goes, in a sentence."""

from pathlib import Path

from repro.config.settings import TrackingKind, TrackingSettings
from repro.store.outputs import Outputs
from repro.sweep.doctor import tracking as subject
from tests.sweep.doctor.recorded import told

OUTPUTS = Outputs(Path("/somewhere"))


def of(uri: str | None, kind: TrackingKind = TrackingKind.mlflow, *, on_cluster: bool = True) -> str:
    settings = TrackingSettings(kind=kind, uri=uri, experiment="repro")
    return told(subject.tracking(settings, OUTPUTS, on_cluster=on_cluster))["tracking"]


def test_a_server(monkeypatch):
    monkeypatch.setattr(subject, "unreachable", lambda _: None)
    assert of("http://tracker:5000").startswith("fine http://tracker:5000 answers here; whether it does on the nodes")
    monkeypatch.setattr(subject, "unreachable", lambda _: "no route to host")
    assert of("http://tracker:5000").startswith(
        "mind http://tracker:5000 does not answer here (no route to host); jobs keep"
    )


def test_a_database_in_a_file_is_filled_afterwards():
    assert of(None).startswith("fine jobs leave sqlite:////somewhere/mlflow.db alone")
    assert of(None, on_cluster=False) == "fine goes to sqlite:////somewhere/mlflow.db"


def test_none_and_nonsense():
    assert of(None, TrackingKind.none).startswith("fine is switched off (tracking=none)")
    assert of("ftp://x").startswith("BLOCKS tracking.uri=ftp://x has the scheme 'ftp'")
