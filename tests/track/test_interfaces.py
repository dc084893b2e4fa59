"""What a run asks of tracking, and that whoever tracks takes exactly that."""

import inspect

import pytest

from repro.errors import ReproError
from repro.track import MLflowTracker, NullTracker, TrackingError
from repro.track.interfaces import Tracker


@pytest.mark.parametrize("kind", [NullTracker, MLflowTracker])
def test_every_tracker_takes_what_a_run_tells_it(kind: type) -> None:
    methods = [name for name in vars(Tracker) if not name.startswith("_")]
    assert methods == ["start", "sync", "finish"]
    for name in methods:
        wanted, found = (inspect.signature(getattr(owner, name)) for owner in (Tracker, kind))
        assert found == wanted


def test_a_store_out_of_reach_is_for_the_user_to_mend() -> None:
    assert issubclass(TrackingError, ReproError)
