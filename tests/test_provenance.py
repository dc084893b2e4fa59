import json
import os
import re
import subprocess
from datetime import UTC, datetime

import torch

from repro import provenance
from tests.places import REPOSITORY


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
    assert provenance.code_version.__wrapped__() == {"commit": commit, "dirty": changed if commit else None}


def test_code_outside_a_checkout_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.code_version.__wrapped__() == {"commit": None, "dirty": None}


def test_code_that_another_checkout_ignores_has_no_commit(tmp_path, monkeypatch):
    """A package installed below somebody's own repository is not that repository's."""
    author = ["-c", "user.name=x", "-c", "user.email=x"]
    for arguments in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    (tmp_path / "provenance.py").touch()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert provenance.code_version.__wrapped__() == {"commit": None, "dirty": None}


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert provenance.code_version.__wrapped__() == {"commit": None, "dirty": None}


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
