"""Settings of the command: what is taken, and what is refused in which words."""

from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.papers import load_papers
from repro.report.judge.verdicts import Tolerance
from repro.report.request import Check, chosen_scales, read_request


def test_defaults():
    request = read_request([])
    assert request.everything
    assert (request.selection.outputs.root, request.selection.reports) == (Path("outputs"), Path("reports"))
    assert (request.server, request.check, request.prune) == (None, Check.NONE, False)
    assert request.tolerance == Tolerance(1.0, 0.02)


def test_a_choice_is_not_everything():
    assert not read_request(["paper=vortex"]).everything
    assert not read_request(["scale=smoke"]).everything
    one = read_request(["table=vortex/table1"])
    assert not one.everything
    assert one.selection.tables == ("vortex/table1",)
    assert read_request(["table=[vortex/table1,gald/table3]"]).selection.tables == ("vortex/table1", "gald/table3")


def test_the_tracking_store_is_asked_only_on_demand():
    assert read_request(["uri=http://host"]).server is None
    assert read_request(["source=mlflow", "uri=http://host"]).server == "http://host"
    assert read_request(["source=mlflow", "outputs=/x"]).server == "sqlite:////x/mlflow.db"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("source=wandb", "source is wandb; there are records, mlflow"),
        ("check=maybe", "check is 'maybe'; it must be true or false"),
        ("check=depe", "check is 'depe'; it must be true or false, or deep"),
        ("check='true'", "check is 'true'; it must be true or false, or deep"),
        ("prune=1", "prune is 1; it must be true or false"),
        ("tolerance=-1", "tolerance is -1; it must be a number of at least 0"),
        ("relative_tolerance=wide", "relative_tolerance is 'wide'"),
        ("tolerance=true", "tolerance is True"),
        ("tabel=vortex/table1", "did you mean table?"),
    ],
)
def test_mistakes(given, words):
    with pytest.raises(ConfigError) as error:
        read_request([given])
    assert words in str(error.value)


def test_checking_excludes_fetching_and_pruning():
    for check in ("true", "deep"):
        for given in ("prune=true", "source=mlflow"):
            with pytest.raises(ConfigError, match=rf"check={check} looks at runs\.csv alone"):
                read_request([f"check={check}", given])


def test_checking_is_off_on_or_deep():
    found = [read_request(given).check for given in ([], ["check=false"], ["check=true"], ["check=deep"])]
    assert found == [Check.NONE, Check.NONE, Check.TABLES, Check.DEEP]


def test_an_audit_of_one_file_excludes_what_chooses_tables():
    request = read_request(["audit=a.tex", "relations=b.yaml"])
    assert (request.audit, request.relations) == (Path("a.tex"), Path("b.yaml"))
    for given in ("table=vortex/table1", "paper=vortex", "scale=smoke", "check=true", "prune=true"):
        with pytest.raises(ConfigError, match="looks at that one file"):
            read_request(["audit=a.tex", given])
    with pytest.raises(ConfigError, match="name it too"):
        read_request(["relations=b.yaml"])


def chosen(library, *given):
    return read_request(given).selection.tables_of(library)


def test_choice_of_tables(papers):
    library = load_papers([papers])
    assert chosen(library) == list(library.tables.values())
    assert [table.key for table in chosen(library, "paper=small")] == ["small/table1"]
    assert [table.key for table in chosen(library, "paper=small", "table=table1")] == ["small/table1"]
    with pytest.raises(ConfigError, match="no paper smal; did you mean small"):
        chosen(library, "paper=smal")
    with pytest.raises(ConfigError, match="no table of small is called vortex/table1"):
        chosen(library, "paper=small", "table=vortex/table1")


def test_choice_of_scales(papers):
    library = load_papers([papers])

    def named(*given, have=()):
        return [scale.name for scale in chosen_scales(read_request(given).selection, library, set(have))]

    assert named() == ["paper"]
    assert named(have=["smoke", "paper", "one that is gone"]) == ["paper", "smoke"]
    assert named("scale=short") == ["short"]
    with pytest.raises(ConfigError, match="there is no scale tiny"):
        named("scale=tiny")
