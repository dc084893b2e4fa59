"""Every file of a run folder under every fault: what is lost, what is said, and that the next run goes on.

`python -m tests.flows.test_files_that_lie` prints the table.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from repro.run.command import main as a_run
from repro.store.files import remove
from tests.faults import FILLER, IS_ROOT, NOBODY, as_nobody, flipped, full_at, killed_at, read_only, small_disk
from tests.forked import Forked
from tests.places import REPOSITORY
from tests.tiny import TINIEST
from tests.tiny_runs import final_weights, folder_of, same_weights, tiniest

pytestmark = pytest.mark.slow
RUN = ["schedule.length=8 steps", "validation.every=2 steps", "selection=best", "runtime.checkpoint_seconds=0"]
FLIP = "evaluation.flip=true"
DENIED = "Permission denied" + r", since .* is of root and this is nobody; ask for access" * IS_ROOT
FULL = "No space left on device; make room"
WRITTEN = {
    "lock": "lock", "journal": "journal.jsonl", "log": "run.log", "config": "config.yaml", "status": "status.json",
    "checkpoint": "step_*.pt", "best weights": "best_*.pt", "weights": "weights.pt", "panels": "panels.png",
    "matrix": "*.npz", "record": "????????????????.json",
}  # fmt: skip
"""What a run writes, in the order in which it is first written, with the pattern of the file's name."""


@dataclass(frozen=True)
class Outcome:
    """What comes of a fault.

    Attributes:
        lost: in words.
        said: a pattern of what is printed; empty where there is nothing to say.
        code: the exit code of the command that meets the fault; the next one, without the fault, ends well.
    """

    lost: str
    said: str = ""
    code: int = 0


REFUSED = Outcome("nothing", DENIED, 2)
NOTHING = Outcome("nothing")

IN_BOTH = {  # whether the run is finished or not
    "lock": {"torn": NOTHING, "flipped": NOTHING, "closed": REFUSED, "not ours": REFUSED},
    "journal": {
        "torn": Outcome("the lines that are gone"),
        "flipped": Outcome("one line, or a figure in it"),
        "closed": REFUSED,
        "not ours": REFUSED,
    },
    "log": {
        "torn": Outcome("the lines that are gone"),
        "flipped": Outcome("a letter"),
        "closed": REFUSED,
        "not ours": REFUSED,
    },
    "config": {
        "torn": Outcome("the number of threads, if not given", r"config\.yaml is damaged.*set aside"),
        "flipped": Outcome("the number of threads, if not given", r"config\.yaml is damaged.*set aside"),
        "closed": REFUSED,
        "not ours": NOTHING,
    },
    "status": {
        "torn": Outcome("times of earlier states"),
        "flipped": Outcome("times of earlier states"),
        "closed": REFUSED,
        "not ours": NOTHING,
    },
}
AT_REST = {
    **{(state, file): faults for state in ("unfinished", "finished") for file, faults in IN_BOTH.items()},
    ("unfinished", "checkpoint"): {
        "torn": Outcome("one interval of training", r"step_\d+\.pt is damaged.*set aside"),
        "flipped": Outcome("one interval of training", r"step_\d+\.pt is damaged.*set aside"),
        "closed": REFUSED, "not ours": NOTHING,
    },
    ("unfinished", "best weights"): {
        "torn": Outcome("the training since the best before", r"best_\d+\.pt is damaged.*set aside"),
        "flipped": Outcome("the training since the best before", r"best_\d+\.pt is damaged.*set aside"),
        "closed": REFUSED, "not ours": NOTHING,
    },
    ("finished", "weights"): {
        "torn": Outcome("the training, which is done anew", r"weights\.pt is damaged.*set aside"),
        "flipped": Outcome("the training, which is done anew", r"weights\.pt is damaged.*set aside"),
        "closed": REFUSED, "not ours": NOTHING,
    },
    ("finished", "record"): {
        "torn": Outcome("one evaluation, which is done anew", r"\.json is damaged.*set aside"),
        "flipped": Outcome("one evaluation, which is done anew", r"\.json is damaged.*set aside"),
        "closed": REFUSED, "not ours": NOTHING,
    },
    ("finished", "matrix"): {
        "torn": Outcome("one evaluation, which is done anew", r"\.npz is damaged.*set aside"),
        "flipped": Outcome("one evaluation, which is done anew", r"\.npz is .*set aside"),
        "closed": REFUSED, "not ours": NOTHING,
    },
    ("finished", "panels"): {
        "torn": Outcome("the picture, which nobody reads"), "flipped": Outcome("the picture, which nobody reads"),
        "closed": NOTHING, "not ours": NOTHING,
    },
}  # fmt: skip
"""State of a run and file in it -> fault -> what comes of it. A finished run is asked for one more evaluation."""

CASES = [(state, file, fault) for (state, file), row in AT_REST.items() for fault in row]


@pytest.fixture(scope="module")
def place():
    """A folder that every user may enter, with a small disk in it."""
    with tempfile.TemporaryDirectory(prefix="repro-faults-") as folder:
        os.chmod(folder, 0o755)
        with small_disk(Path(folder) / "disk"):
            yield Path(folder)


@pytest.fixture(scope="module")
def carry_out(tmp_path_factory):
    """Carries out the run in some outputs."""
    printed, numbers = tmp_path_factory.mktemp("printed"), itertools.count()

    def carried_out(outputs: Path, *more: str, main=as_nobody) -> Forked:
        process = Forked(main, [*TINIEST, *RUN, f"outputs={outputs}", *more], printed / str(next(numbers)))
        process.wait()
        assert "Traceback" not in process.text, process.text
        return process

    return carried_out


@pytest.fixture(scope="module")
def states(place, carry_out):
    """State -> outputs with the run in that state."""
    finished, unfinished = place / "finished", place / "unfinished"
    for outputs in (finished, unfinished):
        outputs.mkdir()
        _give_to_nobody(outputs)
    assert carry_out(unfinished, main=partial(killed_at, at="step_000000007.pt")).returncode == -9
    assert carry_out(finished).returncode == 0
    _give_to_nobody(unfinished)
    return {"finished": finished, "unfinished": unfinished}


def _give_to_nobody(folder: Path) -> None:
    if IS_ROOT:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", folder], check=True)


def run_folder(outputs: Path):
    return folder_of(tiniest(outputs, *RUN))


def file_in(outputs: Path, file: str) -> Path:
    """The newest file of a kind in the run folder."""
    return max(run_folder(outputs).path.rglob(WRITTEN[file]))


@pytest.mark.parametrize(("state", "file", "fault"), CASES)
def test_a_fault_of_a_file_at_rest(states, place, carry_out, state, file, fault):
    outputs = place / f"{state}-{file}-{fault}".replace(" ", "-")
    shutil.copytree(states[state], outputs)
    _give_to_nobody(outputs)
    path = file_in(outputs, file)
    content, expected = path.read_bytes(), AT_REST[state, file][fault]
    if fault in ("torn", "flipped"):
        path.write_bytes(content[: len(content) // 2] if fault == "torn" else flipped(content or b"{}"))
    else:
        os.chmod(path, {"closed": 0, "not ours": 0o444}[fault])
        if IS_ROOT:
            os.chown(path, 0, 0)
    more = [FLIP] if state == "finished" else []
    met = carry_out(outputs, *more)
    assert met.returncode == expected.code, met.text
    assert re.search(expected.said, met.text), met.text
    if expected.code:
        assert path.read_bytes() == content, "what cannot be read is not touched"
        os.chmod(path, 0o644)
        _give_to_nobody(outputs)
    went_on = [carry_out(outputs, *asked) for asked in ([more, []] if more else [[]])]
    assert [process.returncode for process in went_on] == [0] * len(went_on), went_on[0].text
    _is_whole(outputs, states["finished"], evaluations=len(went_on))


@pytest.mark.parametrize("file", WRITTEN)
def test_a_kill_while_a_file_is_written(states, place, carry_out, file):
    outputs = place / f"killed-{file}".replace(" ", "-")
    killed = carry_out(outputs, main=partial(killed_at, at=WRITTEN[file]))
    assert killed.returncode == -9, killed.text
    went_on = carry_out(outputs, main=a_run)
    assert went_on.returncode == 0, went_on.text
    _is_whole(outputs, states["finished"], evaluations=1)
    assert list(outputs.rglob("*.partial")) == [], "what the killed one left is cleared away"


@pytest.mark.parametrize("file", WRITTEN)
def test_a_disk_that_is_full_when_a_file_is_written(states, place, carry_out, file):
    disk = place / "disk"
    outputs = disk / "outputs"
    try:
        met = carry_out(outputs, main=partial(full_at, at=WRITTEN[file], disk=disk))
        assert met.returncode == (0 if file == "log" and not IS_ROOT else 2), met.text
        assert re.search(FULL, met.text), met.text
        remove(disk / FILLER)
        went_on = carry_out(outputs, main=a_run)
        assert went_on.returncode == 0, went_on.text
        _is_whole(outputs, states["finished"], evaluations=1)
    finally:
        for path in (disk / FILLER, outputs):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else remove(path)


@pytest.mark.parametrize("state", ["fresh", "unfinished", "finished"])
@pytest.mark.parametrize("kind", ["read-only", "not ours", "closed"])
def test_a_folder_that_is_read_only_or_another_users(states, place, carry_out, state, kind):
    outputs = place / "disk" / "outputs"
    if state != "fresh":
        shutil.copytree(states[state], outputs)
    else:
        outputs.mkdir()
    if IS_ROOT:
        subprocess.run(["chown", "-R", "root:root", outputs], check=True)
    try:
        if kind == "read-only":
            with read_only(place / "disk"):
                _is_refused(carry_out, state, kind, outputs)
        else:
            os.chmod(outputs, {"not ours": 0o555, "closed": 0}[kind])
            _is_refused(carry_out, state, kind, outputs)
        os.chmod(outputs, 0o755)
        went_on = carry_out(outputs, main=a_run)
        assert went_on.returncode == 0, went_on.text
        _is_whole(outputs, states["finished"], evaluations=1)
    finally:
        os.chmod(outputs, 0o755)
        shutil.rmtree(outputs)


def _is_refused(carry_out, state: str, kind: str, outputs: Path) -> None:
    reason = "Read-only file system; mount it writable" if kind == "read-only" and IS_ROOT else DENIED
    met = carry_out(outputs)
    done = state == "finished" and kind != "closed"
    assert met.returncode == (0 if done else 2), met.text
    assert re.search("nothing to do; already there" if done else reason, met.text), met.text
    if state == "finished":
        more = carry_out(outputs, FLIP)
        assert more.returncode == 2, more.text
        assert re.search(reason, more.text), more.text


def _is_whole(outputs: Path, straight: Path, evaluations: int) -> None:
    """What is there in the end is what a run without any fault has left, bit for bit."""
    folder, other = run_folder(outputs), run_folder(straight)
    assert same_weights(final_weights(folder), final_weights(other))
    assert len(folder.records()) == evaluations
    (first,) = other.records()
    again = folder.read_record(first.evaluation_id)
    assert (again.scores, again.confusion_sha256) == (first.scores, first.confusion_sha256)
    assert again.weights_sha256 == first.weights_sha256
    assert folder.has_evaluation(first.evaluation_id)


def test_the_command_that_a_person_types_as_a_user_without_rights(states, place):
    """The same by setpriv, as one process from the shell."""
    typed = [sys.executable, "-m", "repro", *TINIEST, *RUN, f"outputs={states['unfinished']}"]
    if IS_ROOT:
        typed = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *typed]
    os.chmod(run_folder(states["unfinished"]).path, 0o555)
    if IS_ROOT:
        os.chown(run_folder(states["unfinished"]).path, 0, 0)
        os.chown(run_folder(states["unfinished"]).lock_path, 0, 0)
    try:
        done = subprocess.run(
            typed, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
        )
    finally:
        os.chmod(run_folder(states["unfinished"]).path, 0o755)
        _give_to_nobody(states["unfinished"])
    assert done.returncode == 2, done.stderr
    assert re.search(DENIED, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr


def table() -> str:
    """The faults at rest as a table in Markdown."""
    lines = ["| run | file | fault | lost | exit | said |", "|---|---|---|---|---|---|"]
    for (state, file), row in AT_REST.items():
        for fault, outcome in row.items():
            said = outcome.said.replace("\\", "").replace("|", "/") or "-"
            lines.append(f"| {state} | {file} | {fault} | {outcome.lost} | {outcome.code} | {said} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
