"""The registry of metrics, and that what it promises is there: scores, fields of records, values of networks."""

from dataclasses import fields

import pytest

from repro.experiments.values import COMPUTED
from repro.metrics import SCORES
from repro.papers import METRICS, Metric, Source
from repro.papers.metrics import CLASS_IOU, MIOU
from repro.store.record import Scores
from repro.store.runs_csv import Recorded

SCORE_FIELDS = {item.name for item in fields(Scores)}
RECORDED_FIELDS = {item.name for item in fields(Recorded)}
BY_SOURCE = {source: {name for name, kind in METRICS.items() if kind.source is source} for source in Source}


def test_metrics_are_known_by_their_names():
    assert all(name == kind.name for name, kind in METRICS.items())
    assert all(kind.words for kind in METRICS.values())


@pytest.mark.parametrize("name", sorted(BY_SOURCE[Source.record]))
def test_a_metric_of_records_names_a_field_that_a_record_has(name):
    kind = METRICS[name]
    assert (kind.field in SCORE_FIELDS) != (kind.field in RECORDED_FIELDS)
    assert kind.groups == ()


def test_every_score_of_a_record_is_computed_and_printed_by_some_metric():
    assert set(SCORES) == SCORE_FIELDS
    assert {METRICS[name].field for name in BY_SOURCE[Source.record]} >= SCORE_FIELDS


def test_the_metrics_of_the_network_are_those_that_are_worked_out():
    assert BY_SOURCE[Source.network] == set(COMPUTED)
    for name in COMPUTED:
        assert METRICS[name].groups, f"nothing says what decides {name}"
        assert METRICS[name].field == ""


@pytest.mark.parametrize("name", sorted(BY_SOURCE[Source.none]))
def test_a_metric_of_our_own_making_promises_no_value(name):
    assert (METRICS[name].field, METRICS[name].groups) == ("", ())


def test_a_metric_of_classes_goes_into_one_that_there_is():
    averaged = {kind.name: kind.averaged_into for kind in METRICS.values() if kind.averaged_into}
    assert averaged == {"iou": "miou", "boundary_f": "boundary_f"}
    assert METRICS[averaged["iou"]] is MIOU


def test_less_is_better_of_costs_alone():
    assert {name for name, kind in METRICS.items() if kind.is_cost} == {
        "parameters", "operations", "attended_positions", "latency_ms", "training_time", "training_time_ratio",
        "training_memory", "inference_memory",
    }  # fmt: skip


def test_scores_are_percentages_and_only_the_network_has_no_seeds():
    scores = {"miou", "iou", "pixel_accuracy", "boundary_f", "region_iou", "confusion", "label_agreement"}
    assert {name for name, kind in METRICS.items() if kind.is_score} == scores
    assert {name for name, kind in METRICS.items() if not kind.has_seeds} == BY_SOURCE[Source.network]
    assert Metric(CLASS_IOU.name, class_name="road").kind is CLASS_IOU
