"""The list of records as a plan reads it: it believes what a report believes, and tells what it does not."""

import pytest

from repro.errors import StoreError
from repro.report.collect import remembered
from repro.store.runs_csv import runs_csv
from repro.sweep.plan.listed import Listed, RecordsList
from tests.report.audit.made_lines import KNOWN, altered, lines


def read(folder, found=None):
    if found is not None:
        (folder / "runs.csv").write_text(runs_csv(found))
    return RecordsList(folder, KNOWN).read()


def ids(found):
    return {line.evaluation_id for line in found}


def test_no_list_is_an_empty_one_and_a_right_one_counts_whole(tmp_path):
    assert read(tmp_path) == Listed()
    assert read(tmp_path, lines()) == Listed({line.evaluation_id: line for line in lines()})


def test_a_line_of_another_form_does_not_count_and_another_list_is_an_error(tmp_path):
    text = runs_csv(lines())
    (tmp_path / "runs.csv").write_text(text.replace(f",{lines()[0].seed},", ",x,", 1))
    assert len(read(tmp_path).evaluations) == len(lines()) - 1
    for content in (b"run\n1\n", b"\xff\xfe"):
        (tmp_path / "runs.csv").write_bytes(content)
        with pytest.raises(StoreError, match=r"runs\.csv"):
            read(tmp_path)


@pytest.mark.parametrize(
    "columns",
    [{"miou_percent": 99.9}, {"seed": 1}, {"scale": "smoke"}, {"confusion_sha256": lines()[1].confusion_sha256}],
    ids=lambda columns: next(iter(columns)),
)
def test_what_a_report_refuses_is_not_recorded(tmp_path, columns):
    first, *others = lines()
    found = read(tmp_path, [altered(first, **columns), *others])
    by_the_report = remembered(tmp_path, KNOWN)
    assert found.evaluations == by_the_report.evaluations
    assert list(found.findings) == list(by_the_report.findings)
    assert first.evaluation_id not in found.evaluations


def test_the_refused_line_is_told_where_its_evaluation_is_missing(tmp_path):
    first, second, *others = lines()
    wrong = [altered(first, miou_percent=99.9), altered(second, miou_percent=98.9)]
    found = read(tmp_path, [*wrong, *others])
    assert list(found.lines(ids(others))) == []
    (told,) = [" ".join(" ".join(found.lines([first.evaluation_id])).split())]
    assert told.startswith(f"list {tmp_path / 'runs.csv'}:")
    assert "miou_percent is 99.9, but the mean of its 8 classes is" in told
    assert told.endswith(f"evaluation {first.evaluation_id} counts as not recorded")
    assert " ".join(found.lines(ids(wrong))).endswith("as is true of 1 more")


def test_a_list_is_read_again_only_after_it_has_changed(tmp_path):
    (tmp_path / "runs.csv").write_text(runs_csv(lines()))
    held = RecordsList(tmp_path, KNOWN)
    first = held.read()
    assert held.read() is first
    (tmp_path / "runs.csv").write_text(runs_csv(lines()[1:]))
    assert len(held.read().evaluations) == len(lines()) - 1
    (tmp_path / "runs.csv").unlink()
    assert held.read() == Listed()
