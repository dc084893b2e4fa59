"""The journal of a run, and its mirror in MLflow."""

from repro.store.journal import Event, Journal, JournalView, Point, read_journal
from repro.track.fetch import fetch_records
from repro.track.interfaces import RunFiles, Tracker, TrackingError
from repro.track.live import MLflowTracker
from repro.track.mirror import MLflowMirror
from repro.track.snapshot import Snapshot, take_snapshot
from repro.track.tracker import NullTracker, make_tracker, tracking_uri

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
