"""The weights of a run: those that it starts from, and those that it leaves."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from repro import provenance
from repro.config.settings import Init
from repro.engine import tensor_files
from repro.engine.step import Learner
from repro.engine.tensor_files import OtherRunError, TensorFile
from repro.errors import ConfigError, DamagedError, DataError, StoreError, first_line
from repro.nn import Segmenter, load_network_weights, load_published_weights
from repro.run.held import HeldRun
from repro.run.repetition import restarts
from repro.store.files import atomic_write
from repro.store.journal import read_journal
from repro.store.run_folder import RunFolder

log = logging.getLogger(__name__)

TAKEN_OVER = "weights_taken_over"
"""The event of a run that starts from weights."""


@dataclass(frozen=True)
class TrainingFacts:
    """What is known of the training behind some weights: steps, times, and facts that the record repeats.

    Attributes:
        sha256: digest of the weights themselves, which the record names.
        start: as `start_of` told when they were stored.
        restarts: likewise.
    """

    step: int
    wall_seconds: float
    gpu_seconds: float
    facts: Mapping[str, Any]
    sha256: str
    start: Mapping[str, Any]
    restarts: int


def take_over_weights(model: Segmenter, init: Init, held: HeldRun) -> None:
    """Starts from the weights that `init` names, if any.

    Raises:
        ConfigError: it names something else than a run, a file or published weights.
        DataError: the weights are not there or do not fit.
    """
    if init.source is None:
        return
    kind, _, name = init.source.partition(":")
    facts: dict[str, Any] = {}
    match kind:
        case "torchvision":
            left_out = load_published_weights(model, name, init.drop)
        case "run":
            upstream = held.outputs.run(name)
            if not upstream.has_weights:
                remedy = "repeat it with force=true" if upstream.evaluation_ids() else "carry it out first"
                raise DataError(
                    f"init.from names the run {name}, which has no weights at {upstream.weights_path}; {remedy}"
                )
            facts["sha256"] = check_upstream(upstream)
            left_out = load_network_weights(model, upstream.weights_path, init.drop)
        case "file":
            left_out = load_network_weights(model, Path(name).expanduser(), init.drop, init.layout)
        case _:
            raise ConfigError(f"init.from is {init.source!r}; write run:<run id>, file:<path> or torchvision:<name>")
    if left_out:
        log.warning(
            "%s has weights under %s, which this network lacks; they are left out", init.source, " and ".join(left_out)
        )
    held.event(TAKEN_OVER, source=init.source, dropped=init.drop, left_out=list(left_out), **facts)


def start_of(folder: RunFolder) -> dict[str, Any]:
    """What the run has started from, with the digest if that is another run's weights; empty for fresh ones."""
    taken = [event.fields for event in read_journal(folder.journal_path).events if event.kind == TAKEN_OVER]
    return {key: taken[-1][key] for key in ("source", "sha256") if key in taken[-1]} if taken else {}


def check_upstream(upstream: RunFolder) -> str:
    """The digest of another run's weights; they are refused if they are not what that run has written.

    Raises:
        DataError: naming the file, and how to get it anew.
    """
    try:
        return tensor_files.digest(tensor_files.read(upstream.weights_path, upstream.run_id).content["model"])
    except DamagedError as error:
        raise DataError(f"init.from names the run {upstream.run_id}, but {error}; remove {upstream.path} and carry "
                        "that run out again, then this one") from error  # fmt: skip


def store_weights(folder: RunFolder, model: Mapping[str, Any], device: torch.device, **facts: Any) -> None:
    """Stores final weights with what the record says about the training: `step`, times in seconds, further facts."""
    told = {"start": start_of(folder), "restarts": restarts(folder)}  # here no damaged journal can change them later
    content = {"model": dict(model), **facts, **told, **provenance.of_process(str(device))}
    atomic_write(folder.weights_path, tensor_files.sealed(content, folder.run_id))


def layout_of(learner: Learner, folder: RunFolder) -> dict[str, object]:
    """How the processes shared the batches, and how many there were at earlier starts if that was another number."""
    team, shares = learner.team, learner.shares
    neighbours = shares.processes_per_statistic
    kind = "frozen" if shares.is_frozen else f"over {neighbours} processes" if neighbours > 1 else "of each process"
    starts = [event.fields.get("processes", 1) for event in read_journal(folder.journal_path).events
              if event.kind == "started"]  # fmt: skip
    facts: dict[str, object] = {
        "processes": team.size,
        "machines": team.machines,
        "images_per_process": len(shares.share(0)),
        "pass_images": shares.pass_images,
        "recomputed": learner.recomputes,
        "batch_norm": kind,
    }
    return facts | ({"processes_at_starts": starts} if set(starts) - {team.size} else {})


def sound_weights(held: HeldRun) -> TensorFile | None:
    """The final weights, checked; None if there are none. Damaged ones, and another run's, are set aside and told.

    Raises:
        StoreError: the disk refuses the file, which says nothing about it.
    """
    folder = held.folder
    if not folder.has_weights:
        return None
    try:
        return tensor_files.read(folder.weights_path, folder.run_id)
    except DamagedError as error:
        ending = f"of-{error.run_id}" if isinstance(error, OtherRunError) else "damaged"
        held.set_aside(folder.weights_path, str(error), ending)
    return None


def load_weights(folder: RunFolder, model: Segmenter, file: TensorFile | None = None) -> TrainingFacts:
    """Loads the final weights into the model; returns what was stored with them.

    Args:
        folder: the run's folder.
        model: takes the weights.
        file: what `sound_weights` has found, if it has.

    Raises:
        StoreError: they are damaged, or do not fit the network.
    """
    file = file or tensor_files.read(folder.weights_path, folder.run_id)
    facts = dict(file.content)
    weights = facts.pop("model")
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise StoreError(f"{folder.weights_path} does not fit this code ({first_line(error)}); carry it out with the "
                         "code that trained it, or remove the file to train anew") from error  # fmt: skip
    wall_seconds, gpu_seconds = facts.pop("wall_seconds"), facts.pop("gpu_seconds")
    start, again = facts.pop("start", None), facts.pop("restarts", None)  # older files lack them
    if not file.digested:
        facts["weights_file"] = "undigested"
    return TrainingFacts(
        facts["step"],
        wall_seconds,
        gpu_seconds,
        facts,
        tensor_files.digest(weights),
        start=start_of(folder) if start is None else start,
        restarts=restarts(folder) if again is None else again,
    )
