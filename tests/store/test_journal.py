import json
import math
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.errors import StoreError
from repro.store.journal import (
    TAIL_BYTES,
    Journal,
    JournalView,
    newest_entries,
    newest_event,
    newest_step,
    read_journal,
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal.jsonl"


def _steps(view: JournalView) -> list[int]:
    return [point.step for point in view.points]


def test_points_and_events_come_back(path: Path) -> None:
    with Journal(path) as journal:
        journal.event("started", names={"head": "vortex"})
        journal.point(1, loss=2.0, learning_rate=0.1)
        journal.point(2, loss=1.0)
    view = read_journal(path)
    assert [(point.step, point.metrics) for point in view.points] == [
        (1, {"loss": 2.0, "learning_rate": 0.1}),
        (2, {"loss": 1.0}),
    ]
    assert [(event.kind, event.fields) for event in view.events] == [("started", {"names": {"head": "vortex"}})]
    assert view.damaged_lines == 0
    assert view.started_ms == view.events[0].time_ms <= view.points[0].time_ms <= view.points[1].time_ms


def test_a_missing_journal_is_empty(path: Path) -> None:
    assert read_journal(path) == JournalView((), (), None, 0, None)


def test_an_unreadable_journal_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"journal\.jsonl cannot be read"):
        read_journal(path)
    with pytest.raises(StoreError, match=r"journal\.jsonl cannot be opened"):
        Journal(path)


def test_a_line_is_there_when_the_call_returns(path: Path) -> None:
    journal = Journal(path)
    for step in range(3):
        journal.point(step, loss=1.0)
        assert _steps(read_journal(path)) == list(range(step + 1))
    journal.close()


def test_numbers_that_json_lacks_survive(path: Path) -> None:
    with Journal(path) as journal:
        journal.point(1, loss=math.nan, high=math.inf, low=-math.inf)
    metrics = read_journal(path).points[0].metrics
    assert math.isnan(metrics["loss"])
    assert (metrics["high"], metrics["low"]) == (math.inf, -math.inf)
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_metrics_of_one_step_are_joined_and_the_last_value_counts(path: Path) -> None:
    with Journal(path) as journal:
        journal.point(5, loss=2.0, rate=0.1)
        journal.point(5, loss=1.0, miou_percent=60.0)
    assert read_journal(path).points[0].metrics == {"loss": 1.0, "rate": 0.1, "miou_percent": 60.0}


def test_a_flipped_bit_costs_its_line_and_never_gives_another_number(path: Path) -> None:
    with Journal(path) as journal:
        journal.point(5, loss=2.0)
        journal.event("weights_taken_over", sha256="abc")
    whole = path.read_bytes()
    good = read_journal(path)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        view = read_journal(path)
        assert all(point in good.points for point in view.points)
        told = [{**event.fields, "sha256": event.fields.get("sha256")} for event in view.events]
        assert all(fields["sha256"] == "abc" for fields in told), view
        assert newest_step(path) in (5, None)


def test_lines_from_before_sums_count(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"time":1,"step":2,"metrics":{"loss":1.0}}\n')
    assert _steps(read_journal(path)) == [2]


def test_a_resume_supersedes_later_points_and_checkpoints(path: Path) -> None:
    with Journal(path) as journal:
        for step in range(1, 8):
            journal.point(step, loss=1.0)
            if step % 3 == 0:
                journal.event("checkpoint", step=step)
        assert read_journal(path).checkpoint_step == 6
        journal.event("resumed", step=3)  # the checkpoint of step 6 was damaged
        view = read_journal(path)
        assert _steps(view) == [1, 2, 3]
        assert view.checkpoint_step == 3
        journal.point(4, loss=9.0)
    view = read_journal(path)
    assert _steps(view) == [1, 2, 3, 4]
    assert view.points[-1].metrics == {"loss": 9.0}
    assert [event.kind for event in view.events] == ["checkpoint", "checkpoint", "resumed"]


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), again=st.integers(1, 3))
def test_a_torn_line_costs_only_itself(tmp_path_factory: pytest.TempPathFactory, cut: int, again: int) -> None:
    """Killed while writing, then started anew: everything before and after the torn line is there."""
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    with Journal(path) as journal:
        for step in range(5):
            journal.point(step, loss=float(step), learning_rate=0.01)
    content = path.read_bytes()[: max(0, path.stat().st_size - cut)]
    path.write_bytes(content)
    whole_before = content.count(b"\n")
    for turn in range(again):
        with Journal(path) as journal:
            journal.point(100 + turn, loss=1.0)
    view = read_journal(path)
    steps = _steps(view)
    assert steps[-again:] == [100 + turn for turn in range(again)]
    assert len(steps) - again in (whole_before, whole_before + 1)  # cut at the newline only, the line is whole
    assert view.damaged_lines <= 1


@pytest.mark.parametrize(
    "line", ["{", "12", "null", '"text"', "[]", "\x00\x00\x00", '{"time":1}', '{"time":"x","step":1,"metrics":{}}',
             '{"time":1,"step":1,"metrics":{"loss":null}}', '{"time":1,"step":1,"metrics":[1]}', "\udcff\udcfe"],
)  # fmt: skip
def test_any_damage_in_the_middle_is_counted_and_left_out(path: Path, line: str) -> None:
    with Journal(path) as journal:
        journal.point(1, loss=1.0)
    with path.open("ab") as stream:
        stream.write(line.encode(errors="surrogateescape") + b"\n")
    with Journal(path) as journal:
        journal.point(2, loss=1.0)
    view = read_journal(path)
    assert _steps(view) == [1, 2]
    assert view.damaged_lines == 1


def test_a_line_being_written_is_not_seen_as_a_point(path: Path) -> None:
    with Journal(path) as journal:
        journal.point(1, loss=1.0)
    with path.open("ab") as stream:
        stream.write(b'{"time":1,"step":2,"metr')
    assert _steps(read_journal(path)) == [1]


def test_threads_and_processes_do_not_mix_their_lines(path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom repro.store.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for turn in range(500): journal.event('other', turn=turn, padding='x' * 200)\n"
    )
    with Journal(path) as journal:
        other = subprocess.Popen([sys.executable, "-c", program, str(path)])

        def write(first: int) -> None:
            for step in range(first, first + 500):
                journal.point(step, loss=1.0)

        threads = [threading.Thread(target=write, args=(first,)) for first in (0, 500)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert other.wait() == 0
    view = read_journal(path)
    assert view.damaged_lines == 0
    assert _steps(view) == list(range(1000))
    assert len(view.events) == 500


def test_misuse_is_refused(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(ValueError, match="not a name for a field"):
        journal.event("x", time=3)
    journal.close()
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.point(1, loss=1.0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence() -> None:
    journal = Journal(Path("/dev/full"))
    with pytest.raises(StoreError, match="No space left"):
        journal.point(1, loss=1.0)
    journal.close()


def test_the_newest_step_is_read_from_the_end_of_a_long_journal(path: Path) -> None:
    assert newest_step(path) is None
    with Journal(path) as journal:
        journal.event("started")
        assert newest_step(path) is None
        for step in range(1000):
            journal.point(step, loss=1.0)
        journal.event("note", text="no step here")
        assert path.stat().st_size > 3 * TAIL_BYTES
        assert newest_step(path) == 999
        journal.event("resumed", step=400)
        assert newest_step(path) == 400


def test_a_line_that_is_just_being_written_has_no_step_yet(path: Path) -> None:
    with Journal(path) as journal:
        journal.point(7, loss=1.0)
    with path.open("ab") as stream:
        stream.write(b'{"time":1,"step":8,"metr')
    assert newest_step(path) == 7


def test_a_tail_without_any_whole_line_has_no_step(path: Path) -> None:
    with Journal(path) as journal:
        journal.point(7, loss=1.0)
        journal.event("note", text="x" * 2 * TAIL_BYTES)
    assert newest_step(path) is None


def test_the_newest_entries_are_whole_lines_of_the_end(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert newest_entries(path) == []
    with Journal(path) as journal:
        for step in range(1, 400):
            journal.point(step, loss=0.5)
        journal.event("checkpoint", step=399)
    found = newest_entries(path)
    assert 10 < len(found) < 399
    assert [item.step for item in found[:-1]] == list(range(400 - len(found) + 1, 400))
    assert found[-1].kind == "checkpoint"


def test_the_newest_event_of_a_kind_is_read_from_the_end(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert newest_event(path, "checkpoint") is None
    with Journal(path) as journal:
        journal.event("checkpoint", step=1, seconds=0.5)
        journal.event("checkpoint", step=2, seconds=0.7)
        journal.point(3, loss=1.0)
    found = newest_event(path, "checkpoint")
    assert found is not None
    assert found.fields == {"step": 2, "seconds": 0.7}
    assert newest_event(path, "evaluated") is None
