"""Reading of metrics and addresses as a table's YAML writes them."""

import re
from collections.abc import Callable

from repro.papers.table import Address, Metric

METRICS = {
    "miou": "mean IoU over the classes, in percent",
    "iou": "IoU of one class, in percent: iou.<class>",
    "pixel_accuracy": "share of labelled pixels that are right, in percent",
    "boundary_f": "F-score of boundaries, in percent: boundary_f.<px> or boundary_f.<px>.<class>",
    "parameters": "trainable parameters, in millions",
    "latency_ms": "time of one forward pass, in milliseconds",
    "training_time": "time of a training",
    "training_time_ratio": "time of a training over that of another row: training_time_ratio(<row>)",
    "utilisation": "share of the feature map that one output position draws on",
    "delta": "difference to another row: delta(<row>) or delta(<row>, <metric>)",
    "setting": "what was set, not measured",
}

_RELATIVE = re.compile(r"^(?P<name>delta|training_time_ratio)\((?P<inside>.*)\)$", re.DOTALL)
_ADDRESS = re.compile(r"^(?:(?P<paper>[\w-]+)/)?(?P<key>[\w-]+): (?P<rest>.+)$", re.DOTALL)

Resolver = Callable[[str, Metric], Address]
"""Turns the text of an address into the cell it means, preferring the column of a metric; raises ValueError."""


def parse_metric(text: str, resolve: Resolver) -> Metric:
    """The metric that a text names.

    Raises:
        ValueError: it is no metric, in words that end a sentence.
    """
    relative = _RELATIVE.match(text)
    if relative:
        return _parse_relative(relative["name"], relative["inside"], resolve)
    name, _, rest = text.partition(".")
    if name == "iou" and rest:
        return Metric(name, class_name=rest)
    if name == "boundary_f":
        pixels, _, class_name = rest.partition(".")
        if not pixels.removesuffix("px").isdigit():
            raise ValueError(f"the metric {text} lacks its tolerance in pixels: boundary_f.3 or boundary_f.3.road")
        return Metric(name, class_name=class_name or None, pixels=int(pixels.removesuffix("px")))
    if text not in METRICS or text in ("iou", "delta", "training_time_ratio"):
        raise ValueError(f"{text} is no metric; there are {', '.join(METRICS)}")
    return Metric(text)


def _parse_relative(name: str, inside: str, resolve: Resolver) -> Metric:
    of = Metric("miou" if name == "delta" else "training_time")
    row, comma, tail = inside.rpartition(", ")
    if comma and tail.partition(".")[0] in METRICS:
        inside, of = row, parse_metric(tail, resolve)
    return Metric(name, reference=resolve(inside, of), of=of)


def split_address(text: str, paper: str, key: str, tables: "set[str]") -> tuple[str, str, str | None]:
    """Table, label and column (None if not said) that a text such as `table1a: +PSP [3] @ mIoU(%)` names."""
    table = f"{paper}/{key}"
    match = _ADDRESS.match(text)
    if match:
        named = f"{match['paper'] or paper}/{match['key']}"
        if named in tables:
            table, text = named, match["rest"]
    label, at, column = text.rpartition(" @ ")
    return (table, label.strip(), column.strip()) if at else (table, text.strip(), None)
