"""The metrics that the papers print: what each is, its unit, and where its value comes from.

A metric is added here; one that a record holds also as a score in `repro.metrics` and as a field of
`repro.store.record.Scores`, one of the network alone in `repro.experiments.values`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the value of a metric comes from."""

    record = "record"
    network = "network"
    none = "none"


PERCENT = "%"


@dataclass(frozen=True)
class MetricKind:
    """One metric.

    Attributes:
        name: as tables name it.
        words: what it is.
        unit: of measured values; `%` for scores between 0 and 100, of which the largest is the best.
        source: the record of an evaluation, the network alone, or none of our own making.
        field: of a record, the field that holds it: a number, or class name to number.
        groups: of a network, the config groups that decide it.
        averaged_into: the metric that is the mean of its classes.
        is_cost: the less of it the better.
    """

    name: str
    words: str
    unit: str = ""
    source: Source = Source.none
    field: str = ""
    groups: tuple[str, ...] = ()
    averaged_into: str = ""
    is_cost: bool = False

    @property
    def is_score(self) -> bool:
        """Whether it is a score in percent."""
        return self.unit == PERCENT

    @property
    def has_seeds(self) -> bool:
        """Whether it may come out otherwise for another seed."""
        return self.source is not Source.network


_KINDS = (
    MetricKind("miou", "mean IoU over the classes", PERCENT, Source.record, "miou_percent"),
    MetricKind("iou", "IoU of one class: iou.<class>", PERCENT, Source.record, "per_class_iou_percent",
               averaged_into="miou"),
    MetricKind("pixel_accuracy", "share of labelled pixels that are right", PERCENT, Source.record,
               "pixel_accuracy_percent"),
    MetricKind("boundary_f", "F-score of boundaries: boundary_f.<px> or boundary_f.<px>.<class>", PERCENT,
               averaged_into="boundary_f"),
    MetricKind("parameters", "trainable parameters", "M", Source.network, groups=("backbone", "head", "auxiliary"),
               is_cost=True),
    MetricKind("operations", "multiply-adds of one forward pass over an image of 513 x 513", "G", Source.network,
               groups=("backbone", "head"), is_cost=True),
    MetricKind("map_positions", "positions of the backbone's last map under a training crop", "", Source.network,
               groups=("backbone",)),
    MetricKind("valid_weights", "share of the weights of the head's widest 3x3 that fall on the map of a crop", "",
               Source.network, groups=("backbone", "head")),
    MetricKind("full_kernels", "share of positions of that map at which all nine weights fall on it", "",
               Source.network, groups=("backbone", "head")),
    MetricKind("centre_kernels", "share of positions of that map at which the middle weight alone falls on it", "",
               Source.network, groups=("backbone", "head")),
    MetricKind("attended_positions", "positions that attention joins each one with, for an image of 513 x 513", "",
               Source.network, groups=("backbone", "head"), is_cost=True),
    MetricKind("latency_ms", "time of one forward pass", "ms", is_cost=True),
    MetricKind("training_time", "time of a training", "h", is_cost=True),
    MetricKind("training_time_ratio", "time of a training over that of another row: training_time_ratio(<row>)",
               is_cost=True),
    MetricKind("training_memory", "largest memory of a training on one device", "GB", is_cost=True),
    MetricKind("inference_memory", "largest memory of a forward pass", "GB", is_cost=True),
    MetricKind("largest_batch", "images of the largest batch that fits a device", "images"),
    MetricKind("label_agreement", "IoU of two sets of labels on the images that have both", PERCENT),
    MetricKind("confusion", "share of the pixels of one class that are taken for another", PERCENT),
    MetricKind("region_iou", "mean IoU over objects of one size alone", PERCENT),
    MetricKind("final_loss", "training loss at the end of a training"),
    MetricKind("gradient_variation", "standard deviation over mean of the gradient's norm during a training"),
    MetricKind("mask_focus", "mean of a mask inside large classes less that outside"),
    MetricKind("utilisation", "share of the feature map that one output position draws on", "", Source.network,
               groups=("head",)),
    MetricKind("delta", "difference to another row: delta(<row>) or delta(<row>, <metric>)"),
    MetricKind("setting", "what was set, not measured"),
)  # fmt: skip

METRICS = {kind.name: kind for kind in _KINDS}
"""Name to metric."""

SETTING, DELTA, RATIO = METRICS["setting"], METRICS["delta"], METRICS["training_time_ratio"]
MIOU, CLASS_IOU, BOUNDARY_F = METRICS["miou"], METRICS["iou"], METRICS["boundary_f"]
TRAINING_TIME = METRICS["training_time"]
