"""Names and places of the checkpoints of one run."""

from pathlib import Path

from repro.store.files import atomic_write


class CheckpointFiles:
    """The folder of a run's checkpoints: one file for each step kept, and the weights of the best steps beside them."""

    def __init__(self, path: Path) -> None:
        self.path = path

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
        names = (file.stem.removeprefix("step_") for file in self.files())
        return max((int(name) for name in names if name.isdigit()), default=None)

    def write(self, file: Path, content: bytes) -> None:
        """Writes a file whole or not at all."""
        atomic_write(file, content)

    def set_aside(self, file: Path) -> Path:
        """Renames a damaged checkpoint, so that it is not tried again; returns its new place."""
        aside = file.with_suffix(".damaged")
        file.replace(aside)
        return aside

    def clear(self) -> None:
        """Removes all of them, once the final weights are stored."""
        for file in [*self.files(), *self.best_files(), *self.path.glob("*.damaged")]:
            file.unlink(missing_ok=True)
