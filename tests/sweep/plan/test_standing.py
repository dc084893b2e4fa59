import pytest

from repro.store.journal import Journal
from repro.store.run_folder import RunFolder
from repro.store.status import STEPS, RunState
from repro.sweep.plan.standing import Standing, standing


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path, "0" * 16)


@pytest.fixture
def clock(monkeypatch):
    """Every line of a journal comes two seconds after the one before."""
    ticks = iter(range(0, 10**13, 2 * 10**9))
    monkeypatch.setattr("repro.store.journal.time.time_ns", lambda: next(ticks))


def test_step_loss_speed_and_time_left_are_those_of_the_newest_points(folder, clock):
    folder.write_status(RunState.RUNNING, message="training", **{STEPS: 1200})
    with Journal(folder.journal_path) as journal:
        journal.event("started")
        assert standing(folder, folder.read_status()) is None
        for step in (100, 110, 120):
            journal.point(step, loss=1 / step, images_per_second=31.25)
        journal.point(120, validation_miou_percent=3.0)
    found = standing(folder, folder.read_status())
    assert found == Standing(120, 1200, 1 / 120, 31.25, (1200 - 120) * 4 / 20)
    assert str(found) == "step 120 of 1,200, loss 0.008, 31.2 images/s, about 4 min left"


def test_no_pace_is_taken_across_a_start(folder, clock):
    with Journal(folder.journal_path) as journal:
        journal.point(100, loss=1.0)
        journal.event("started")
        journal.event("resumed", step=90)
        assert str(standing(folder, None)) == "step 90"
        journal.point(91, loss=2.0)
    folder.write_status(RunState.RUNNING, **{STEPS: 100})
    assert standing(folder, folder.read_status()) == Standing(91, 100, 2.0)


def test_an_end_is_not_zero_seconds_away():
    assert str(Standing(100, 100, 0.5, None, 0.0)) == "step 100 of 100, loss 0.500"
