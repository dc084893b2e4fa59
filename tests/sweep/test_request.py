import shlex
from pathlib import Path

import pytest

from repro.errors import ConfigError
from repro.sweep.request import Action, Assumptions, ClusterKind, ClusterSettings, quoted, read_request
from tests.composed import papers


def test_what_is_typed_is_what_is_asked():
    request = read_request(["table=vortex/table1", "seeds=[2,0]", "scale=smoke", "submit=true", "cluster=local"])
    assert request.selection.tables == ("vortex/table1",)
    assert (request.seeds, request.scale, request.submit, request.action) == ((2, 0), "smoke", True, Action.PLAN)
    assert request.cluster == ClusterSettings(ClusterKind.LOCAL)
    assert read_request(["table=[vortex/table1,gald/*]", "seeds=3"]).seeds == (0, 1, 2)
    assert read_request(["table=[vortex/table1,gald/*]"]).selection.tables == ("vortex/table1", "gald/*")


def test_what_is_not_said_is_a_plan_of_one_seed_at_the_papers_scale():
    request = read_request(["table=vortex/table1"])
    assert (request.scale, request.seeds, request.submit, request.ledger) == ("paper", (0,), False, None)
    assert request.cluster == ClusterSettings(ClusterKind.INLINE)
    assert (request.selection.outputs.root, request.selection.reports) == (Path("outputs"), Path("reports"))


def test_a_local_queue_has_slots_and_looks_at_its_jobs_now_and_then():
    request = read_request(["cluster=local", "cluster.slots=3", "cluster.refresh_seconds=0.5"])
    assert request.cluster == ClusterSettings(ClusterKind.LOCAL, 3, 0.5)
    assert read_request(["cluster=local", "cluster.processes=2"]).cluster.processes == 2
    for wrong in ("slots=0", "slots=-1", "slots=true", "slots=two", "slots=1.5"):
        with pytest.raises(ConfigError, match=r"cluster\.slots is .* at least 1, or null"):
            read_request(["cluster=local", f"cluster.{wrong}"])
    with pytest.raises(ConfigError, match=r"cluster\.refresh_seconds is 0; it must be a positive number"):
        read_request(["cluster=local", "cluster.refresh_seconds=0"])


def test_seeds_may_be_left_to_the_claims_of_one_table():
    request = read_request(["table=vortex/table1", "seeds=auto"])
    assert request.seeds is None
    assert [table.key for table in request.tables_of(papers())] == ["vortex/table1"]
    several = read_request(["table=vortex/*", "seeds=auto"])
    with pytest.raises(ConfigError, match=r"seeds=auto takes one table at a time, .* such as vortex/"):
        several.tables_of(papers())
    with pytest.raises(ConfigError, match="seeds=auto goes by the claims of a table, and a ledger has none"):
        read_request(["ledger=vortex", "seeds=auto"])


def test_what_is_assumed_for_the_plan_is_positive():
    assert read_request(["table=gald/*"]).assumptions == Assumptions()
    given = read_request(["table=gald/*", "planning.spread=0.5", "planning.effect=1", "planning.claims=true"])
    assert given.assumptions == Assumptions(0.5, None, 1.0, True)
    with pytest.raises(ConfigError, match=r"planning\.spread is 0; it must be a positive number"):
        read_request(["table=gald/*", "planning.spread=0"])


def test_settings_of_runs_are_told_from_those_of_the_sweep():
    request = read_request(["tracking=none", "table=gald/*", "runtime.threads=1", "dataset.root=/data", "seeds=2"])
    assert request.run == ("tracking=none", "runtime.threads=1", "dataset.root=/data")
    assert request.selection.tables == ("gald/*",)


@pytest.mark.parametrize("word", ["force=true", "force=evaluation", "++force=true"])
def test_a_sweep_repeats_nothing_that_is_there(word):
    with pytest.raises(ConfigError, match=r"^force is a setting of one run: .*; repeat single runs by their commands"):
        read_request(["table=vortex/table1", word])


def test_the_same_command_can_be_said_again():
    request = read_request(["table=gald/*", "scale=smoke", "tracking=none"])
    assert request.command("submit=true") == (
        "python -m repro.sweep 'table=gald/*' scale=smoke tracking=none submit=true"
    )
    assert request.command("scale=shapes").endswith("scale=shapes")
    assert "smoke" not in request.command("scale=shapes")


def test_a_ledger_alone_means_all_tables_of_its_paper():
    library = papers()
    tables = read_request(["ledger=vortex"]).tables_of(library)
    assert {table.paper for table in tables} == {"vortex"}
    with pytest.raises(ConfigError, match="no table of vortex is called deeplabv3/"):
        read_request(["ledger=vortex", "table=deeplabv3/*"]).tables_of(library)


def test_the_report_of_the_same_tables_is_a_command_away():
    request = read_request(["table=[gald/*,vortex/table1]", "scale=smoke", "outputs=/o", "tracking=none", "seeds=3"])
    assert request.report_command() == "python -m repro.report 'table=[gald/*,vortex/table1]' scale=smoke outputs=/o"
    assert read_request(["ledger=vortex"]).report_command() == "python -m repro.report 'table=vortex/*' scale=paper"


def test_a_request_for_another_action_submits_nothing():
    request = read_request(["table=gald/*", "submit=true"])
    assert request.command("action=retry") == "python -m repro.sweep 'table=gald/*' action=retry"


def test_jobs_of_slurm_have_settings_of_their_own():
    cluster = read_request(["cluster=slurm", "cluster.partition=gpu", "cluster.limit_hours=4"]).cluster
    assert (cluster.kind, cluster.slurm.partition, cluster.slurm.limit_minutes) == (ClusterKind.SLURM, "gpu", 240)
    assert read_request(["cluster=local"]).cluster.slurm is None


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("seeds=3", "seeds=3"),
        ("table=gald/*", "'table=gald/*'"),
        ("cluster.extra=['--hold']", "\"cluster.extra=['--hold']\""),
        ("cluster.setup=['a \"$HOME\"']", "'cluster.setup=['\"'\"'a \"$HOME\"'\"'\"']'"),
    ],
)
def test_a_word_is_quoted_so_that_a_shell_gives_it_back(word, typed):
    assert quoted(word) == typed
    assert shlex.split(quoted(word)) == [word]
