import pytest

from repro.build import build_model, parameter_count
from repro.errors import ConfigError
from repro.experiments.values import has_class, network_value, recorded_value
from repro.metrics import pixel_accuracy_percent
from repro.papers import Metric
from tests.composed import composed, measured
from tests.report.made_runs import Made, matrix_of, write_papers


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    made = Made(write_papers(tmp_path_factory.mktemp("sweeps")), "paper")
    (line,) = made.lines("Plain", [71.5]).values()
    return line


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (Metric("miou"), 71.5),
        (Metric("pixel_accuracy"), pixel_accuracy_percent(matrix_of(71.5))),
        (Metric("iou", class_name="strip"), 71.5),
        (Metric("iou", class_name='a, "strange" class/é'), None),
        (Metric("iou", class_name="no such class"), None),
    ],
)
def test_a_value_is_read_out_of_the_record(evaluation, metric, value):
    assert recorded_value(evaluation, metric) == value


@pytest.mark.parametrize("metric", [Metric("parameters"), Metric("latency_ms"), Metric("iou"), Metric("setting")])
def test_a_metric_that_no_record_holds_is_refused(evaluation, metric):
    with pytest.raises(ValueError, match=f"no evaluation holds {metric}"):
        recorded_value(evaluation, metric)


def test_parameters_are_counted_on_the_network():
    configuration = composed("head=fcn", "auxiliary=fcn", "backbone.weights=null")
    built = parameter_count(build_model(configuration, 8)[0])
    assert network_value(configuration, Metric("parameters")) == built / 1e6


def test_the_network_alone_decides():
    one, other = composed("head=fcn"), composed("head=fcn", "schedule.length=3 steps", "evaluation.flip=true", "seed=4")
    assert network_value(one, Metric("parameters")) == network_value(other, Metric("parameters"))
    wider = composed("head=fcn", "head.width=32")
    assert network_value(one, Metric("parameters")) != network_value(wider, Metric("parameters"))


def test_a_head_without_a_ratio_is_named():
    with pytest.raises(ConfigError, match="the head FCN has no utilisation ratio; parallel branches have"):
        network_value(composed("head=fcn"), Metric("utilisation"))


@pytest.mark.parametrize(
    ("label", "ratio"), [("ASPP", 0.0059), ("Module A (5 x 5)", 0.148), ("Module A (9 x 9)", 0.479), ("Module B", 1)]
)
def test_the_utilisation_ratios_of_vortex_pooling(label, ratio):
    found = measured("paper", "vortex/prose")
    (item,) = [item for address, item in found.items() if address.row == label and item.metric.name == "utilisation"]
    assert item.cell.published == ratio
    assert network_value(item.chain.own, item.metric) == pytest.approx(ratio, abs=0.0005)


def test_a_data_set_knows_its_classes_without_any_file():
    assert has_class(composed("dataset=camvid", "dataset.root=/nowhere"), "Car")
    assert not has_class(composed("dataset=shapes"), "Car")
