import io

from repro.store.journal import Journal
from repro.sweep.clusters.jobs import FrozenJob
from repro.sweep.clusters.progress import Active, Board
from tests.tiny_runs import tiniest

RUN = "00000000000000aa"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_job_tells_where_it_stands(tmp_path):
    active = Active(FrozenJob(RUN, "row, seed 0", [tiniest(tmp_path)]))
    assert active.line() == "row, seed 0: starting, 0 s"
    active.job.run.path.mkdir(parents=True)
    with Journal(active.job.run.journal_path) as journal:
        journal.point(4, loss=0.5)
    assert active.line() == "row, seed 0: step 4/6, 0 s"
    active.job.run.weights_path.touch()
    assert active.line() == "row, seed 0: evaluating, 0 s"


def test_a_job_whose_length_nobody_knows_tells_its_step_alone(tmp_path):
    configuration = tiniest(tmp_path, "schedule.length=2 epochs", "dataset.train_split=dev")
    active = Active(FrozenJob(RUN, "row", [configuration]))
    active.job.run.path.mkdir(parents=True)
    with Journal(active.job.run.journal_path) as journal:
        journal.point(4, loss=0.5)
    assert active.line() == "row: step 4, 0 s"


def test_the_newest_step_is_told_whatever_comes_after_it_in_the_journal(tmp_path):
    active = Active(FrozenJob(RUN, "row", [tiniest(tmp_path)]))
    active.job.run.path.mkdir(parents=True)
    with Journal(active.job.run.journal_path) as journal:
        journal.event("started", commit="c0ffee")
        assert active.line() == "row: starting, 0 s"
        for step in range(1, 2000):
            journal.point(step, loss=0.5)
    with active.job.run.journal_path.open("a") as stream:
        stream.write('{"time": 1, "event": "evaluated"}\n[1]\n{"time": 1, "st')
    assert active.line() == "row: step 1999/6, 0 s"


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
