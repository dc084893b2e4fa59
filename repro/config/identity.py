"""What makes two runs the same: the normalised science configuration and its hash.

Pure functions of a resolved tree. Equal experiments get one id however they are written down; whatever can change a
result changes the id. The only files touched are a local weights file, the files of a data set that declares no hash,
and code of the user's own, which count by their content.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from repro.config import inert
from repro.config.own_code import hashes_of
from repro.config.settings import is_replaced
from repro.config.tree import Tree, canonical, flatten, without

GROUPS = ("backbone", "head", "auxiliary", "dataset", "schedule", "evaluation", "init", "runtime", "tracking")
"""The groups that a run is composed of."""

LATER_LEAVES = {
    "backbone.blocks": 4,
    "backbone.block_shortcut": "identity",
    "dataset.duplicate": None,
    "dataset.duplicate_times": 2,
    "schedule.batch_norm.frozen_in": "network",
    "schedule.loss": "cross_entropy",
    "schedule.upsample_logits": True,
    "schedule.replicas": 1,
}
"""Leaves that came after runs had been recorded, with the value that says what their absence said: left out then."""

FORCE = "force"
"""The leaf that has what is there done again: of one start, so that it is written down nowhere."""

NOT_PART_OF_A_RUN = frozenset({
    "name", "outputs", FORCE,
    "dataset.root", "dataset.evaluation_split", "dataset.allow_overlap",
    "runtime.device", "runtime.threads", "runtime.workers", "runtime.prefetch", "runtime.channels_last",
    "runtime.compile", "runtime.checkpoint_seconds", "runtime.log_every_steps", "runtime.progress",
    "runtime.recompute", "runtime.micro_batch", "runtime.fold_batch_norm",
    "tracking.kind", "tracking.uri", "tracking.experiment",
    "evaluation.split", "evaluation.output_stride", "evaluation.scales", "evaluation.flip", "evaluation.average",
    "evaluation.pad_to", "evaluation.batch_size", "evaluation.masks", "evaluation.panels",
    "evaluation.window", "evaluation.window_stride", "evaluation.antialias", "evaluation.scaled_size",
    "evaluation.scaled_align_corners", "evaluation.pad_first",
})  # fmt: skip
"""Exact dotted paths of the leaves that do not change what training yields."""

NOT_PART_OF_AN_EVALUATION = frozenset({"evaluation.batch_size", "evaluation.masks", "evaluation.panels"})
"""Leaves of the evaluation group that do not change its scores."""

OF_THE_VALIDATION = frozenset({
    "evaluation.pad_to", "evaluation.window", "evaluation.window_stride", "evaluation.average",
})  # fmt: skip
"""Leaves of the evaluation that validations follow: part of a run whose weights these choose."""

NOT_OF_WHAT_IS_MEASURED = inert.OF_THE_TRAINING_SPLIT | {"dataset.root", "dataset.allow_overlap"}
"""Leaves of a data set that change nothing about the images of an evaluation."""


def is_part_of_a_run(path: str) -> bool:
    """Whether a leaf may change what training yields."""
    return path not in NOT_PART_OF_A_RUN and path.partition(".")[0] not in NOT_PART_OF_A_RUN


_MEASURED = frozenset({"dataset", "evaluation"})
"""Groups of which some leaves are part of no run, and yet say what is measured, or on which files."""


def is_beside_the_point(path: str) -> bool:
    """Whether a leaf changes neither what training yields nor what is measured nor which files these are made of."""
    return path in NOT_PART_OF_A_RUN and path.partition(".")[0] not in _MEASURED


def digest(tree: Tree) -> str:
    """First 16 hex digits of the sha256 of a canonical tree."""
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def evaluation_digest(run_id: str, protocol: Tree) -> str:
    """The 16 hex digits that name the measurement of a run's weights under a protocol in canonical form."""
    return digest({"run": run_id, **protocol})


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
    content = inert.content_hash(resolved, *used)
    tree = without(tree, excluded | _as_before(tree))
    inert.settle_validation(tree)
    inert.settle_network(tree)
    inert.settle_dataset(tree, content)
    inert.settle_schedule(tree)
    for group in ("head", "auxiliary"):
        inert.settle_dropout(tree.get(group, {}), trains=tree.get("schedule", {}).get("length") != "0 steps")
    if code := hashes_of(tree):
        tree["code"] = code
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
        digits = inert.file_sha256(Path(source.removeprefix("file:")), "init.from")
        init = {"from": f"file:{digits}", "layout": layout, "drop": dropped}
    tree = {**science, "init": init}
    for part in ("backbone", "head", "auxiliary"):
        if part in tree and is_replaced(part, dropped):
            ours = {"weights", "weights_of_other_strides"} if part == "backbone" else set()
            tree[part] = without(inert.without_draws(tree[part]), {"first_draw", *ours})
    return tree


def protocol(resolved: Tree) -> dict[str, Any]:
    """Data set, split and protocol of an evaluation, in canonical form."""
    concerned = {group: resolved[group] for group in ("backbone", "dataset", "evaluation") if group in resolved}
    tree = without(canonical(concerned), NOT_PART_OF_AN_EVALUATION | NOT_OF_WHAT_IS_MEASURED)
    dataset, evaluation = dict(tree.get("dataset", {})), dict(tree.get("evaluation", {}))
    customary = dataset.pop("evaluation_split", None)
    evaluation.setdefault("split", customary)
    inert.set_content(dataset, inert.content_hash(resolved, evaluation["split"]))
    evaluation.setdefault("output_stride", tree.get("backbone", {}).get("output_stride"))
    inert.settle_windows(evaluation)
    if evaluation.get("scales") == [1] and not evaluation.get("flip") and "window" not in evaluation:
        evaluation.pop("average", None)  # nothing is averaged
    inert.settle_views(evaluation, resolved.get("align_corners", False))
    return {"dataset": dataset, "evaluation": evaluation}


def _as_before(tree: Tree) -> set[str]:
    """The later leaves that say what their absence said."""
    flat = flatten(tree)
    return {path for path, value in LATER_LEAVES.items() if path in flat and flat[path] == value}
