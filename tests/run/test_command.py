"""The command of a run as a person meets it: processes, their exit codes, and what they print."""

import os
import subprocess
import sys

import pytest

from repro.config.compose import compose
from repro.run.command import percent, print_outcome, result_is_printed, words
from repro.run.lifecycle import run
from tests.tiny import TINIEST, TINY

GRID = ["-m", *(leaf for leaf in TINIEST if not leaf.startswith("head")), "evaluation.panels=0", "head.width=8"]


def mended_times(folder):
    """Time of the last change of every record and status."""
    return {file: file.stat().st_mtime_ns for file in (folder / "outputs" / "runs").rglob("*.json")}


@pytest.mark.slow
def test_a_run_prints_classes_what_it_wrote_and_the_score_last_and_again_without_torch(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "repro", *TINY, "schedule.length=2 steps", "name=small"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.strip().splitlines()
    assert lines[-1].startswith("small: mIoU ")
    assert lines[-1].endswith(" %")
    assert any(line.split()[0] == "background" for line in lines if line.startswith("  "))
    assert any(line.startswith("wrote outputs/runs/") for line in lines)
    assert any(line.startswith("panels: outputs/runs/") for line in lines)
    assert os.listdir(tmp_path) == ["outputs"]
    words = [*TINY, "schedule.length=2 steps", "name=small"]
    code = (
        f"import sys; from repro.run.command import main; assert main({words}) == 0; "
        "print(sorted({'torch', 'mlflow', 'pandas'} & sys.modules.keys()))"
    )
    again = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    *told, score, loaded = again.stdout.strip().splitlines()
    assert any(line.startswith("nothing to do; already there: outputs/runs/") for line in told)
    assert (score, loaded) == (lines[-1], "[]")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["head=votex"], "did you mean vortex"),
        (["schedule.lenght=3 steps"], "did you mean schedule.length"),
        (["dataset=camvid", "dataset.root=/nowhere", "backbone.weights=null", "tracking=none"], "/nowhere"),
        (["-m", "head=fcn,vortx"], "did you mean vortex"),
        (["--config-dir", "/nowhere"], "/nowhere"),
        (["-m", "hydra.launcher.nonsense=1"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["--info", "head=fcn"], "invalid choice: 'head=fcn' (choose from 'all', 'config', 'defaults'"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_failing_exit_code(tmp_path, runs, arguments, sentence):
    done = runs.finish(arguments, tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_mistake_ends_a_real_process_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "repro", "run", "head=votex"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "did you mean vortex?" in done.stderr
    assert done.stderr.count("\n") == 1


def test_flags_stand_anywhere_among_the_overrides():
    given = words().parse_intermixed_args(
        ["head=fcn", "-m", "seed=0,1", "--config-dir", "mine", "name=x", "--cfg", "job"]
    )
    assert given.overrides == ["head=fcn", "seed=0,1", "name=x"]
    assert (given.multirun, str(given.config_dir), given.cfg) == (True, "mine", "job")


def test_hydras_own_flags_are_handed_on(tmp_path, runs):
    shown = runs.finish(["--cfg", "job", "--package", "head", "head=vortex"], tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "_target_: repro.nn.Vortex" in shown.stdout
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--help all", True),
        ("head=fcn --cfg=job", True),
        ("-i", True),
        ("-mh", True),
        ("-cjob", True),
        ("-m head=fcn", False),
        ("-cd mine --resolve name=-h", False),
        ("", False),
    ],
)
def test_what_only_shows_something_has_its_result_on_standard_output(line, expected):
    assert result_is_printed(line.split()) is expected


def test_help_and_version_answer_without_torch(tmp_path):
    program = (
        "import sys\nfrom repro.run.command import main\nassert main(['--help']) == 0\n"
        "try: main(['--version'])\nexcept SystemExit as end: assert not end.code\n"
        "print(sorted({'torch', 'mlflow', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    *shown, version, loaded = done.stdout.splitlines()
    assert "Groups and their choices" in shown
    assert version.startswith("repro ")
    assert loaded == "[]"


def test_without_tracking_mlflow_need_not_be_installed(tmp_path, runs):
    done = runs.finish(TINIEST, tmp_path, without=["mlflow"])
    assert done.returncode == 0, done.stderr
    assert "mIoU" in done.stdout


def test_a_grid_runs_all_skips_what_is_done_and_reports_failure(tmp_path, runs):
    grid = [*GRID, "head=fcn,vortex", "seed=0,1"]
    done = runs.finish(grid, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "outputs" / "runs").iterdir())) == 4
    assert sum(": mIoU " in line for line in done.stdout.splitlines()) == 4
    times = mended_times(tmp_path)
    assert len(times) == 8
    assert runs.finish(grid, tmp_path).returncode == 0
    assert mended_times(tmp_path) == times
    failing = runs.finish([*GRID, "head=fcn", "schedule.batch_norm.samples=3,2"], tmp_path)
    assert failing.returncode == 2
    assert "samples=3: schedule.batch_norm.samples is 3; it must divide schedule.batch_size" in failing.stderr
    assert "Traceback" not in failing.stderr
    assert len(mended_times(tmp_path)) == 10, "what comes behind a run that fails is carried out all the same"


@pytest.mark.slow
def test_a_launcher_that_starts_processes_does_the_same(tmp_path, runs):
    grid = [*GRID, "head=fcn", "schedule.batch_norm.samples=4,3"]
    failing = runs.finish([*grid, "hydra/launcher=submitit_local"], tmp_path)
    assert failing.returncode != 0
    assert "must divide" in failing.stderr
    times = mended_times(tmp_path)
    assert len(times) == 2
    here = runs.finish([*GRID, "head=fcn", "schedule.batch_norm.samples=4"], tmp_path)
    assert here.returncode == 0
    assert "nothing to do" in here.stdout
    assert mended_times(tmp_path) == times


def test_a_tracked_run_says_where_to_look(tmp_path, capsys):
    outcome = run(compose([*TINIEST, f"outputs={tmp_path}"]))
    for uri, line in {
        "null": f"browse: mlflow ui --backend-store-uri sqlite:///{tmp_path}/mlflow.db",
        "http://server:5000": "browse: http://server:5000",
    }.items():
        tracked = compose([*TINIEST, f"outputs={tmp_path}", "tracking=mlflow", f"tracking.uri={uri}"])
        print_outcome(outcome, tracked)
        assert line in capsys.readouterr().out.splitlines()


def test_a_score_has_one_decimal_and_none_is_a_dash():
    assert [percent(value) for value in (None, 0.0, 7.25, 100.0)] == ["    -", "  0.0", "  7.2", "100.0"]
