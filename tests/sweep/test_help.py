import shlex

import pytest

from repro.config.groups import config_folder
from repro.sweep.help import EXAMPLES, help_text
from repro.sweep.request import read_request
from tests.composed import papers


def test_every_setting_and_every_cluster_is_told():
    text = help_text()
    for name in ("table:", "scale:", "seeds:", "submit:", "ledger:", "cluster.slots:", "Examples"):
        assert name in text
    for file in (config_folder() / "cluster").glob("*.yaml"):
        assert f"\ncluster={file.stem}: " in text


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_typed(example):
    request = read_request(shlex.split(example))
    library = papers()
    library.scale(request.scale)
    assert not request.selection.patterns or request.tables_of(library)
