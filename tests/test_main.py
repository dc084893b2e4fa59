import os
import subprocess
import sys
from pathlib import Path

import pytest

import repro
from repro.__main__ import A_RUN, COMMANDS, asked_for, command

COMPLETION = """
eval "$(register-python-argcomplete repro)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete repro
printf "%s\\n" "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("", A_RUN, ""),
        ("head=fcn run", A_RUN, "head=fcn run"),
        ("run head=fcn", A_RUN, "head=fcn"),
        ("--help", A_RUN, "--help"),
        ("sweep table=vortex/table1 --help", "sweep", "table=vortex/table1 --help"),
        ("report", "report", ""),
        ("track run", "track", "run"),
    ],
)
def test_the_first_word_may_name_the_command(line, name, words):
    assert asked_for(line.split()) == (name, words.split())


def process(*words, redirected=""):
    shell = ["sh", "-c", f'exec "$0" "$@" {redirected}', *words]
    return subprocess.run(shell, capture_output=True, text=True, check=False, timeout=60)


def script():
    """The console script, as it stands beside the interpreter."""
    return str(Path(sys.executable).parent / "repro")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_console_script_and_the_module_are_the_same(name):
    module = process(sys.executable, "-m", f"repro.{name}", "--help")
    assert (module.returncode, module.stderr) == (0, "")
    assert module.stdout == process(script(), name, "--help").stdout
    assert len(module.stdout.splitlines()) <= 65
    assert {"main", "words"} <= vars(command(name)).keys()


def test_a_run_is_meant_where_nothing_is_named():
    assert process(script(), "--help").stdout == process(sys.executable, "-m", "repro", "--help").stdout
    assert process(script(), "--version").stdout == f"repro {repro.__version__}\n"


@pytest.mark.parametrize("flag", ["--help", "--version"])
@pytest.mark.parametrize("module", ["repro", "repro.run", "repro.sweep"])
def test_what_cannot_be_shown_is_no_success(module, flag):
    done = process(sys.executable, "-m", module, flag, redirected=">/dev/full")
    assert (done.returncode, done.stderr) == (
        1,
        "error: standard output could not be written: No space left on device.\n",
    )


@pytest.mark.parametrize(
    ("line", "expected", "refused"),
    [
        ("repro ", {"run", "sweep", "head=", "seed="}, {"table="}),
        ("repro sw", {"sweep"}, {"run"}),
        ("repro run ", {"head=", "seed="}, {"run", "sweep"}),
        ("repro head=gald head/ga=n", {"nonlocal", "none"}, {"cgnl"}),
        ("repro --mul", {"--multirun"}, set()),
        ("repro sweep table=gald/table1", {"gald/table1a", "gald/table10"}, {"gald/table2a"}),
        (
            "repro sweep cluster=local ",
            {"cluster.slots=", "tracking=", "runtime.threads=", "dataset.root="},
            {"head=", "sweep"},
        ),
        ("repro report source=", {"mlflow"}, {"sweep"}),
        ("repro track tracking=", {"none", "mlflow"}, {"sweep"}),
    ],
)
def test_bash_completes_a_line(line, expected, refused):
    folder = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-c", COMPLETION, "bash", line], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    offered = {word.strip() for word in done.stdout.splitlines()}
    assert expected <= offered
    assert not offered & refused
