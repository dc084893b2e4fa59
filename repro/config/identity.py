"""What makes two runs the same: the normalised science configuration and its hash.

Pure functions of a resolved tree. Equal experiments get one id however they are written down; whatever can change a
result changes the id. The only files touched are a local weights file and the files of a data set that declares no
hash, which count by their content.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from repro.config.content import content_of
from repro.config.settings import FirstDraw, Length, is_replaced, window_stride
from repro.config.tree import Tree, canonical, flatten, without
from repro.errors import ConfigError

GROUPS = ("backbone", "head", "auxiliary", "dataset", "schedule", "evaluation", "init", "runtime", "tracking")
"""The groups that a run is composed of."""

LATER_LEAVES = {
    "backbone.blocks": 4,
    "backbone.block_shortcut": "identity",
    "dataset.duplicate": None,
    "dataset.duplicate_times": 2,
    "schedule.loss": "cross_entropy",
    "schedule.upsample_logits": True,
    "schedule.replicas": 1,
}
"""Leaves that came after runs had been recorded, with the value that says what their absence said: left out then."""

NOT_PART_OF_A_RUN = frozenset({
    "name", "outputs",
    "dataset.root", "dataset.evaluation_split", "dataset.allow_overlap",
    "runtime.device", "runtime.threads", "runtime.workers", "runtime.prefetch", "runtime.channels_last",
    "runtime.compile", "runtime.checkpoint_seconds", "runtime.log_every_steps", "runtime.progress",
    "tracking.kind", "tracking.uri", "tracking.experiment",
    "evaluation.split", "evaluation.output_stride", "evaluation.scales", "evaluation.flip", "evaluation.average",
    "evaluation.pad_to", "evaluation.batch_size", "evaluation.masks", "evaluation.panels",
    "evaluation.window", "evaluation.window_stride", "evaluation.antialias", "evaluation.scaled_size",
    "evaluation.scaled_align_corners", "evaluation.pad_first",
})  # fmt: skip
"""Exact dotted paths of the leaves that do not change what training yields."""

NOT_PART_OF_AN_EVALUATION = frozenset({"evaluation.batch_size", "evaluation.masks", "evaluation.panels"})
"""Leaves of the evaluation group that do not change its scores."""

OF_THE_FIRST_DRAW = frozenset({"logits_std", "std", "zero_init"})
"""Switches of our own heads and their parts that say how weights start, and nothing else."""

OF_THE_VALIDATION = frozenset({
    "evaluation.pad_to", "evaluation.window", "evaluation.window_stride", "evaluation.average",
})  # fmt: skip
"""Leaves of the evaluation that validations follow: part of a run whose weights these choose."""

OF_THE_TRAINING_SPLIT = frozenset({"dataset.train_split", "dataset.duplicate", "dataset.duplicate_times"})
"""Leaves of a data set that do not concern what is evaluated."""

NOT_OF_WHAT_IS_MEASURED = OF_THE_TRAINING_SPLIT | {"dataset.root", "dataset.allow_overlap"}
"""Leaves of a data set that change nothing about the images of an evaluation."""


def is_part_of_a_run(path: str) -> bool:
    """Whether a leaf may change what training yields."""
    return path not in NOT_PART_OF_A_RUN and path.partition(".")[0] not in NOT_PART_OF_A_RUN


def digest(tree: Tree) -> str:
    """First 16 hex digits of the sha256 of a canonical tree."""
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def science(resolved: Tree) -> dict[str, Any]:
    """The part of a resolved configuration that decides what training yields, in canonical form."""
    tree: dict[str, Any] = canonical(resolved)
    excluded = set(NOT_PART_OF_A_RUN)
    used = [tree.get("dataset", {}).get("train_split")]
    if tree.get("selection", "last") == "last":
        excluded |= {"validation.every", "validation.split"}  # the weights do not depend on who looks at them
    else:
        excluded -= OF_THE_VALIDATION
        tree.setdefault("validation", {}).setdefault("split", tree.get("dataset", {}).get("evaluation_split"))
        used.append(tree["validation"]["split"])
    content = _content(resolved, *used)
    tree = without(tree, excluded | _as_before(tree))
    _canonical_validation(tree)
    _canonical_network(tree)
    _canonical_dataset(tree, content)
    _canonical_schedule(tree)
    for group in ("head", "auxiliary"):
        _canonical_dropout(tree.get(group, {}), trains=tree.get("schedule", {}).get("length") != "0 steps")
    init = tree.pop("init", {})
    if not init.get("from"):
        return tree
    return started_from(tree, init["from"], init.get("drop") or (), init.get("layout") or "ours")


def started_from(science: Tree, source: str, drop: Iterable[str], layout: str = "ours") -> dict[str, Any]:
    """The science of a run that starts from the weights of another one: `run:<id>`, or `file:<path>` by its content.

    The layout is that of a file, and without effect elsewhere.
    How a part starts then has no effect, unless some of it is dropped.
    """
    dropped = sorted(drop)
    init: dict[str, Any] = {"from": source, "drop": dropped}
    if source.startswith("file:"):
        digits = _sha256(Path(source.removeprefix("file:")), "init.from")
        init = {"from": f"file:{digits}", "layout": layout, "drop": dropped}
    tree = {**science, "init": init}
    for part in ("backbone", "head", "auxiliary"):
        if part in tree and is_replaced(part, dropped):
            ours = {"weights", "weights_of_other_strides"} if part == "backbone" else set()
            tree[part] = without(_without_draws(tree[part]), {"first_draw", *ours})
    return tree


def protocol(resolved: Tree) -> dict[str, Any]:
    """Data set, split and protocol of an evaluation, in canonical form."""
    concerned = {group: resolved[group] for group in ("backbone", "dataset", "evaluation") if group in resolved}
    tree = without(canonical(concerned), NOT_PART_OF_AN_EVALUATION | NOT_OF_WHAT_IS_MEASURED)
    dataset, evaluation = dict(tree.get("dataset", {})), dict(tree.get("evaluation", {}))
    customary = dataset.pop("evaluation_split", None)
    evaluation.setdefault("split", customary)
    _set_content(dataset, _content(resolved, evaluation["split"]))
    evaluation.setdefault("output_stride", tree.get("backbone", {}).get("output_stride"))
    _canonical_windows(evaluation)
    if evaluation.get("scales") == [1] and not evaluation.get("flip") and "window" not in evaluation:
        evaluation.pop("average", None)  # nothing is averaged
    _canonical_views(evaluation, resolved.get("align_corners", False))
    return {"dataset": dataset, "evaluation": evaluation}


def _canonical_views(evaluation: dict[str, Any], align_corners: bool) -> None:
    """How views are scaled and padded, where it can matter."""
    evaluation.setdefault("scaled_align_corners", align_corners)
    single = evaluation.get("scales") == [1]
    if not _shrinks(evaluation.get("scales")):
        evaluation.pop("antialias", None)
    if single:
        evaluation.pop("scaled_size", None)
        evaluation.pop("scaled_align_corners")
    if "pad_to" not in evaluation or (single and not evaluation.get("flip")):
        evaluation.pop("pad_first", None)  # nothing is padded, or nothing else happens to an image


def _shrinks(scales: Any) -> bool:
    """Whether some factor makes an image smaller; what is no list of numbers is refused elsewhere."""
    numbers = scales if isinstance(scales, list) else []
    return any(isinstance(scale, (int, float)) and scale < 1 for scale in numbers)


def _as_before(tree: Tree) -> set[str]:
    """The later leaves that say what their absence said."""
    flat = flatten(tree)
    return {path for path, value in LATER_LEAVES.items() if path in flat and flat[path] == value}


def _canonical_windows(evaluation: dict[str, Any]) -> None:
    if window := evaluation.get("window"):
        evaluation.setdefault("window_stride", window_stride(window))
        evaluation.pop("pad_to", None)  # an image is padded to the window
    else:
        evaluation.pop("window_stride", None)


def _canonical_validation(tree: dict[str, Any]) -> None:
    """What validations that choose the weights take over from the evaluation: a single view, so averages of windows."""
    evaluation = tree.get("evaluation", {})
    _canonical_windows(evaluation)
    if "window" not in evaluation:
        evaluation.pop("average", None)
    if not evaluation:
        tree.pop("evaluation", None)


def _canonical_network(tree: dict[str, Any]) -> None:
    backbone = tree.get("backbone", {})
    if all(rate == 1 for rate in backbone.get("multi_grid") or ()):
        backbone.pop("multi_grid", None)
    if backbone.get("stride_at") == "last":
        backbone.pop("first_unit", None)  # where the last unit strides, the first one has nothing to lose
    if backbone.get("stride_at") != "last" or not _is_published(backbone.get("weights") or "/"):
        backbone.pop("weights_of_other_strides", None)
    if "blocks" not in backbone:
        backbone.pop("block_shortcut", None)
    if weights := backbone.pop("weights", None):
        backbone["weights"] = _weights_name(weights)
    auxiliary = tree.get("auxiliary", {})
    if "_target_" not in auxiliary or auxiliary.get("weight") == 0:
        tree.pop("auxiliary", None)
    _canonical_draws(tree)


def _canonical_draws(tree: dict[str, Any]) -> None:
    for part in ("backbone", "head", "auxiliary"):
        if "first_draw" in tree.get(part, {}):
            tree[part]["first_draw"] = str(FirstDraw.parse(tree[part]["first_draw"], f"{part}.first_draw"))
    if "weights" in tree.get("backbone", {}) and "blocks" not in tree["backbone"]:
        tree["backbone"].pop("first_draw", None)  # weights replace every convolution
    if _is_logits_alone(tree):
        tree["head"].pop("first_draw", None)


def _is_logits_alone(tree: Tree) -> bool:
    """Whether the head has neither a convolution before that of the logits, nor batch norm."""
    head = tree.get("head", {})
    return head.get("_target_") == "repro.nn.FCN" and head.get("width") is None


def _without_draws(node: Tree) -> dict[str, Any]:
    """A group without the switches that say how weights start, where it is known that they say nothing else."""
    ours = str(node.get("_target_")).startswith("repro.nn.")
    inner = {key: _without_draws(value) if isinstance(value, dict) else value for key, value in node.items()}
    return {key: value for key, value in inner.items() if not (ours and key in OF_THE_FIRST_DRAW)}


def _canonical_dropout(node: dict[str, Any], *, trains: bool) -> None:
    """Leaves out of a head of this package and of its parts what is said of a dropout that never drops."""
    for part in node.values():
        if isinstance(part, dict):
            _canonical_dropout(part, trains=trains)
    if not str(node.get("_target_")).startswith("repro.nn."):
        return  # of another class these names may mean anything
    if not trains or not node.get("extra_conv"):
        node.pop("extra_conv_dropout", None)
    if not trains:
        node.pop("dropout", None)
    if not node.get("dropout") and not node.get("extra_conv_dropout"):
        node.pop("dropout_kind", None)


def _content(tree: Tree, *splits: str | None) -> str | None:
    """The hash of the data set's files, if one of the splits used declares none."""
    used = [split for split in splits if split is not None]
    return content_of(tree.get("dataset", {}), used, Path(tree.get("outputs", "outputs")))


def _set_content(dataset: dict[str, Any], content: str | None) -> None:
    dataset.pop("content", None)
    if content is not None:
        dataset["content"] = f"sha256:{content}"


def _canonical_dataset(tree: dict[str, Any], content: str | None) -> None:
    dataset = tree.get("dataset", {})
    _set_content(dataset, content)
    if dataset.get("duplicate") is None:
        dataset.pop("duplicate", None)
        dataset.pop("duplicate_times", None)
    elif isinstance(dataset["duplicate"], list):
        dataset["duplicate"] = sorted(set(map(str, dataset["duplicate"])))


def _canonical_schedule(tree: dict[str, Any]) -> None:
    schedule = tree.get("schedule", {})
    if "length" in schedule:
        length = Length.parse(schedule["length"], "schedule.length", least=0)
        schedule["length"] = str(length)
        if length.count == 0:  # what trains, how it is chosen, and on what, has no effect
            tree["schedule"] = {"length": "0 steps"}
            unused = ["selection", "validation", "evaluation", "auxiliary"] + ["seed"] * (
                not tree.get("init", {}).get("drop")
            )
            for key in unused:
                tree.pop(key, None)
            tree["dataset"] = without(tree.get("dataset", {}), OF_THE_TRAINING_SPLIT | {"dataset.content"}, "dataset.")
            return
    if "loss" not in schedule:
        schedule.pop("ohem", None)
    if "every" in tree.get("validation", {}):
        tree["validation"]["every"] = str(Length.parse(tree["validation"]["every"], "validation.every"))
    batch_norm = schedule.get("batch_norm", {})
    if batch_norm.get("frozen"):
        for part in ("backbone", "head"):  # frozen statistics do not move; the batch they stand for still splits sums
            batch_norm.pop(f"{part}_momentum", None)
    if _is_logits_alone(tree) and "auxiliary" not in tree and "blocks" not in tree.get("backbone", {}):
        batch_norm.pop("head_momentum", None)
    if "batch_size" in schedule:
        batch_norm.setdefault("samples", schedule["batch_size"])
    _canonical_average(schedule, batch_norm)
    augmentation = schedule.get("augmentation", {})
    if not _shrinks(augmentation.get("scale_range")):
        augmentation.pop("antialias", None)
    if augmentation.get("scale_range", [1, 1]) == [1, 1]:
        augmentation.pop("label_from_corner", None)
    if schedule.get("weight_decay") == 0:
        schedule.pop("weight_decay_on", None)


def _canonical_average(schedule: dict[str, Any], batch_norm: Tree) -> None:
    """A group of all images is the batch, one of a single image that image, and a batch of one image all three."""
    batch, group = schedule.get("batch_size"), batch_norm.get("samples")
    if batch == 1 or (schedule.get("loss_average") == "group" and group == batch):
        schedule["loss_average"] = "batch"
    elif schedule.get("loss_average") == "group" and group == 1:
        schedule["loss_average"] = "image"


def _weights_name(weights: str) -> str:
    """A file counts by its content, a published set of weights by its name."""
    if _is_published(weights):
        return weights
    return "sha256:" + _sha256(Path(weights), "backbone.weights")


def _is_published(weights: str) -> bool:
    """Whether weights of a backbone are a published set's name, and not a file."""
    return "/" not in weights and not weights.endswith((".pth", ".pt"))


def _sha256(path: Path, leaf: str) -> str:
    try:
        with path.expanduser().open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{leaf} names the file {path}, which cannot be read: {error.strerror}") from error
