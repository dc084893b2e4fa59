"""The folder of one run, the only truth about it: frozen config, status, journal, checkpoints, records, one lock."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from repro.errors import DamagedError, StoreError
from repro.store.checkpoints import CheckpointFiles
from repro.store.files import atomic_write, is_there, read_bytes, remove_leftovers, set_aside
from repro.store.images import UsedImages
from repro.store.lock import AT_ONCE, FolderLock, Patience
from repro.store.matrices import ImageConfusions, confusion_from_npz, images_from_npz, to_npz
from repro.store.record import Record
from repro.store.status import RunState, Status, read_status, write_status

_BEFORE = "before-"


class RunFolder:
    """Paths and files of one run below `root / run_id`; making the object touches nothing on disk.

    Args:
        root: the folder of all runs, customarily `outputs/runs`.
        run_id: 16 hex digits of the run's identity.
    """

    EVALUATIONS = "evaluations"

    def __init__(self, root: Path, run_id: str) -> None:
        self.run_id = run_id
        self.path = Path(root) / run_id
        self.config_path = self.path / "config.yaml"
        self.status_path = self.path / "status.json"
        self.journal_path = self.path / "journal.jsonl"
        self.log_path = self.path / "run.log"
        self.weights_path = self.path / "weights.pt"
        self.images_path = self.path / "images.json.gz"
        self.evaluations_path = self.path / self.EVALUATIONS
        self.lock_path = self.path / "lock"
        self.fallen_path = self.path / "fallen"
        self.checkpoints = CheckpointFiles(self.path / "checkpoints", run_id)

    @property
    def has_weights(self) -> bool:
        """Whether the final weights are there."""
        return is_there(self.weights_path)

    def lock(self, purpose: str = "run", *, brief: bool = False, patience: Patience = AT_ONCE) -> FolderLock:
        """Takes the folder's one lock and clears away what killed writers left; use it with `with`.

        Raises:
            LockedError: another process holds it; the message says which, where and since when.
        """
        lock = FolderLock(self.lock_path, purpose, brief=brief).acquire(patience)
        remove_leftovers(self.path)
        return lock

    def freeze_config(self, text: str) -> str:
        """Writes config.yaml with its digest if there is none yet, and returns the text that is frozen there."""
        if not is_there(self.config_path):
            atomic_write(self.config_path, f"{_DIGEST_LINE}{_sha256(text)}\n{text}")
        return self.read_config()

    def read_config(self) -> str:
        """The frozen configuration as YAML text.

        Raises:
            DamagedError: it is no text, or not the one that its digest was taken of.
            StoreError: the folder has none, or the disk refuses it.
        """
        content = read_bytes(self.config_path)
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise DamagedError(f"{self.config_path} is damaged ({error})") from error
        if not text.startswith(_DIGEST_LINE):  # from before digests
            return text
        digest, _, text = text.removeprefix(_DIGEST_LINE).partition("\n")
        if digest != _sha256(text):
            raise DamagedError(f"{self.config_path} is damaged or was edited: it is not what its digest was taken of")
        return text

    def write_status(self, state: RunState, *, step: int | None = None, message: str = "", **extra: Any) -> None:
        """Replaces status.json, keeping the times of earlier states, and the step unless a new one is given."""
        write_status(self.status_path, state, step, message, extra)

    def read_status(self) -> Status | None:
        """The last status written, or None if none was.

        Raises:
            StoreError: status.json is damaged, or the disk refuses it.
        """
        return read_status(self.status_path)

    def write_used_images(self, used: UsedImages) -> None:
        """Stores which images the weights have seen, those of the runs before included."""
        atomic_write(self.images_path, used.to_bytes())

    def read_used_images(self) -> UsedImages | None:
        """Which images the weights have seen; None if the folder does not say.

        Raises:
            DamagedError: the file is damaged.
            StoreError: the disk refuses it.
        """
        if not is_there(self.images_path):
            return None
        return UsedImages.from_bytes(read_bytes(self.images_path), str(self.images_path))

    def evaluation_ids(self) -> list[str]:
        """Ids of the evaluations that have a record, whole or not; files of other names are nobody's."""
        return sorted(path.stem for path in self.evaluations_path.glob(f"{'[0-9a-f]' * 16}.json"))

    def panels_path(self, evaluation_id: str) -> Path:
        """Where the panels of an evaluation lie: a few images with truth, prediction and error."""
        return self.evaluations_path / evaluation_id / "panels.png"

    def masks_path(self, evaluation_id: str) -> Path:
        """The folder of an evaluation's predictions, one picture for each image."""
        return self.evaluations_path / evaluation_id / "masks"

    def shown_files(self) -> Iterator[Path]:
        """What may be shown elsewhere: the config, the records with their matrices, the panels; never a checkpoint."""
        found = {self.config_path, *self.evaluations_path.glob("*.json"), *self.evaluations_path.glob("*.npz")}
        found |= set(self.path.rglob("panels*.png"))
        for file in sorted(found):
            hidden = any(part.startswith(".") for part in file.relative_to(self.path).parts)
            if file.is_file() and not hidden:
                yield file

    def record_path(self, evaluation_id: str) -> Path:
        """Where the record of an evaluation lies; its confusion matrices lie beside it as .npz."""
        return self.evaluations_path / f"{evaluation_id}.json"

    def keep_before(self, evaluation_id: str) -> Path:
        """Renames a record and its matrix, so that they count no more and can be compared with the next ones.

        Returns:
            The record's new place, beside the old one.

        Raises:
            StoreError: the disk refuses.
        """
        path = self.record_path(evaluation_id)
        ending = f"{_BEFORE}{len(self._kept_before(evaluation_id)) + 1}"
        aside = set_aside(path, ending)  # first, since a record without its matrix would count as damaged
        if is_there(path.with_suffix(".npz")):
            set_aside(path.with_suffix(".npz"), ending)
        return aside

    def record_before(self, evaluation_id: str) -> Record | None:
        """The record that a repetition has set aside last; None if there is none that can be read."""
        for path in reversed(self._kept_before(evaluation_id)):
            try:
                return Record.from_json(read_bytes(path), str(path))
            except StoreError:
                continue  # nothing rests on it but a comparison
        return None

    def _kept_before(self, evaluation_id: str) -> list[Path]:
        found = self.evaluations_path.glob(f"{evaluation_id}.json.{_BEFORE}*")
        return sorted(found, key=lambda path: (len(path.name), path.name))

    def write_record(self, record: Record, matrix: np.ndarray, images: ImageConfusions | None = None) -> Path:
        """Stores a record and its matrices, these first: where there is a record, all is there.

        Args:
            record: names the digests of the matrices.
            matrix: confusion matrix `[C, C]` of the evaluation.
            images: those of its images, which sum to it; None as in records from before they were kept.

        Raises:
            StoreError: the record is not of this run, is not valid, or names other matrices.
        """
        path = self.record_path(record.evaluation_id)
        if record.run_id != self.run_id:
            raise StoreError(f"a record of run {record.run_id} does not belong into {self.path}")
        archive, text = to_npz(record, matrix, images), record.to_json()
        atomic_write(path.with_suffix(".npz"), archive)
        atomic_write(path, text)
        return path

    def read_record(self, evaluation_id: str) -> Record:
        """One record.

        Raises:
            DamagedError: it is damaged, or lies under a wrong name.
            StoreError: it is missing, or the disk refuses it.
        """
        path = self.record_path(evaluation_id)
        record = Record.from_json(read_bytes(path), str(path))
        if (record.run_id, record.evaluation_id) != (self.run_id, evaluation_id):
            raise DamagedError(
                f"{path} holds the record of evaluation {record.evaluation_id} of run {record.run_id}; "
                "it was moved or copied here by hand"
            )
        return record

    def read_confusion(self, record: Record) -> np.ndarray:
        """The confusion matrix `[C, C]` int64 of a record, rows = truth.

        Raises:
            StoreError: it is missing, damaged, or not the one that the record names.
        """
        return confusion_from_npz(*self._archive(record))

    def read_image_confusions(self, record: Record) -> ImageConfusions | None:
        """The confusion matrices of a record's images, in the order of its split, held against the whole one.

        None for a record from before they were kept, whose whole matrix is checked all the same.

        Raises:
            StoreError: they are missing, damaged, or not those that the record names.
        """
        return images_from_npz(*self._archive(record))

    def _archive(self, record: Record) -> tuple[bytes, Record, str]:
        path = self.record_path(record.evaluation_id).with_suffix(".npz")
        if not is_there(path):
            raise DamagedError(f"{path}, the confusion matrix of {record.evaluation_id}.json, is missing")
        return read_bytes(path), record, str(path)

    def has_evaluation(self, evaluation_id: str) -> bool:
        """Whether an evaluation is there, whole and undamaged; if not, it is to be made again."""
        try:
            self.read_image_confusions(self.read_record(evaluation_id))
        except StoreError:
            return False
        return True

    def records(self) -> list[Record]:
        """All records of the run, oldest first.

        Raises:
            StoreError: naming the first damaged one.
        """
        found = [self.read_record(evaluation_id) for evaluation_id in self.evaluation_ids()]
        return sorted(found, key=lambda record: (record.created, record.evaluation_id))


_DIGEST_LINE = "# sha256 of the lines below: "
"""First of the file, so that a torn one has it too."""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
