"""Several processes that carry one run out together; one alone is a team too, and does nothing but its work."""

import io
import os
import socket
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.nn.parallel import DistributedDataParallel

from repro.engine.ranks import Rank
from repro.errors import ReproError, first_line
from repro.store.files import atomic_write, is_there, read_bytes

MEETING_SECONDS = 120.0
"""How long the processes of a run wait for each other at the start."""

PATIENT_SECONDS, BRIEF_SECONDS = 1800.0, 60.0
"""How long a silent process is waited for where somebody ends those that are left, and where nobody does.

One that ends is noticed at once in either case, since its connections close.
"""

TCPStore: Callable[..., Store] = dist.TCPStore  # type: ignore[attr-defined]


class TeamError(ReproError):
    """The processes of a run have lost each other."""


class Neighbours:
    """Processes that add up tensors; whatever is copied with it keeps to the same ones.

    Args:
        handle: torch's.

    Attributes:
        size: how many there are.
        rank: the number of this process among them.
    """

    def __init__(self, handle: dist.ProcessGroup) -> None:
        self.handle = handle
        self.size, self.rank = dist.get_world_size(handle), dist.get_rank(handle)

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all of them, the same in each; the tensor given stays."""
        total = tensor.detach().clone()
        dist.all_reduce(total, group=self.handle)
        return total

    def __deepcopy__(self, memo: dict[int, object]) -> "Neighbours":
        return self


class Team:
    """The processes of one run: their places, and what they tell each other.

    Everything here that returns something of others is called by all of them, in the same order. Alone, every method
    is the identity.

    Args:
        rank: the place of this process.
        hosts: the machine of each process, by rank.
        backend: over what tensors are added up, "gloo" or "nccl"; words and flags always go over gloo.
    """

    def __init__(self, rank: Rank | None = None, hosts: tuple[str, ...] = (), backend: str = "gloo") -> None:
        self._place = rank or Rank()
        self.hosts = hosts or (socket.gethostname(),)
        self._neighbours: dict[int, Neighbours] = {}
        self._backend = backend

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""
        return self._place.number

    @property
    def size(self) -> int:
        """How many processes there are."""
        return self._place.size

    @property
    def local(self) -> int | None:
        """Its number among the processes of its machine; None alone."""
        return self._place.local if self.size > 1 else None

    @property
    def leads(self) -> bool:
        """Whether this process is the one that keeps the run: lock, journal, status, checkpoints, record."""
        return self._place.leads

    @property
    def machines(self) -> int:
        """How many machines they are on."""
        return len(set(self.hosts))

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, the same in each of them; the tensor given stays."""
        return tensor if self.size == 1 else self.neighbours(self.size).sum(tensor)

    def agree(self, *flags: int) -> tuple[int, ...]:
        """The largest value of each flag that any process has."""
        if self.size == 1:
            return flags
        largest = torch.tensor(flags)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return tuple(largest.tolist())

    def tell(self, value: Any) -> Any:
        """What the leading process gives: tensors, which arrive on the CPU, and plain values; others give anything."""
        if self.size == 1:
            return value
        size = torch.zeros(1, dtype=torch.int64)
        content = torch.zeros(0, dtype=torch.uint8)
        if self.leads:
            stream = io.BytesIO()
            torch.save(value, stream)
            content = torch.frombuffer(stream.getbuffer(), dtype=torch.uint8)
            size[0] = len(content)
        dist.broadcast(size, 0)
        if not self.leads:
            content = torch.empty(int(size), dtype=torch.uint8)
        dist.broadcast(content, 0)
        return (
            value
            if self.leads
            else torch.load(io.BytesIO(content.numpy().tobytes()), map_location="cpu", weights_only=True)
        )

    def collect(self, value: Any) -> list[Any]:
        """What each process gives, by rank: plain values and arrays."""
        if self.size == 1:
            return [value]
        found = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def neighbours(self, number: int) -> Neighbours:
        """So many neighbouring processes, this one among them, of a team that is made of such groups."""
        if number not in self._neighbours:
            starts = range(0, self.size, number)
            made = [dist.new_group([*range(start, start + number)], backend=self._backend) for start in starts]
            own = made[self.rank // number]
            assert isinstance(own, dist.ProcessGroup)
            self._neighbours[number] = Neighbours(own)
        return self._neighbours[number]

    def synchronised(self, network: nn.Module) -> nn.Module:
        """The network, whose gradients are averaged over the processes; running statistics stay each one's own."""
        if self.size == 1:
            return network
        # A 1x1 convolution has two right orders in memory; that the buckets have the other one costs little.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # newer versions call it otherwise
            return DistributedDataParallel(
                network, broadcast_buffers=False, process_group=self.neighbours(self.size).handle
            )

    def leave(self) -> None:
        """Parts in order, once all have done their work."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()


ALONE = Team(Rank())
"""The team of one process."""


def meet(rank: Rank, meeting: Path, device: torch.device) -> Team:
    """Waits until all processes of a run are there.

    Args:
        rank: the place of this process.
        meeting: a file that the leading process writes its address into where no launcher has told one.
        device: what this process computes on.

    Raises:
        TeamError: some do not come.
    """
    if rank.size == 1:
        return ALONE
    patience = timedelta(seconds=PATIENT_SECONDS if rank.is_watched else BRIEF_SECONDS)
    found: list[Any] = [None] * rank.size
    try:
        store = _store(rank, meeting)
        dist.init_process_group("gloo", store=store, rank=rank.number, world_size=rank.size, timeout=patience)
        dist.all_gather_object(found, (socket.gethostname(), _device_name(device)))
    except RuntimeError as error:
        raise TeamError(
            f"the {rank.size} processes of the run have not met within {MEETING_SECONDS:.0f} s; seen from number "
            f"{rank.number}, on {socket.gethostname()}: {first_line(error)}"
        ) from error
    alone_on_its_gpu = device.type == "cuda" and len(set(found)) == rank.size
    return Team(rank, tuple(host for host, _ in found), "nccl" if alone_on_its_gpu else "gloo")


def _store(rank: Rank, meeting: Path) -> Store:
    """Where the processes find each other: at the launcher's address, or at one that the leading one tells."""
    wait = timedelta(seconds=MEETING_SECONDS)
    if not rank.launch:
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        hosts = rank.leads and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != str(True)
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        return PrefixStore(f"repro/{attempt}", TCPStore(address, port, None, hosts, wait))
    if rank.leads:
        own: Any = TCPStore("0.0.0.0", 0, None, True, wait, wait_for_workers=False)
        atomic_write(meeting, f"{socket.gethostname()} {own.port}")
        return cast(Store, own)
    deadline = time.monotonic() + MEETING_SECONDS
    while not is_there(meeting):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the leading process has not written {meeting}")
        time.sleep(0.05)
    host, number = read_bytes(meeting).decode().split()
    here = host == socket.gethostname()
    return TCPStore("localhost" if here else host, int(number), None, False, wait)


def _device_name(device: torch.device) -> str:
    """What tells a GPU from all others of its machine."""
    return str(torch.cuda.get_device_properties(device).uuid) if device.type == "cuda" else "cpu"
