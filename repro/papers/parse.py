"""Reading of metrics and addresses as a table's YAML writes them."""

import re
from collections.abc import Callable

from repro.papers.address import Address
from repro.papers.metrics import BOUNDARY_F, CLASS_IOU, DELTA, METRICS, MIOU, RATIO, TRAINING_TIME
from repro.papers.table import Metric

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
    if name == CLASS_IOU.name and rest:
        return Metric(name, class_name=rest)
    if name == BOUNDARY_F.name:
        pixels, _, class_name = rest.partition(".")
        if not pixels.removesuffix("px").isdigit():
            raise ValueError(f"the metric {text} lacks its tolerance in pixels: boundary_f.3 or boundary_f.3.road")
        return Metric(name, class_name=class_name or None, pixels=int(pixels.removesuffix("px")))
    if text not in METRICS or METRICS[text] in (CLASS_IOU, DELTA, RATIO):
        raise ValueError(f"{text} is no metric; there are {', '.join(METRICS)}")
    return Metric(text)


def _parse_relative(name: str, inside: str, resolve: Resolver) -> Metric:
    of = Metric(MIOU.name if name == DELTA.name else TRAINING_TIME.name)
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
