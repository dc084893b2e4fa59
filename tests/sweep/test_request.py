import subprocess
import sys

import pytest

from repro.errors import ConfigError
from repro.papers import load_papers
from repro.sweep.command import main
from repro.sweep.request import chosen_tables, read_request


def test_what_is_typed_is_what_is_asked():
    request = read_request(["table=vortex/table1", "seeds=[2,0]", "scale=smoke", "submit=true", "cluster=local"])
    assert (request.tables, request.seeds, request.scale, request.submit) == (("vortex/table1",), (2, 0), "smoke", True)
    assert request.cluster["kind"] == "local"
    assert read_request(["table=[vortex/table1,gald/*]", "seeds=3"]).seeds == (0, 1, 2)
    assert read_request(["table=[vortex/table1,gald/*]"]).tables == ("vortex/table1", "gald/*")


def test_settings_of_runs_are_told_from_those_of_the_sweep():
    request = read_request(["tracking=none", "table=gald/*", "runtime.threads=1", "dataset.root=/data", "seeds=2"])
    assert request.run == ("tracking=none", "runtime.threads=1", "dataset.root=/data")
    assert request.tables == ("gald/*",)


def test_the_same_command_can_be_said_again():
    request = read_request(["table=gald/*", "scale=smoke", "tracking=none"])
    assert request.command("submit=true") == (
        "python -m repro.sweep 'table=gald/*' scale=smoke tracking=none submit=true"
    )
    assert request.command("scale=shapes").endswith("scale=shapes")
    assert "smoke" not in request.command("scale=shapes")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no table was named; write table=vortex/table1"),
        (["table=vortex/table5"], "there is no table vortex/table5; did you mean vortex/table3"),
        (["table=vortex/table1", "scale=camvit"], "there is no scale camvit"),
        (["table=vortex/table1,vortex/table2"], "write 'table=[vortex/table1,vortex/table2]'"),
        (["table=vortex/table1", "seeds=0,1"], "write 'seeds=[0,1]'"),
        (["table=vortex/table1", "seeds=0"], "seeds is 0; give how many"),
        (["table=vortex/table1", "seeds=[0,-1]"], "seeds is [0, -1]"),
        (["table=vortex/table1", "seeds=true"], "seeds is True"),
        (["table=vortex/table1", "seeds=two"], "seeds is 'two'"),
        (["table=3"], "table is 3; it must be a text"),
        (["table=vortex/table1", "submit=yes"], "submit is 'yes'; it must be true or false"),
        (["table=vortex/table1", "action=stat"], "action is stat; did you mean status?"),
        (["table=vortex/table1", "action=7"], "it can be plan, status, cancel, retry"),
        (["table=vortex/table1", "cluster=loc"], "did you mean local?"),
        (["tabel=vortex/table1"], "sweep has no setting tabel; did you mean table?"),
        (["table=vortex/table1", "setting=width"], "add ledger=<paper>"),
        (["ledger=vortx"], "there is no ledger of a paper vortx; did you mean vortex?"),
        (["ledger=vortex", "table=gald/table1a"], "has no say in the tables chosen"),
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


def test_a_ledger_alone_means_all_tables_of_its_paper():
    library = load_papers()
    tables = chosen_tables(read_request(["ledger=vortex"]), library)
    assert {table.paper for table in tables} == {"vortex"}
    with pytest.raises(ConfigError, match="has no say"):
        chosen_tables(read_request(["ledger=vortex", "table=deeplabv3/*"]), library)


def test_help_lists_every_setting(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in ("table:", "scale:", "seeds:", "submit:", "ledger:", "cluster=local", "cluster.slots:", "Examples"):
        assert name in text
