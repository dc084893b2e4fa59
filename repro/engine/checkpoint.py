"""Checkpoints: everything that training needs to go on bit for bit, as tensors and plain types.

One registry, `TrainingState`, names every part with state; what is not in it is a pure function of configuration and
step (learning rate, order of images, augmentation).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from repro.engine import tensor_files
from repro.engine.asynchronous import StaleWeights
from repro.errors import DamagedError, StoreError
from repro.store.checkpoints import CheckpointFiles
from repro.store.files import is_there

log = logging.getLogger(__name__)


@dataclass
class TrainingState:
    """All that changes while training.

    Attributes:
        step: optimiser steps done, which is also the place in the order of images.
        wall_seconds: time spent in the loop so far, restarts included.
        validation_pending: this step's weights are still to be scored, as a signal came before or meanwhile.
        stale: the older weights of asynchronous training; None where every gradient is taken on the newest ones.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    step: int = 0
    wall_seconds: float = 0.0
    gpu_seconds: float = 0.0
    best_miou_percent: float | None = None
    best_step: int | None = None
    validation_pending: bool = False
    stale: StaleWeights | None = None

    PLAIN = ("step", "wall_seconds", "gpu_seconds", "best_miou_percent", "best_step")

    def state_dict(self) -> dict[str, Any]:
        """Every part with state; loads with `weights_only=True`."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "stale": self.stale.state_dict() if self.stale else [],
            "random": {"torch": torch.get_rng_state(), "cuda": cuda},
            "validation_pending": self.validation_pending,
            **{name: getattr(self, name) for name in self.PLAIN},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores every part in place."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        for parameter, kept in self.optimiser.state.items():
            for name, value in kept.items():
                # The fused kernel reads memory in order, so a buffer must lie as its parameter does now.
                if torch.is_tensor(value) and value.shape == parameter.shape:
                    kept[name] = torch.empty_like(parameter).copy_(value)
        self.scaler.load_state_dict(state["scaler"])
        if self.stale:
            self.stale.load_state_dict(state["stale"])
        torch.set_rng_state(state["random"]["torch"])
        if len(state["random"]["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(state["random"]["cuda"])
        for name in self.PLAIN:
            setattr(self, name, state[name])
        self.validation_pending = state.get("validation_pending", False)  # older checkpoints lack it


class CheckpointFolder:
    """The checkpoints of one run; two are kept, so that a damaged newest one costs one interval."""

    KEPT = 2

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._best_steps: dict[Path, int | None] = {}
        self._found: tuple[Path, dict[str, Any]] | None = None

    def find(self) -> bool:
        """Whether there is a checkpoint to go on from: the newest that is whole, its best weights included.

        A damaged one is set aside with a warning and the one before it looked at. The one found is kept in memory,
        since whether there is one decides what the network is to begin with.

        Raises:
            StoreError: the disk refuses a file, which says nothing about it.
        """
        for file in reversed([] if self._found else self._files.files()):
            try:
                content = tensor_files.read(file, self._files.run_id).content
                self._check_best(content.get("best_step"))
            except DamagedError as error:
                aside = self._files.set_aside(file)
                log.warning("checkpoint %s cannot be used: %s; it is set aside as %s", file, error, aside.name)
                continue
            self._found = (file, content)
            break
        return self._found is not None

    def _check_best(self, step: int | None) -> None:
        """Without the weights of its best step a checkpoint could not be gone on from to the end."""
        if step is None:
            return
        file = self._files.best_file(step)
        if not is_there(file):
            raise DamagedError(f"{file}, the weights of its best step, is missing")
        try:
            tensor_files.read(file, self._files.run_id)
        except DamagedError:
            self._files.set_aside(file)
            raise

    def save(self, state: TrainingState) -> Path:
        """Writes a checkpoint and removes those older than the last two."""
        file = self._files.file(state.step)
        self._files.write(file, tensor_files.sealed(state.state_dict(), self._files.run_id))
        for old in self._files.files()[: -self.KEPT]:
            self._files.remove(old)
        self._best_steps[file] = state.best_step
        kept = self._files.files()
        self._best_steps = {file: self._best_steps[file] for file in kept if file in self._best_steps}
        if len(self._best_steps) == len(kept):  # else a checkpoint of an earlier process needs an unknown one
            needed = {self._files.best_file(step) for step in self._best_steps.values()}
            for best in set(self._files.best_files()) - needed:
                self._files.remove(best)
        return file

    def save_best(self, state: TrainingState) -> None:
        """Stores the present weights as those of the best step, beside the best that the kept checkpoints name."""
        file = self._files.best_file(state.best_step)
        self._files.write(file, tensor_files.sealed({"model": state.model.state_dict()}, self._files.run_id))

    def load_best(self, state: TrainingState) -> dict[str, Any]:
        """Weights of the best step.

        Raises:
            StoreError: they were damaged since they were written.
        """
        weights = tensor_files.read(self._files.best_file(state.best_step), self._files.run_id).content["model"]
        assert isinstance(weights, dict)
        return weights

    def restore(self, state: TrainingState) -> int | None:
        """Loads the checkpoint that `find` finds into the state and returns its step; None if there is none.

        Raises:
            StoreError: the checkpoint is whole and does not fit the network.
        """
        if not self.find() or self._found is None:
            return None
        (file, content), self._found = self._found, None
        try:
            state.load_state_dict(content)
        except (KeyError, RuntimeError, ValueError) as error:
            raise StoreError(f"checkpoint {file} does not fit this code: {error}") from error
        return state.step

    def clear(self) -> None:
        """Removes all checkpoints, once the final weights are stored."""
        self._files.clear()
