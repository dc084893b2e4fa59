"""Files of tensors that know themselves: each holds the digest of what it holds, and the run that it is of."""

import hashlib
import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from repro.errors import DamagedError
from repro.nn.weights.files import damage_of
from repro.store.files import DIGEST, read_bytes

RUN = "run"
_log = logging.getLogger(__name__)


class OtherRunError(DamagedError):
    """A file is whole and another run's.

    Attributes:
        run_id: the run that it is of.
    """

    def __init__(self, path: Path, run_id: str, wanted: str) -> None:
        super().__init__(f"{path} is of run {run_id}, not of {wanted}; it was moved or copied here by hand")
        self.run_id = run_id


@dataclass(frozen=True)
class TensorFile:
    """What was read.

    Attributes:
        content: the tree, without digest and run.
        digested: whether a digest vouches for it; one from before there were digests is checked by its zip's own sums.
    """

    content: dict[str, Any]
    digested: bool


def sealed(tree: Mapping[str, Any], run_id: str) -> bytes:
    """A tree of tensors and plain types in torch's file format, with its run and its digest."""
    named = {**tree, RUN: run_id}
    buffer = io.BytesIO()
    torch.save({**named, DIGEST: digest(named)}, buffer)
    return buffer.getvalue()


def read(path: Path, run_id: str) -> TensorFile:
    """The content of a file of a run, on the CPU, checked.

    Raises:
        OtherRunError: it is another run's.
        DamagedError: it is not what was written.
        StoreError: it is missing, or the disk refuses it, which says nothing about the file.
    """
    data = read_bytes(path)
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever a torn file makes the unpickler raise
        raise DamagedError(f"{path} is damaged ({' '.join(str(error).split())[:200]})") from error
    if not isinstance(content, dict):
        raise DamagedError(f"{path} is damaged: it holds a {type(content).__name__}, not names with values")
    expected = content.pop(DIGEST, None)
    if expected is not None and expected != digest(content):
        raise DamagedError(f"{path} is damaged: it is not what its digest was taken of")
    if expected is None:
        check_sums(data, path)
        _log.warning("%s is undigested: it is from before digests, and checked by the sums of its archive alone", path)
    run = content.pop(RUN, None)
    if run not in (None, run_id):
        raise OtherRunError(path, str(run), run_id)
    return TensorFile(content, expected is not None)


def check_sums(data: bytes, path: Path) -> None:
    """Holds the members of an archive against the sums that it keeps of them, which torch does not.

    Raises:
        DamagedError: one differs.
    """
    if damage := damage_of(io.BytesIO(data)):
        raise DamagedError(f"{path} is damaged: {damage}")


def digest(tree: object) -> str:
    """The sha256 of a tree of tensors and plain types: every name, type, shape and byte, wherever a tensor lies."""
    found = hashlib.sha256()
    for part in _parts(tree):
        found.update(part)
    return found.hexdigest()


def _parts(value: object) -> Iterator[bytes | memoryview]:
    if isinstance(value, Tensor):
        flat = value.detach().cpu().contiguous().reshape(-1)
        yield f"{value.dtype} {list(value.shape)}:".encode()
        yield flat.view(torch.uint8).numpy().data
    elif isinstance(value, Mapping):
        yield f"{len(value)} names:".encode()
        for name in sorted(value, key=repr):
            yield f"{name!r}=".encode()
            yield from _parts(value[name])
    elif isinstance(value, (list, tuple)):
        yield f"{len(value)} values:".encode()
        for item in value:
            yield from _parts(item)
    else:
        yield f"{value!r};".encode()
