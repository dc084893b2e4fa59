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
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from repro.store.files import remove
from tests.faults import (
    FILLER,
    IS_ROOT,
    NOBODY,
    as_nobody,
    captured,
    flipped,
    full_at,
    killed_at,
    read_only,
    small_disk,
)
from tests.forked import LONGEST_SECONDS, Forked
from tests.places import REPOSITORY
from tests.tiny import TINIEST
from tests.tiny_runs import final_weights, folder_of, same_weights, tiniest

pytestmark = pytest.mark.real
RUN = ["schedule.length=8 steps", "validation.every=2 steps", "selection=best", "runtime.checkpoint_seconds=0"]
FLIP = "evaluation.flip=true"
DENIED = "Permission denied" + r", since .* is of root and this is nobody; ask for access" * IS_ROOT
FULL = "No space left on device; make room"
WRITTEN = {
    "lock": "lock", "journal": "journal.jsonl", "log": "run.log", "config": "config.yaml", "status": "status.json",
    "checkpoint": "step_*.pt", "best weights": "best_*.pt", "images": "images.json.gz", "weights": "weights.pt",
    "panels": "panels.png",
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
    **{(state, "images"): {
        "torn": Outcome("the images, which are found out anew", r"images\.json\.gz is damaged" * (state == "finished")),
        "flipped": Outcome("the images, which are found out anew",
                           r"images\.json\.gz is damaged" * (state == "finished")),
        "closed": REFUSED if state == "finished" else NOTHING, "not ours": NOTHING,
    } for state in ("unfinished", "finished")},
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


@pytest.fixture(scope="module")
def place():
    """A folder that every user may enter, with a small disk in it; in memory if may be, where no write waits."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="repro-faults-", dir=memory) as folder:
        os.chmod(folder, 0o755)
        with small_disk(Path(folder) / "disk"):
            yield Path(folder)


@pytest.fixture(scope="module")
def as_a_user(place):
    """Carries out runs in one process of a user without rights; each is outputs and further settings."""
    numbers = itertools.count()

    def carried_out(*asked: tuple[Path, str]) -> list[tuple[int, str]]:
        printed = [place / f"printed-{next(numbers)}" for _ in asked]
        for file in printed:
            file.touch()
            file.chmod(0o666)
        configurations = [tiniest(outputs, *RUN, *more) for outputs, *more in asked]
        process = Forked(
            partial(as_nobody, asked=configurations), list(map(str, printed)), place / f"batch-{next(numbers)}"
        )
        assert process.wait(3 * LONGEST_SECONDS) == 0, process.text
        return [(int(code), text) for code, _, text in (file.read_text().partition("\n") for file in printed)]

    return carried_out


def killed(outputs: Path, place: Path, at: str) -> None:
    killing = partial(killed_at, configuration=tiniest(outputs, *RUN), at=at)
    process = Forked(killing, [], place / f"killed-at-{at.strip('*?.')}")
    process.wait()
    assert process.returncode == -9, process.text


def goes_on(outputs: Path) -> None:
    code, text = captured(tiniest(outputs, *RUN))
    assert code == 0, text


@pytest.fixture(scope="module")
def states(place, as_a_user):
    """State -> outputs with the run in that state."""
    finished, unfinished = place / "finished", place / "unfinished"
    for outputs in (finished, unfinished):
        outputs.mkdir()
        _give_to_nobody(outputs)
    killed(unfinished, place, at="step_000000007.pt")
    ((code, text),) = as_a_user((finished,))
    assert code == 0, text
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


@pytest.mark.parametrize("fault", ["torn", "flipped", "closed", "not ours"])
def test_a_fault_of_a_file_at_rest(states, place, as_a_user, fault):
    """Of every file in every state, each in a folder of its own, met by one process and gone on from by a second."""
    cases = {place / f"{state}-{file}-{fault}".replace(" ", "-"): (state, file) for state, file in AT_REST}
    faulty = {}
    for outputs, (state, file) in cases.items():
        shutil.copytree(states[state], outputs)
        _give_to_nobody(outputs)
        faulty[outputs] = _damaged(file_in(outputs, file), fault)
    asked = {outputs: [FLIP] if state == "finished" else [] for outputs, (state, _) in cases.items()}
    met = as_a_user(*((outputs, *more) for outputs, more in asked.items()))
    again = []
    for (outputs, case), (code, text) in zip(cases.items(), met, strict=True):
        expected = AT_REST[case][fault]
        assert code == expected.code, (case, text)
        assert re.search(expected.said, text), (case, text)
        if expected.code:
            path, content = faulty[outputs]
            assert path.read_bytes() == content, "what cannot be read is not touched"
            os.chmod(path, 0o644)
            _give_to_nobody(outputs)
            again.append((outputs, *asked[outputs]))
        if asked[outputs]:
            again.append((outputs,))
    for (outputs, *_), (code, text) in zip(again, as_a_user(*again), strict=True):
        assert code == 0, (cases[outputs], text)
    for outputs, more in asked.items():
        _is_whole(outputs, states["finished"], evaluations=2 if more else 1)


def _damaged(path: Path, fault: str) -> tuple[Path, bytes]:
    """A file to which a fault was done, with its content."""
    content = path.read_bytes()
    if fault in ("torn", "flipped"):
        path.write_bytes(content[: len(content) // 2] if fault == "torn" else flipped(content or b"{}"))
    else:
        os.chmod(path, {"closed": 0, "not ours": 0o444}[fault])
        if IS_ROOT:
            os.chown(path, 0, 0)
    return path, content


@pytest.mark.parametrize("file", WRITTEN)
def test_a_kill_while_a_file_is_written(states, place, file):
    outputs = place / f"killed-{file}".replace(" ", "-")
    killed(outputs, place, at=WRITTEN[file])
    goes_on(outputs)
    _is_whole(outputs, states["finished"], evaluations=1)
    assert list(outputs.rglob("*.partial")) == [], "what the killed one left is cleared away"


@pytest.mark.parametrize("file", WRITTEN)
def test_a_disk_that_is_full_when_a_file_is_written(states, place, file):
    disk = place / "disk"
    outputs = disk / "outputs"
    try:
        code, text = full_at(tiniest(outputs, *RUN), at=WRITTEN[file], disk=disk)
        assert code == (0 if file == "log" and not IS_ROOT else 2), text
        assert re.search(FULL, text), text
        remove(disk / FILLER)
        goes_on(outputs)
        _is_whole(outputs, states["finished"], evaluations=1)
    finally:
        for path in (disk / FILLER, outputs):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else remove(path)


@pytest.mark.parametrize("kind", ["read-only", "not ours", "closed"])
def test_folders_that_are_read_only_or_another_users(states, place, as_a_user, kind):
    disk = place / "disk"
    folders = {state: disk / state for state in ("fresh", *states)}
    for state, outputs in folders.items():
        shutil.copytree(states[state], outputs) if state in states else outputs.mkdir()
        if IS_ROOT:
            subprocess.run(["chown", "-R", "root:root", outputs], check=True)
    asked = [*((outputs,) for outputs in folders.values()), (folders["finished"], FLIP)]
    try:
        if kind != "read-only":
            for outputs in folders.values():
                os.chmod(outputs, {"not ours": 0o555, "closed": 0}[kind])
        with read_only(disk) if kind == "read-only" else nullcontext():
            met = as_a_user(*asked)
        reason = "Read-only file system; mount it writable" if kind == "read-only" and IS_ROOT else DENIED
        for (outputs, *more), (code, text) in zip(asked, met, strict=True):
            done = outputs == folders["finished"] and not more and kind != "closed"
            assert code == (0 if done else 2), (outputs, text)
            assert re.search("nothing to do; already there" if done else reason, text), (outputs, text)
        for outputs in folders.values():
            os.chmod(outputs, 0o755)
            goes_on(outputs)
            _is_whole(outputs, states["finished"], evaluations=1)
    finally:
        for outputs in folders.values():
            os.chmod(outputs, 0o755)
            shutil.rmtree(outputs)


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
