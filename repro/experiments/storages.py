"""The bytes of all storages that are alive, and the most that ever were, counted while operators run."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveStorages(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the storages that come out of operators, on tensors with numbers and on fake ones alike.

    What an operator needs inside, and what an allocator keeps in reserve, is not seen.

    Attributes:
        bytes: of the storages alive now.
        peak: the most since the start, or since `begin_anew`.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = self.peak = 0
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def begin_anew(self) -> None:
        """Forgets the most that there was, but not what is alive."""
        self.peak = self.bytes

    def __torch_dispatch__(
        self,
        operator: Callable[..., Any],
        types: Iterable[type],
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        """Runs an operator and counts what is new."""
        result = operator(*args, **(kwargs or {}))
        for item in tree_leaves(result):
            if isinstance(item, Tensor):
                self._count(item.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._alive:
            return
        size = storage.nbytes()

        def freed(_: object) -> None:
            if self._alive.pop(key, None) is not None:
                self.bytes -= size

        self._alive[key] = weakref.ref(storage, freed)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
