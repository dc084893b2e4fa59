"""Values of cells: found by evaluation id for every seed, as differences, per class, or from the network alone."""

import dataclasses

import pytest

from repro.experiments.chain import Chain
from repro.experiments.measurement import Kind
from repro.papers import Metric
from repro.report.judge.evidence import Absent, Evidence
from repro.report.judge.verdicts import Verdict
from repro.store.record import Scores
from repro.store.runs_csv import recorded
from tests.report.made_runs import Made, record_of


def test_values_of_every_seed(shortened):
    lines = shortened.lines("Rates", [71.0, 72.0, 73.0])
    values = Evidence(shortened.found, lines).of(shortened.cell("Rates"))
    assert values.by_seed == {0: 71.0, 1: 72.0, 2: 73.0}
    assert values.evidence == tuple(lines)
    assert values.hardware == ("A card",)
    assert not values.exact


def test_evaluations_of_another_scale_do_not_count(shortened, as_printed):
    evidence = Evidence(as_printed.found, shortened.lines("Rates", [71.0]))
    assert evidence.of(as_printed.cell("Rates")) == Absent(Verdict.NOT_RUN)


def test_the_label_of_the_scale_does_not_count_but_the_identity(shortened):
    line = recorded(shortened.record("Rates", 0, 71.0, scale="paper"))
    assert Evidence(shortened.found, {line.evaluation_id: line}).of(shortened.cell("Rates")).by_seed == {0: 71.0}


def test_a_difference_is_paired_by_seed(shortened):
    lines = shortened.lines("Rates", [71.0, 72.0, 73.0]) | shortened.lines("Plain", [70.0, 70.5])
    values = Evidence(shortened.found, lines).of(shortened.cell("Rates", "Gain"))
    assert values.by_seed == {0: 1.0, 1: 1.5}
    assert set(values.evidence) == set(lines)


def test_a_difference_to_what_has_not_been_run(shortened):
    evidence = Evidence(shortened.found, shortened.lines("Rates", [71.0]))
    assert evidence.of(shortened.cell("Rates", "Gain")) == Absent(Verdict.NOT_RUN, "against Plain, which is not run")


def test_a_difference_without_a_common_seed_has_values_all_the_same(shortened):
    plain = dict(list(shortened.lines("Plain", [70.0, 70.5, 71.0, 71.5]).items())[2:])
    found = Evidence(shortened.found, shortened.lines("Rates", [71.0, 72.0]) | plain)
    values = found.of(shortened.cell("Rates", "Gain"))
    assert values.by_seed == {}
    assert len(values.evidence) == 4
    assert values.contrast.interval(2).mean == pytest.approx(71.5 - 71.25)


def test_a_contrast_knows_what_was_measured_of_which_training(shortened):
    lines = shortened.lines("Rates", [71.0, 72.0]) | shortened.lines("Plain", [70.0, 70.5])
    evidence = Evidence(shortened.found, lines)
    gain = evidence.of(shortened.cell("Rates", "Gain")).contrast
    assert [(term.count, term.run) for term in gain.terms] == [
        (1.0, shortened.cell("Rates").run_id(0)), (-1.0, shortened.cell("Plain").run_id(0))
    ]  # fmt: skip
    rest = gain.plus(evidence.of(shortened.cell("Rates")).contrast, -1)
    assert [term.run for term in rest.terms] == [shortened.cell("Plain").run_id(0)]


def test_what_the_other_side_of_a_difference_deviates_in_counts_too(shortened, as_printed):
    gain = as_printed.cell("Rates", "Gain")
    assert Evidence(as_printed.found, {}).deviations(gain).stated == ()
    found = Evidence(as_printed.found, {}).deviations(gain, lambda _: shortened.cell("Plain")).stated
    assert "Plain: schedule.length: 200 steps → 20 steps" in found


def test_cells_that_are_not_run_say_so(shortened):
    evidence = Evidence(shortened.found, {})
    assert evidence.of(shortened.cell("Deeper")).verdict is Verdict.NOT_BUILT
    assert evidence.of(shortened.cell("Someone [1]")) == Absent(Verdict.CITED, "Someone 2019")
    assert evidence.of(shortened.cell("Rates")) == Absent(Verdict.NOT_RUN)


def test_parameters_come_from_the_network(shortened):
    values = Evidence(shortened.found, {}).of(shortened.cell("Plain", "Parameters"))
    assert values.exact
    assert values.by_seed[0] == pytest.approx(13.5, abs=1.5)


@pytest.mark.parametrize(("start", "now", "is_stale"), [("a", "a", False), ("a", "b", True), ("", "b", False)])
def test_a_value_whose_start_was_trained_anew_is_stale(shortened, start, now, is_stale):
    cell = shortened.cell("Plain")
    (link,) = cell.chain.links
    after = dataclasses.replace(cell, chain=Chain((dataclasses.replace(link, stage="before"), link)))
    before_line = dataclasses.replace(recorded(record_of(cell, 0, 60.0)), weights_digest=now)
    after_line = dataclasses.replace(recorded(record_of(after, 0, 70.0)), start_digest=start)
    lines = {line.evaluation_id: line for line in (before_line, after_line)}
    warnings = Evidence(shortened.found, lines).of(after).warnings
    told = f"stale: run {cell.run_id(0)}, which seed 0 starts from, has been trained anew since"
    assert warnings == ((told,) if is_stale else ())


def test_a_value_is_stale_too_if_the_start_of_its_start_was_trained_anew(shortened):
    cell = shortened.cell("Plain")
    (link,) = cell.chain.links
    links = [dataclasses.replace(link, stage=stage) for stage in ("first", "second")]
    second, third = (dataclasses.replace(cell, chain=Chain((*links[:number], link))) for number in (1, 2))
    lines = [
        dataclasses.replace(recorded(record_of(cell, 0, 60.0)), weights_digest="new"),
        dataclasses.replace(recorded(record_of(second, 0, 65.0)), weights_digest="b", start_digest="old"),
        dataclasses.replace(recorded(record_of(third, 0, 70.0)), start_digest="b"),
    ]
    warnings = Evidence(shortened.found, {line.evaluation_id: line for line in lines}).of(third).warnings
    assert warnings == (f"stale: run {cell.run_id(0)}, which seed 0 starts from, has been trained anew since",)


def with_metric(measurement, metric):
    return dataclasses.replace(measurement, cell=dataclasses.replace(measurement.cell, metric=metric))


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (Metric("miou"), 71.0),
        (Metric("pixel_accuracy"), 90.0),
        (Metric("iou", "strip"), 71.0),
        (Metric("iou", "background"), 90.0),
    ],
    ids=str,
)
def test_every_score_of_a_record(shortened, metric, value):
    classes = {"background": 90.0, "strip": 71.0}
    line = recorded(shortened.record("Plain", 0, 71.0, scores=Scores(71.0, 90.0), per_class_iou_percent=classes))
    evidence = Evidence(shortened.found, {line.evaluation_id: line})
    assert evidence.of(with_metric(shortened.cell("Plain"), metric)).by_seed == {0: value}


def test_a_class_that_the_data_do_not_have(shortened):
    found = Evidence(shortened.found, {}).of(with_metric(shortened.cell("Plain"), Metric("iou", "road")))
    assert found == Absent(Verdict.NOT_AT_THIS_SCALE, "shapes has no class road")


def test_a_score_that_is_not_defined(shortened):
    evidence = Evidence(shortened.found, shortened.lines("Plain", [70.0]))
    found = evidence.of(with_metric(shortened.cell("Plain"), Metric("iou", "wire")))
    assert found.verdict is Verdict.NOT_RUN
    assert "not defined" in found.reason


def test_used_evaluations_are_remembered(shortened):
    lines = shortened.lines("Rates", [71.0]) | shortened.lines("Plain", [70.0])
    evidence = Evidence(shortened.found, lines)
    evidence.of(shortened.cell("Plain"))
    assert evidence.used == set(shortened.lines("Plain", [70.0]))


def test_a_cell_that_is_another_one_at_the_scale(papers):
    merged = Made(papers, "merged")
    twin = merged.cell("Rates, smaller")
    assert (twin.kind, twin.reason) == (Kind.SAME_AS, "Rates")
    evidence = Evidence(merged.found, merged.lines("Rates", [71.0]))
    assert evidence.resolved(twin).run_id(0) == merged.cell("Rates").run_id(0)
    assert evidence.of(evidence.resolved(twin)).by_seed == {0: 71.0}
