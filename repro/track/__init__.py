"""MLflow as a mirror of the journals of runs."""

from repro.track.fetch import fetch_records
from repro.track.interfaces import Tracker, TrackingError
from repro.track.live import MLflowTracker
from repro.track.mirror import MLflowMirror
from repro.track.snapshot import Snapshot, take_snapshot
from repro.track.tracker import NullTracker, make_tracker, tracking_uri

__all__ = [
    "MLflowMirror",
    "MLflowTracker",
    "NullTracker",
    "Snapshot",
    "Tracker",
    "TrackingError",
    "fetch_records",
    "make_tracker",
    "take_snapshot",
    "tracking_uri",
]
