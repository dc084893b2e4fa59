"""Names and places of the checkpoints of one run."""

import os
from pathlib import Path

from repro.store.files import atomic_write, remove, set_aside


class CheckpointFiles:
    """The folder of a run's checkpoints: one file for each step kept, and the weights of the best steps beside them.

    Args:
        path: the folder.
        run_id: the run, which each file names.
    """

    def __init__(self, path: Path, run_id: str = "") -> None:
        self.path = path
        self.run_id = run_id

    def files(self) -> list[Path]:
        """The checkpoints, oldest first."""
        return sorted(self.path.glob("step_*.pt"))

    def best_files(self) -> list[Path]:
        """The weights of the steps that were best when a checkpoint was written."""
        return sorted(self.path.glob("best_*.pt"))

    def file(self, step: int) -> Path:
        """The checkpoint of a step."""
        return self.path / f"step_{step:09d}.pt"

    def best_file(self, step: int | None) -> Path:
        """The weights of the best step."""
        return self.path / f"best_{step or 0:09d}.pt"

    def newest_step(self) -> int | None:
        """The step that an unfinished training goes on from; None before the first checkpoint."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return None
        steps = (name.removeprefix("step_").removesuffix(".pt") for name in names if name.endswith(".pt"))
        return max((int(step) for step in steps if step.isdigit()), default=None)

    def write(self, file: Path, content: bytes) -> None:
        """Writes a file whole or not at all."""
        atomic_write(file, content)

    def remove(self, file: Path) -> None:
        """Removes one that is not needed any more."""
        remove(file)

    def set_aside(self, file: Path) -> Path:
        """Renames a damaged checkpoint, so that it is not tried again; returns its new place."""
        return set_aside(file)

    def clear(self) -> None:
        """Removes all of them, once the final weights are stored."""
        for file in [*self.files(), *self.best_files(), *self.path.glob("*.damaged")]:
            remove(file)
