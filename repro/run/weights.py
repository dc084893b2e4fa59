"""The weights of a run: those that it starts from, and those that it leaves."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from repro import provenance
from repro.config.settings import Init
from repro.engine.checkpoint import serialised
from repro.errors import ConfigError, DataError
from repro.nn import Segmenter, load_network_weights, load_published_weights
from repro.run.held import HeldRun
from repro.store.files import atomic_write
from repro.store.run_folder import RunFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingFacts:
    """What is known of the training behind some weights: steps, times, and facts that the record repeats."""

    step: int
    wall_seconds: float
    gpu_seconds: float
    facts: Mapping[str, Any]


def take_over_weights(model: Segmenter, init: Init, held: HeldRun) -> None:
    """Starts from the weights that `init` names, if any.

    Raises:
        ConfigError: it names something else than a run, a file or published weights.
        DataError: the weights are not there or do not fit.
    """
    if init.source is None:
        return
    kind, _, name = init.source.partition(":")
    match kind:
        case "torchvision":
            left_out = load_published_weights(model, name, init.drop)
        case "run":
            upstream = held.outputs.run(name)
            if not upstream.has_weights:
                raise DataError(f"init.from names the run {name}, which has no weights at {upstream.weights_path}; "
                                "carry it out first")  # fmt: skip
            left_out = load_network_weights(model, upstream.weights_path, init.drop)
        case "file":
            left_out = load_network_weights(model, Path(name).expanduser(), init.drop, init.layout)
        case _:
            raise ConfigError(f"init.from is {init.source!r}; write run:<run id>, file:<path> or torchvision:<name>")
    if left_out:
        log.warning(
            "%s has weights under %s, which this network lacks; they are left out", init.source, " and ".join(left_out)
        )
    held.event("weights_taken_over", source=init.source, dropped=init.drop, left_out=list(left_out))


def store_weights(folder: RunFolder, model: Mapping[str, Any], device: torch.device, **facts: Any) -> None:
    """Stores final weights with what the record says about the training: `step`, times in seconds, further facts."""
    content = {"model": dict(model), **facts, **provenance.of_process(str(device))}
    atomic_write(folder.weights_path, serialised(content))


def load_weights(folder: RunFolder, model: Segmenter, device: torch.device) -> TrainingFacts:
    """Loads the final weights into the model; returns what was stored with them."""
    content = torch.load(folder.weights_path, map_location=device, weights_only=True)
    model.load_state_dict(content.pop("model"))
    wall_seconds, gpu_seconds = content.pop("wall_seconds"), content.pop("gpu_seconds")
    return TrainingFacts(content["step"], wall_seconds, gpu_seconds, content)
