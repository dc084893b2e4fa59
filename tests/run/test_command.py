"""The command line as a person meets it: a process, its exit code, and what it prints."""

import os
import subprocess
import sys
import time

import pytest

from tests.tiny import TINY


def repro(*arguments, cwd, module="repro", **environment):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_a_run_prints_classes_what_it_wrote_and_the_score_last(tmp_path):
    done = repro(*TINY, "name=small", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[-1].startswith("small: mIoU ")
    assert lines[-1].endswith(" %")
    assert any(line.split()[0] == "background" for line in lines if line.startswith("  "))
    assert any(line.startswith("wrote outputs/runs/") for line in lines)
    assert not list(tmp_path.glob("*.log"))
    again = repro(*TINY, "name=small", cwd=tmp_path)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout
    assert again.stdout.strip().splitlines()[-1] == lines[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["head=votex"], "did you mean vortex"),
        (["schedule.lenght=3 steps"], "did you mean schedule.length"),
        (["dataset=camvid", "dataset.root=/nowhere", "backbone.weights=null"], "/nowhere"),
        (["-m", "head=fcn,vortx"], "did you mean vortex"),
        (["--config-dir", "/nowhere"], "/nowhere"),
        (["-m", "hydra.launcher.nonsense=1"], "nonsense"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_failing_exit_code(tmp_path, arguments, sentence):
    done = repro(*arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_help_lists_the_groups_without_loading_torch(tmp_path):
    start = time.perf_counter()
    done = repro("--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for word in ("head: ", "vortex", "dataset: ", "camvid", "batch_size", "--config-dir"):
        assert word in done.stdout
    probe = (
        "import sys; sys.argv = ['repro', '--help']\nimport repro.run.command\n"
        "try: repro.run.command.main()\nfinally: print('torch' in sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip().splitlines()[-1] == "False"
    assert time.perf_counter() - start < 60


def test_without_tracking_mlflow_need_not_be_installed(tmp_path):
    program = (
        "import sys; sys.modules['mlflow'] = None; from repro.run.command import main; sys.argv[0] = 'repro'; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *TINY], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "mIoU" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "submitit_local"])
def test_a_grid_runs_all_skips_what_is_done_and_reports_failure(tmp_path, launcher):
    grid = [
        "-m", *(leaf for leaf in TINY if not leaf.startswith("head")), "head=fcn,aspp,vortex", "head.width=8",
        "seed=0,1", f"hydra/launcher={launcher}",
    ]  # fmt: skip
    done = repro(*grid, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folders = list((tmp_path / "outputs" / "runs").iterdir())
    assert len(folders) == 6
    times = {file: file.stat().st_mtime_ns for folder in folders for file in folder.rglob("*.json")}
    assert len(times) >= 12
    assert repro(*grid, cwd=tmp_path).returncode == 0
    assert {file: file.stat().st_mtime_ns for file in times} == times
    failing = [*grid, "schedule.batch_norm.samples=4,3"]
    failed = repro(*failing, cwd=tmp_path)
    assert failed.returncode != 0
    assert "must divide" in failed.stderr
