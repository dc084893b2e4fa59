import io
import json

from repro.config.compose import compose
from repro.store.journal import Journal
from repro.store.run_folder import RunFolder
from repro.sweep.clusters.jobs import FrozenJob
from repro.sweep.clusters.progress import Active, Board
from repro.sweep.plan.observe import newest_step
from tests.tiny import TINY

RUN = "00000000000000aa"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_newest_step_is_read_from_the_end_of_the_journal(tmp_path):
    folder = RunFolder(tmp_path, RUN)
    assert newest_step(folder) is None
    folder.path.mkdir()
    with Journal(folder.journal_path) as journal:
        journal.event("started", commit="c0ffee")
        assert newest_step(folder) is None
        for step in range(1, 2000):
            journal.point(step, loss=0.5)
    with folder.journal_path.open("a") as stream:
        stream.write(json.dumps({"time": 1, "event": "evaluated"}) + '\n[1]\n{"time": 1, "st')
    assert newest_step(folder) == 1999


def test_a_job_tells_where_it_stands(tmp_path):
    active = Active(FrozenJob(RUN, "row, seed 0", [compose([*TINY, f"outputs={tmp_path}"])]))
    assert active.line() == "row, seed 0: starting, 0 s"
    active.folder.path.mkdir(parents=True)
    with Journal(active.folder.journal_path) as journal:
        journal.point(4, loss=0.5)
    assert active.line() == "row, seed 0: step 4/6, 0 s"
    (active.folder.path / "weights.pt").touch()
    assert active.line() == "row, seed 0: evaluating, 0 s"


def test_a_job_whose_length_nobody_knows_tells_its_step_alone(tmp_path):
    config = compose([*TINY, f"outputs={tmp_path}", "schedule.length=2 epochs", "dataset.train_split=dev"])
    active = Active(FrozenJob(RUN, "row", [config]))
    active.folder.path.mkdir(parents=True)
    with Journal(active.folder.journal_path) as journal:
        journal.point(4, loss=0.5)
    assert active.line() == "row: step 4, 0 s"


def test_a_terminal_shows_a_block_below_the_lines_that_stay():
    stream = Terminal()
    board = Board(stream)
    board.say("first")
    board.show(["one", "two"])
    board.show(["three"])
    board.say("second")
    assert stream.getvalue() == "first\none\ntwo\n\x1b[2A\x1b[Jthree\n\x1b[1A\x1b[Jsecond\n"


def test_a_file_gets_plain_lines_only():
    stream = io.StringIO()
    board = Board(stream)
    board.show(["one"])
    board.say("first")
    assert stream.getvalue() == "first\n"
