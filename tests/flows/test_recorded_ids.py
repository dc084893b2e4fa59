"""The committed records keep their ids: what was measured once is found again whatever leaves came later."""

import shlex

import pytest

from repro.build import build_backbone
from repro.config.compose import compose
from repro.config.configuration import Configuration
from repro.errors import ConfigError
from repro.store.runs_file import read_runs
from tests.places import REPOSITORY

FILE = read_runs(REPOSITORY / "reports" / "runs.csv")
LINES = list(FILE.lines.values())


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.evaluation_id)
def test_the_command_of_a_record_has_the_ids_of_the_record(line):
    python, flag, package, *overrides = shlex.split(line.command)
    assert (python, flag, package) == ("python", "-m", "repro")
    configuration = compose(overrides)
    assert (configuration.run_id, configuration.evaluation_id) == (line.run_id, line.evaluation_id)


def test_what_was_frozen_before_later_leaves_keeps_its_id_and_is_composed_anew_to_be_run():
    file = REPOSITORY / "tests" / "flows" / "frozen_before_the_move.yaml"
    configuration = Configuration.from_yaml(file.read_text(), file)
    assert configuration.run_id == "3fd36339cde49d1f"
    assert configuration.evaluation_id == "298acd295b9fe592"
    assert compose(configuration.overrides).run_id != configuration.run_id
    with pytest.raises(ConfigError, match=r"does not set ceil_mode; .* composed anew"):
        build_backbone(configuration)


def test_there_are_records():
    assert len(LINES) >= 18
    assert FILE.problems == []
