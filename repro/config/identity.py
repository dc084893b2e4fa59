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
from repro.config.settings import Length, window_stride
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
    "dataset.root", "dataset.evaluation_split",
    "runtime.device", "runtime.threads", "runtime.workers", "runtime.prefetch", "runtime.channels_last",
    "runtime.compile", "runtime.checkpoint_seconds", "runtime.log_every_steps", "runtime.progress",
    "tracking.kind", "tracking.uri", "tracking.experiment",
    "evaluation.split", "evaluation.output_stride", "evaluation.scales", "evaluation.flip", "evaluation.average",
    "evaluation.pad_to", "evaluation.batch_size", "evaluation.masks", "evaluation.panels",
    "evaluation.window", "evaluation.window_stride",
})  # fmt: skip
"""Exact dotted paths of the leaves that do not change what training yields."""

NOT_PART_OF_AN_EVALUATION = frozenset({"evaluation.batch_size", "evaluation.masks", "evaluation.panels"})
"""Leaves of the evaluation group that do not change its scores."""

OF_THE_TRAINING_SPLIT = frozenset({"dataset.train_split", "dataset.duplicate", "dataset.duplicate_times"})
"""Leaves of a data set that do not concern what is evaluated."""


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
        tree.setdefault("validation", {}).setdefault("split", tree.get("dataset", {}).get("evaluation_split"))
        used.append(tree["validation"]["split"])
    content = _content(resolved, *used)
    tree = without(tree, excluded | _as_before(tree))
    _canonical_network(tree)
    _canonical_dataset(tree, content)
    _canonical_schedule(tree)
    init = tree.pop("init", {})
    return started_from(tree, init["from"], init.get("drop") or ()) if init.get("from") else tree


def started_from(science: Tree, source: str, drop: Iterable[str]) -> dict[str, Any]:
    """The science of a run that starts from the weights of another one: `run:<id>`, or `file:<path>` by its content.

    Published weights of the backbone then have no effect, unless some of the backbone is dropped.
    """
    if source.startswith("file:"):
        source = "file:" + _sha256(Path(source.removeprefix("file:")), "init.from")
    dropped = sorted(drop)
    tree = {**science, "init": {"from": source, "drop": dropped}}
    if not any(prefix.startswith("backbone") for prefix in dropped):
        tree["backbone"] = {key: value for key, value in science["backbone"].items() if key != "weights"}
    return tree


def protocol(resolved: Tree) -> dict[str, Any]:
    """Data set, split and protocol of an evaluation, in canonical form."""
    concerned = {group: resolved[group] for group in ("backbone", "dataset", "evaluation") if group in resolved}
    tree = without(canonical(concerned), NOT_PART_OF_AN_EVALUATION | OF_THE_TRAINING_SPLIT | {"dataset.root"})
    dataset, evaluation = dict(tree.get("dataset", {})), dict(tree.get("evaluation", {}))
    customary = dataset.pop("evaluation_split", None)
    evaluation.setdefault("split", customary)
    _set_content(dataset, _content(resolved, evaluation["split"]))
    evaluation.setdefault("output_stride", tree.get("backbone", {}).get("output_stride"))
    if window := evaluation.get("window"):
        evaluation.setdefault("window_stride", window_stride(window))
        evaluation.pop("pad_to", None)  # an image is padded to the window
    if evaluation.get("scales") == [1] and not evaluation.get("flip") and "window" not in evaluation:
        evaluation.pop("average", None)  # nothing is averaged
    return {"dataset": dataset, "evaluation": evaluation}


def _as_before(tree: Tree) -> set[str]:
    """The later leaves that say what their absence said."""
    flat = flatten(tree)
    return {path for path, value in LATER_LEAVES.items() if path in flat and flat[path] == value}


def _canonical_network(tree: dict[str, Any]) -> None:
    backbone = tree.get("backbone", {})
    if all(rate == 1 for rate in backbone.get("multi_grid") or ()):
        backbone.pop("multi_grid", None)
    if "blocks" not in backbone:
        backbone.pop("block_shortcut", None)
    if weights := backbone.pop("weights", None):
        backbone["weights"] = _weights_name(weights)
    auxiliary = tree.get("auxiliary", {})
    if "_target_" not in auxiliary or auxiliary.get("weight") == 0:
        tree.pop("auxiliary", None)


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
            unused = ["selection", "validation", "auxiliary"] + ["seed"] * (not tree.get("init", {}).get("drop"))
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
        batch_norm.pop("momentum", None)  # frozen statistics do not move; the batch they stand for still splits sums
    if "batch_size" in schedule:
        batch_norm.setdefault("samples", schedule["batch_size"])
    if schedule.get("weight_decay") == 0:
        schedule.pop("weight_decay_on", None)


def _weights_name(weights: str) -> str:
    """A file counts by its content, a published set of weights by its name."""
    if "/" not in weights and not weights.endswith((".pth", ".pt")):
        return weights
    return "sha256:" + _sha256(Path(weights), "backbone.weights")


def _sha256(path: Path, leaf: str) -> str:
    try:
        with path.expanduser().open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{leaf} names the file {path}, which cannot be read: {error.strerror}") from error
