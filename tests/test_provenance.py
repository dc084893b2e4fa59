import json
import os
import re
import subprocess
from datetime import UTC, datetime
from functools import cache

import pytest
import torch

from repro import provenance
from tests.places import REPOSITORY

NOTHING = provenance.science_sha256(REPOSITORY / "nowhere")
UNTRACKED = {"commit": None, "dirty": None}


@cache
def science():
    return provenance.science_sha256(REPOSITORY / "repro")


def test_the_time_is_utc_to_the_second():
    before = datetime.now(UTC).replace(microsecond=0)
    told = datetime.fromisoformat(provenance.now())
    assert before <= told <= datetime.now(UTC)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", provenance.now())


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def test_the_code_is_told_by_its_commit_and_whether_it_was_changed():
    commit = git("rev-parse", "HEAD")
    changed = commit and bool(git("status", "--porcelain", "--untracked-files=no"))
    assert provenance.code_version.__wrapped__() == {
        "commit": commit, "dirty": changed if commit else None, "science": science()
    }  # fmt: skip


def test_code_outside_a_checkout_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.code_version.__wrapped__() == UNTRACKED | {"science": NOTHING}


def test_code_that_another_checkout_ignores_has_no_commit(tmp_path, monkeypatch):
    """A package installed below somebody's own repository is not that repository's."""
    author = ["-c", "user.name=x", "-c", "user.email=x"]
    for arguments in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    (tmp_path / "provenance.py").touch()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.code_version.__wrapped__() == UNTRACKED | {"science": NOTHING}


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert provenance.code_version.__wrapped__() == UNTRACKED | {"science": science()}


CODE = '"""What it is."""\n\nimport math\n\n\ndef f(x):\n    """Says so."""\n    return math.pi * x\n'


def science_of(folder, text, name="nn/a.py"):
    for part in ("nn", "run"):
        (folder / part).mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return provenance.science_sha256(folder)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (CODE.replace("What it is", "Another\n\nThing"), True),
        (CODE.replace("Says so", "Sagt es"), True),
        (CODE.replace("* x", "* x  # always\n    # and ever"), True),
        (CODE.replace("\n\n\n", "\n"), True),
        (CODE.replace("pi", "tau"), False),
        (CODE.replace("return", 'y = "# text"\n    return'), False),
    ],
)
def test_the_science_of_a_package_is_its_code_without_comments_and_docstrings(tmp_path, other, same):
    before = science_of(tmp_path, CODE)
    assert (science_of(tmp_path, other) == before) is same


def test_only_what_computes_is_of_the_science(tmp_path):
    before = science_of(tmp_path, CODE)
    assert science_of(tmp_path, CODE, "run/a.py") == before
    assert science_of(tmp_path, CODE, "nn/b.py") != before


def test_a_file_of_the_users_has_the_commit_of_its_own_repository(tmp_path):
    author = ["-c", "user.name=x", "-c", "user.email=x"]
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")
    assert provenance.file_version(file) == UNTRACKED
    for arguments in (["init", "-q"], ["add", "mine.py"], [*author, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    found = provenance.file_version(file)
    assert re.fullmatch("[0-9a-f]{40}", found["commit"])
    assert found["dirty"] is False
    file.write_text("x = 2\n")
    assert provenance.file_version(file) == {"commit": found["commit"], "dirty": True}


def test_versions_are_those_installed():
    found = provenance.versions()
    assert found.keys() == {"python", *provenance.PACKAGES}
    assert found["torch"] == torch.__version__.partition("+")[0] or found["torch"] == torch.__version__
    assert all(version for version in found.values())


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package",))
    assert provenance.versions.__wrapped__()["no-such-package"] is None


def test_cores_are_those_that_the_process_may_use():
    assert provenance.available_cores() == len(os.sched_getaffinity(0))


def test_a_processor_has_no_facts_of_a_gpu():
    found = provenance.hardware("cpu")
    assert found.keys() == {"host", "processor", "cores", "threads", "device"}
    assert found["device"] == "cpu"
    assert found["processor"]
    assert found["threads"] == torch.get_num_threads()


def test_the_facts_of_a_process_are_plain_values():
    found = provenance.of_process("cpu")
    assert found.keys() == {"code", "versions", "hardware"}
    assert json.loads(json.dumps(found)) == found
