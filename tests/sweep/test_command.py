import subprocess
import sys

import pytest

from repro.store.runs_csv import recorded, runs_csv
from repro.sweep.command import main
from tests.composed import measured
from tests.places import REPOSITORY
from tests.report.made_runs import record_of


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no table was named; write table=vortex/table1"),
        (["table=vortex/table5"], "there is no table vortex/table5; did you mean vortex/table3"),
        (["table=vortex/table1", "scale=camvit"], "there is no scale camvit"),
        (["table=vortex/table1,vortex/table2"], "write 'table=[vortex/table1,vortex/table2]'"),
        (["table=vortex/table1", "seeds=0,1"], "write 'seeds=[0,1]'"),
        (["table=vortex/table1", "seeds=0"], "seeds is 0; give how many"),
        (
            ["table=vortex/table1", "seeds=[0,-1]"],
            "seeds is [0, -1]; give how many, such as seeds=3, which, such as 'seeds=[0,2]', or seeds=auto",
        ),
        (["table=vortex/table1", "seeds=[1,1]"], "seeds holds 1 twice; each may stand in it once"),
        (["table=[vortex/table1,vortex/table1]"], "table holds vortex/table1 twice"),
        (["table=vortex/table1", "seeds=true"], "seeds is True"),
        (["table=vortex/table1", "seeds=two"], "seeds is 'two'"),
        (["table=3"], "table is 3; it must be a text"),
        (["table=vortex/table1", "submit=yes"], "submit is 'yes'; it must be true or false"),
        (["table=vortex/table1", "action=stat"], "action is stat; did you mean status?"),
        (["table=vortex/table1", "action=7"], "action is 7; there are plan, status, cancel, retry"),
        (["table=vortex/table1", "cluster=loc"], "did you mean local?"),
        (["tabel=vortex/table1"], "sweep has no setting tabel; did you mean table?"),
        (["table=vortex/table1", "setting=width"], "add ledger=<paper>"),
        (["ledger=vortx"], "there is no ledger of a paper vortx; did you mean vortex?"),
        (["ledger=vortex", "table=gald/table1a"], "no table of vortex is called gald/table1a"),
        (["table=vortex/table1", "sweeps_folder=/no/such"], "there is no folder /no/such of papers"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(words, sentence, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith("error: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_a_mistake_is_answered_without_torch():
    code = (
        "import sys; from repro.sweep.command import main; main(['table=vortex/table5']); "
        "sys.exit(sum(name in sys.modules for name in ('torch', 'mlflow')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "did you mean" in done.stderr


@pytest.fixture(scope="module")
def recorded_table(tmp_path_factory):
    """Words that name a table of which every run stands in a committed list."""
    reports = tmp_path_factory.mktemp("reports")
    cells = measured("shapes", "vortex/table1").values()
    lines = {
        line.evaluation_id: line for cell in cells for line in (recorded(record_of(cell, n, 70.0)) for n in range(3))
    }
    (reports / "runs.csv").write_text(runs_csv(lines.values()), encoding="utf-8")
    return ["table=vortex/table1", "scale=shapes", "seeds=3", f"reports={reports}", f"outputs={reports / 'outputs'}"]


@pytest.mark.parametrize(
    "words", [["submit=true"], ["action=status"], [], ["planning.spread=0.5", "planning.effect=1"]]
)
def test_where_nothing_is_to_be_done_the_answer_needs_no_torch(words, recorded_table):
    code = (
        f"import sys; from repro.sweep.command import main; assert main({[*recorded_table, *words]}) == 0; "
        "print(sorted({'torch', 'mlflow', 'pandas', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *_, sentence, loaded = done.stdout.splitlines()
    assert sentence.startswith(
        "nothing to do: all 18 trainings are done and recorded, 18 of them by the committed list"
    )
    assert loaded == "[]"


@pytest.mark.parametrize("words", [["--help"], ["table=nowhere", "-h"]])
def test_help_tells_what_there_is_and_plans_nothing(words, capsys):
    assert main(words) == 0
    assert "Settings" in capsys.readouterr().out


def test_words_that_are_no_settings_are_refused(capsys):
    assert main(["table=vortex/table1", "--submit"]) == 2
    assert "--submit" in capsys.readouterr().err
