"""A table's YAML read as far as other tables refer to it."""

import pytest

from repro.papers import SpecError
from repro.papers.draft import read_draft
from tests.papers.small_paper import ABLATION


def draft_of(folder, text):
    file = folder / "small" / "table1.yaml"
    file.parent.mkdir()
    file.write_text(text)
    return read_draft(file)


def test_a_draft_knows_its_metrics_and_the_columns_that_each_row_fills(tmp_path):
    draft = draft_of(tmp_path, ABLATION)
    assert draft.key == "small/table1"
    assert draft.metrics["mIoU"] == "miou"
    assert "mIoU" in draft.filled["best"]
    assert not draft.is_repeated("best")


def test_a_table_without_rows_is_refused_with_its_line(tmp_path):
    text = ABLATION[: ABLATION.index("rows:")] + "rows: []\n"
    with pytest.raises(SpecError, match=r"table1.yaml:\d+: rows must be a list"):
        draft_of(tmp_path, text)
