"""The journal of a run, and its mirror in MLflow."""

from repro.tracking.fetch import fetch_records
from repro.tracking.interfaces import RunFiles, Tracker, TrackingError
from repro.tracking.journal import Event, Journal, JournalView, Point, read_journal
from repro.tracking.live import MLflowTracker
from repro.tracking.mlflow_tracker import MLflowMirror
from repro.tracking.snapshot import Snapshot, take_snapshot
from repro.tracking.tracker import NullTracker, make_tracker, tracking_uri

__all__ = [
    "Event",
    "Journal",
    "JournalView",
    "MLflowMirror",
    "MLflowTracker",
    "NullTracker",
    "Point",
    "RunFiles",
    "Snapshot",
    "Tracker",
    "TrackingError",
    "fetch_records",
    "make_tracker",
    "read_journal",
    "take_snapshot",
    "tracking_uri",
]
