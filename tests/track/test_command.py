"""The command that brings runs into MLflow: its help, its mistakes, its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from repro.track.command import main, words
from tests.example_mlflow import place_database
from tests.example_runs import example_run


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    place_database(tmp_path)
    example_run(tmp_path / "runs", steps=3)
    return tmp_path


def test_it_brings_in_what_is_there(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"outputs={outputs}"]) == 0
    assert capsys.readouterr().out.startswith(f"sqlite:///{outputs}/mlflow.db: 1 brought level; look at them: ")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("tracking=none", "nowhere to bring the runs"),
        ("tracking.uri=/data/mlruns", "no longer writes to folders"),
        ("trackng.uri=x", "tracking.uri"),
        ("tracking.uri=http://127.0.0.1:9", "cannot be used now"),
    ],
)
def test_a_mistake_is_one_sentence(
    outputs: Path, capsys: pytest.CaptureFixture[str], override: str, words: str
) -> None:
    assert main([f"outputs={outputs}", override]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert words in told
    assert "Traceback" not in told


def test_a_run_that_cannot_be_brought_in_is_a_failure(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (outputs / "runs" / "00000000000000aa" / "config.yaml").write_text("a: [1")
    assert main([f"outputs={outputs}"]) == 1
    assert "config.yaml is damaged" in capsys.readouterr().err


def test_flags_stand_anywhere() -> None:
    given = words().parse_intermixed_args(["tracking.experiment=x", "--help", "outputs=y"])
    assert (given.overrides, given.help) == (["tracking.experiment=x", "outputs=y"], True)


def test_help_is_answered_without_anything_heavy() -> None:
    program = (
        "import sys\nfrom repro.track.command import main\nassert main(['--help']) == 0\n"
        "print(sorted({'torch', 'mlflow', 'omegaconf'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "python -m repro.track tracking.uri=http" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
