"""The union of run folders and runs.csv: what wins, what stays, what goes, what is damaged."""

from dataclasses import replace

import pytest

from repro.report.collect import collect, remembered, united
from repro.store.outputs import Outputs
from repro.store.runs_csv import recorded, runs_csv
from repro.store.runs_file import read_runs
from repro.track import TrackingError
from tests.report.audit.made_lines import KNOWN, altered, lines
from tests.report.made_runs import store


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path / "outputs")


@pytest.fixture
def reports(tmp_path):
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


def remember(reports, *records):
    (reports / "runs.csv").write_text(runs_csv(map(recorded, records)))


def test_nothing_anywhere(outputs, reports):
    found = collect(outputs, reports)
    assert (found.evaluations, found.problems) == ({}, ())
    assert found.text == runs_csv([])


def test_local_records_win_and_remembered_ones_stay(outputs, reports, shortened):
    here, there = shortened.record("Plain", 0, 70.0), shortened.record("Plain", 1, 71.0)
    remember(reports, shortened.record("Plain", 0, 1.0, created="2026-01-01T00:00:00+00:00"), there)
    store(outputs.root, here)
    found = collect(outputs, reports)
    assert {line.seed: line.scores.miou_percent for line in found.evaluations.values()} == {0: 70.0, 1: 71.0}
    assert found.text == runs_csv([recorded(there), recorded(here)])
    assert not (reports / "runs.csv.new").exists()


def test_a_fresh_clone_keeps_everything(outputs, reports, shortened):
    remember(reports, shortened.record("Plain", 1, 71.0))
    assert collect(outputs, reports).text == (reports / "runs.csv").read_text()


def test_prune_drops_what_no_run_folder_holds(outputs, reports, shortened):
    here = shortened.record("Plain", 0, 70.0)
    remember(reports, here, shortened.record("Plain", 1, 71.0))
    store(outputs.root, here)
    assert collect(outputs, reports, prune=True).text == runs_csv([recorded(here)])


def test_a_truncated_record_is_named_and_the_rest_is_there(outputs, reports, shortened):
    path = store(outputs.root, shortened.record("Plain", 0, 70.0))
    path.write_bytes(path.read_bytes()[:300])
    store(outputs.root, shortened.record("Plain", 1, 71.0))
    found = collect(outputs, reports)
    assert [line.seed for line in found.evaluations.values()] == [1]
    (problem,) = found.problems
    assert str(path) in problem
    assert "damaged" in problem


@pytest.mark.parametrize("prune", [False, True])
def test_a_damaged_record_does_not_take_its_remembered_line_away(outputs, reports, shortened, prune):
    record = shortened.record("Plain", 0, 70.0)
    remember(reports, record)
    store(outputs.root, record).write_text("{")
    found = collect(outputs, reports, prune=prune)
    assert found.text == runs_csv([recorded(record)])
    assert len(found.problems) == 1


def test_a_record_under_a_wrong_name_is_damaged(outputs, reports, shortened):
    path = store(outputs.root, shortened.record("Plain", 0, 70.0))
    path.rename(path.with_name("0" * 16 + ".json"))
    found = collect(outputs, reports)
    assert not found.evaluations
    assert "moved or copied" in found.problems[0]


def test_half_written_files_are_no_records(outputs, reports, shortened):
    path = store(outputs.root, shortened.record("Plain", 0, 70.0))
    path.with_name(".x.json.12-ab.partial").write_text("{")
    assert not collect(outputs, reports).problems


def test_wrong_lines_leave_runs_csv_alone_unless_pruned(outputs, reports, shortened):
    remember(reports, shortened.record("Plain", 1, 71.0))
    with (reports / "runs.csv").open("a") as stream:
        stream.write("rubbish\n")
    here = shortened.record("Plain", 0, 70.0)
    store(outputs.root, here)
    found = collect(outputs, reports)
    assert len(found.evaluations) == 2
    assert found.text is None
    assert f"{reports / 'runs.csv'}:3: " in found.problems[0]
    assert collect(outputs, reports, prune=True).text == runs_csv([recorded(here)])


def sentences(found, reports):
    return [problem.removeprefix(f"{reports / 'runs.csv'}:") for problem in found.problems]


@pytest.mark.parametrize("check", [False, True])
def test_a_line_that_contradicts_itself_does_not_count_and_the_file_is_left_alone(outputs, reports, shortened, check):
    right, wrong = shortened.record("Plain", 0, 70.0), replace(shortened.record("Plain", 1, 71.0), seed=2)
    remember(reports, right, wrong)
    found = remembered(reports) if check else collect(outputs, reports)
    assert list(found.evaluations) == [right.evaluation_id]
    assert found.text is None
    assert sentences(found, reports) == [
        f"3: seed is 2, but its command means 1; what stands there of evaluation {wrong.evaluation_id} does not count"
    ]
    assert [finding.evaluation_id for finding in found.findings] == [wrong.evaluation_id]


def test_lines_that_contradict_each_other_do_not_count(outputs, reports, shortened):
    one, other = shortened.record("Plain", 0, 70.0), shortened.record("Plain", 1, 71.0)
    other.provenance["evaluated_split"]["sha256"] = "cd" * 32
    remember(reports, one, other)
    for found in (remembered(reports), collect(outputs, reports)):
        assert not found.evaluations
        assert found.text is None
        assert [item[:2] for item in sentences(found, reports)] == ["2:", "3:"]


def test_an_edited_line_is_told_and_the_record_counts(outputs, reports, shortened):
    record = shortened.record("Plain", 0, 70.0)
    remember(reports, shortened.record("Plain", 0, 71.0))
    path = store(outputs.root, record)
    found = collect(outputs, reports)
    assert found.evaluations == {record.evaluation_id: recorded(record)}
    assert found.text == runs_csv([recorded(record)])
    assert f"2: miou_percent is 71.0, but its record {path} says 70.0; the record counts" in sentences(found, reports)


def test_a_record_that_contradicts_itself_leaves_the_remembered_line(outputs, reports, shortened):
    right = shortened.record("Plain", 0, 70.0)
    path = store(outputs.root, replace(shortened.record("Plain", 0, 70.0), seed=1))
    (problem,) = collect(outputs, reports).problems
    assert problem.startswith(f"{path}:6: seed is 1, but its configuration says 0")
    assert collect(outputs, reports).text == runs_csv([])
    remember(reports, right)
    assert collect(outputs, reports).evaluations == {right.evaluation_id: recorded(right)}


def test_a_record_without_its_matrix_is_damaged(outputs, reports, shortened):
    path = store(outputs.root, shortened.record("Plain", 0, 70.0))
    path.with_suffix(".npz").unlink()
    found = collect(outputs, reports)
    assert not found.evaluations
    assert "the confusion matrix" in found.problems[0]


def test_what_prune_drops_is_named(outputs, reports, shortened):
    gone = shortened.record("Plain", 1, 71.0)
    remember(reports, shortened.record("Plain", 0, 70.0), gone)
    store(outputs.root, shortened.record("Plain", 0, 70.0))
    found = collect(outputs, reports, prune=True)
    assert found.problems == ()
    assert found.warnings == (
        f"{reports / 'runs.csv'}:3: evaluation {gone.evaluation_id} (fcn, seed 1, scale short) is dropped from the "
        "list, since no run folder holds its record",
    )


def test_prune_without_any_run_drops_nothing(outputs, reports, shortened):
    record = shortened.record("Plain", 0, 70.0)
    remember(reports, record)
    found = collect(outputs, reports, prune=True)
    assert found.text == runs_csv([recorded(record)])
    assert "prune=true would drop all 1 lines" in found.problems[0]


def test_repairs_are_warnings_and_written_away(outputs, reports, shortened):
    remember(reports, shortened.record("Plain", 0, 70.0))
    text = (reports / "runs.csv").read_text()
    (reports / "runs.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    found = collect(outputs, reports)
    assert (found.problems, found.text) == ((), text)
    assert ["byte order mark" in found.warnings[0], "CRLF" in found.warnings[1]] == [True, True]


def test_commands_composed_once_more(reports):
    wrong = altered(lines()[0], evaluation_id="0" * 16)
    (reports / "runs.csv").write_text(runs_csv([*lines()[1:], wrong]))
    found = remembered(reports, KNOWN)
    assert len(found.evaluations) == 6
    deep = found.with_commands_audited()
    assert len(deep.evaluations) == 5
    assert deep.text is None
    (problem,) = sentences(deep, reports)
    assert f"evaluation_id is {'0' * 16}, but its command gives {lines()[0].evaluation_id}" in problem


def test_remembered_looks_at_runs_csv_alone(outputs, reports, shortened):
    record = shortened.record("Plain", 1, 71.0)
    remember(reports, record)
    store(outputs.root, shortened.record("Plain", 0, 70.0))
    found = remembered(reports)
    assert list(found.evaluations) == [record.evaluation_id]
    assert found.text == (reports / "runs.csv").read_text()


def test_fetched_records_count_as_held(outputs, reports, shortened, monkeypatch):
    asked = []

    def fetch(server, known):
        asked.append((server, set(known)))
        return [shortened.record("Plain", 2, 72.0)], ["one run is broken"]

    monkeypatch.setattr("repro.report.collect.fetch_records", fetch)
    here, old = shortened.record("Plain", 0, 70.0), shortened.record("Plain", 1, 71.0)
    store(outputs.root, here)
    remember(reports, old)
    found = collect(outputs, reports, server="sqlite:///x")
    assert {line.seed for line in found.evaluations.values()} == {0, 1, 2}
    assert found.problems == ("one run is broken",)
    assert {line.seed for line in collect(outputs, reports, server="x", prune=True).evaluations.values()} == {0, 2}
    assert asked == [("sqlite:///x", {here.evaluation_id, old.evaluation_id}), ("x", {here.evaluation_id})]


def test_a_server_out_of_reach_is_a_problem_and_nothing_is_pruned(outputs, reports, shortened, monkeypatch):
    def fetch(server, known):
        raise TrackingError("nobody answers")

    monkeypatch.setattr("repro.report.collect.fetch_records", fetch)
    remember(reports, shortened.record("Plain", 1, 71.0))
    found = collect(outputs, reports, server="x", prune=True)
    assert found.problems == ("nobody answers",)
    assert found.text == (reports / "runs.csv").read_text()


def test_union_is_idempotent(reports, shortened):
    lines = shortened.lines("Plain", [70.0, 71.0])
    once = united(lines, {}, ())
    assert united(once, once, once.keys()) == once == united({}, once, once.keys())
    assert united({}, once, ()) == {}


def test_same_text_twice(outputs, reports, shortened):
    for seed in range(3):
        store(outputs.root, shortened.record("Rates", seed, 70.0 + seed))
    first = collect(outputs, reports).text
    (reports / "runs.csv").write_text(first)
    assert collect(outputs, reports).text == first
    assert len(read_runs(reports / "runs.csv").lines) == 3
