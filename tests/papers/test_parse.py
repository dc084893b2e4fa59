import re

import pytest

from repro.papers import METRICS, Address, Metric
from repro.papers.parse import parse_metric, split_address

TABLES = {"mine/table1", "mine/table1a", "other/table1"}


def resolved(text, metric):
    """Stands for a table that has every row, with one column for each metric."""
    return Address("mine/table1", text, str(metric))


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("miou", Metric("miou")),
        ("setting", Metric("setting")),
        ("iou.road", Metric("iou", class_name="road")),
        ("iou.traffic light", Metric("iou", class_name="traffic light")),
        ("boundary_f.3", Metric("boundary_f", pixels=3)),
        ("boundary_f.3px.road", Metric("boundary_f", class_name="road", pixels=3)),
        ("delta(plain)", Metric("delta", reference=Address("mine/table1", "plain", "miou"), of=Metric("miou"))),
        (
            "delta(plain, iou.road)",
            Metric(
                "delta",
                reference=Address("mine/table1", "plain", "iou.road"),
                of=Metric("iou", class_name="road"),
            ),
        ),
        (
            "delta(MG(1, 2) + x)",
            Metric("delta", reference=Address("mine/table1", "MG(1, 2) + x", "miou"), of=Metric("miou")),
        ),
        (
            "training_time_ratio(plain)",
            Metric(
                "training_time_ratio",
                reference=Address("mine/table1", "plain", "training_time"),
                of=Metric("training_time"),
            ),
        ),
    ],
)
def test_a_metric_is_read_as_a_table_writes_it(text, metric):
    assert parse_metric(text, resolved) == metric


@pytest.mark.parametrize("name", sorted(METRICS.keys() - {"iou", "boundary_f", "delta", "training_time_ratio"}))
def test_a_metric_is_written_as_it_is_read(name):
    assert str(parse_metric(name, resolved)) == name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mio", "mio is no metric; there are miou, iou"),
        ("miou.road", "miou.road is no metric"),
        ("iou", "iou is no metric"),
        ("delta", "delta is no metric"),
        ("boundary_f", "the metric boundary_f lacks its tolerance in pixels: boundary_f.3 or boundary_f.3.road"),
        ("boundary_f.road", "lacks its tolerance in pixels"),
    ],
)
def test_what_is_no_metric_is_said_so(text, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_metric(text, resolved)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", ("mine/table1", "plain", None)),
        ("plain @ mIoU", ("mine/table1", "plain", "mIoU")),
        ("table1a: +PSP [3] @ mIoU(%)", ("mine/table1a", "+PSP [3]", "mIoU(%)")),
        ("other/table1: plain", ("other/table1", "plain", None)),
        ("nowhere: plain", ("mine/table1", "nowhere: plain", None)),
        ("a @ b @ c", ("mine/table1", "a @ b", "c")),
    ],
)
def test_an_address_is_table_label_and_column(text, found):
    assert split_address(text, "mine", "table1", TABLES) == found
