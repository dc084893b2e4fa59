"""What is done again although it is there, because it was asked for: the record before is kept and compared."""

import logging
from dataclasses import fields
from typing import Any

from repro.config.configuration import Configuration
from repro.config.settings import Repeat
from repro.errors import StoreError
from repro.run.held import HeldRun
from repro.store.files import set_aside
from repro.store.journal import Event, read_journal
from repro.store.outputs import Outputs
from repro.store.record import Record, Scores
from repro.store.run_folder import RunFolder
from repro.store.status import START_DIGEST, WEIGHTS_DIGEST, Status

log = logging.getLogger(__name__)

REPEATED = "repeated"
"""The event of a repetition that begins, and the key of a record under which it is compared with the one before."""


def due(folder: RunFolder, configuration: Configuration) -> Repeat | None:
    """What is to be done again; without a record nothing is: what is asked for is under way then, and goes on."""
    return configuration.settings.repeat if folder.has_evaluation(configuration.evaluation_id) else None


def begin_anew(held: HeldRun, evaluation_id: str, repeat: Repeat) -> None:
    """Sets aside what is to be done again: a record, and the weights if these are to be trained anew.

    Called once all that it takes is there, so that a repetition that cannot be carried out loses no number.
    """
    folder = held.folder
    held.event(REPEATED, what=repeat.name, evaluation=evaluation_id)
    if repeat is Repeat.run and folder.has_weights:
        folder.checkpoints.clear()
        set_aside(folder.weights_path, "before")
    aside = folder.keep_before(evaluation_id)
    log.warning("the %s is done again; the record before is kept as %s", repeat.name, aside)


def restarts(folder: RunFolder) -> int:
    """How often the training went on from a checkpoint since it was begun anew, if it was."""
    events = list(read_journal(folder.journal_path).events)
    begun = [number for number, event in enumerate(events) if is_training_anew(event)]
    # The start that trains anew is no restart, although the journal has it as one.
    return sum(event.kind == "resumed" for event in events[begun[-1] if begun else 0 :]) - bool(begun)


def is_training_anew(event: Event) -> bool:
    """Whether the event tells that a run which is there is begun anew."""
    return event.kind == REPEATED and event.fields.get("what") == Repeat.run.name


def digests(record: Record) -> dict[str, Any]:
    """What tells from a status alone whether a run has started from the weights that another one has now."""
    start = record.provenance.get("start") or {}
    return {WEIGHTS_DIGEST: record.weights_sha256, START_DIGEST: start.get("sha256")}


def told_if_stale(configuration: Configuration, outputs: Outputs) -> str:
    """A sentence if a run, or one that it starts from, has started from other weights than are there now; else none."""
    folder = outputs.run(configuration.run_id)
    source = str(configuration.leaves.get("init.from") or "")
    while source.startswith("run:"):
        upstream = outputs.run(source.removeprefix("run:"))
        started, now = (
            status.extra.get(key) if (status := _status(place)) else None
            for place, key in ((folder, START_DIGEST), (upstream, WEIGHTS_DIGEST))
        )
        if None not in (started, now) and started != now:
            return (
                f"stale: run {upstream.run_id}, which run {folder.run_id} has started from, has been trained anew "
                "since; force=true trains that one anew too"
            )
        folder, source = upstream, _source(upstream)
    return ""


def _status(folder: RunFolder) -> Status | None:
    try:
        return folder.read_status()
    except StoreError:
        return None  # the run mends a damaged one when it starts


def _source(folder: RunFolder) -> str:
    """What a run that is there starts from; empty where its configuration cannot be read."""
    try:
        return str(Configuration.from_yaml(folder.read_config(), folder.config_path).leaves.get("init.from") or "")
    except StoreError:
        return ""


def compared(before: Record | None, record: Record) -> dict[str, Any] | None:
    """By how much a record differs from the one before it; None if there is none."""
    if before is None:
        return None
    differences = {item.name: _minus(getattr(record.scores, item.name), getattr(before.scores, item.name))
                   for item in fields(Scores)}  # fmt: skip
    by_class = {
        name: difference
        for name, value in record.per_class_iou_percent.items()
        if (difference := _minus(value, before.per_class_iou_percent.get(name)))
    }
    furthest = max(by_class, key=lambda name: abs(by_class[name] or 0.0), default=None)
    return {
        "created": before.created,
        "same_weights": before.weights_sha256 == record.weights_sha256 if before.weights_sha256 else None,
        "same_matrix": before.confusion_sha256 == record.confusion_sha256,
        "differences": differences,
        "largest_of_a_class": {furthest: by_class[furthest]} if furthest else {},
    }


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def told(comparison: dict[str, Any]) -> str:
    """A comparison as a sentence."""
    weights = {True: "the same weights, ", False: "other weights, ", None: ""}[comparison["same_weights"]]
    if comparison["same_matrix"]:
        return (
            f"repeated: {weights}the same prediction of every class, to the last pixel, as on {comparison['created']}"
        )
    miou = comparison["differences"]["miou_percent"]
    change = "mIoU not to be compared" if miou is None else f"mIoU {miou:+.2g} points"
    classes = "".join(f", {name} {value:+.2g}" for name, value in comparison["largest_of_a_class"].items())
    return f"repeated: {weights}{change}{classes} against the record of {comparison['created']}"
