"""Jobs -> arrays of SLURM within its limits, each after the array that it starts from; pure functions.

The runs that start from one another are a family. Families of the same shape stand in arrays beside one another: one
array has the first run of each, and every further one has in each place a later run of the family at that place. So an
array waits for another one place by place, and a run that fails holds up its own family alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Shape = tuple["Shape", ...]
"""What a family looks like: the shapes of what starts from its first run, in a fixed order."""

Children = Mapping[str, Sequence[str]]
"""Run id to the runs that start from it."""


@dataclass(frozen=True)
class Pending:
    """A job to be submitted.

    Attributes:
        run_id: of the training.
        upstream: run among these jobs that it starts from; None if there is none.
        after: id of a job in the queue that it starts from; None if there is none.
    """

    run_id: str
    upstream: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Chunk:
    """Jobs that are submitted as one: an array, or a single one.

    Attributes:
        runs: run ids by place in the array.
        before: place among the chunks of the one that these start from, each place from the same place there.
        after: id of a job in the queue that all of them start from.
    """

    runs: tuple[str, ...]
    before: int | None = None
    after: str | None = None


@dataclass(frozen=True)
class Limits:
    """How much SLURM takes; None where it does not say.

    Attributes:
        array: jobs of one array.
        free: jobs that may be submitted now.
        reason: what limits these, in a sentence.
    """

    array: int = 1000
    free: int | None = None
    reason: str = ""


def chunked(jobs: Sequence[Pending], limits: Limits) -> tuple[list[Chunk], list[str]]:
    """The arrays to submit, each after the one that it waits for, and the runs that are left for later.

    Args:
        jobs: each after its upstream.
        limits: of SLURM.
    """
    known = {job.run_id: job for job in jobs}
    children: dict[str, list[str]] = {}
    for job in jobs:
        if job.upstream in known:
            children.setdefault(str(job.upstream), []).append(job.run_id)
    roots = [job for job in jobs if job.upstream not in known]
    taken = _taken(jobs, roots, children, limits.free)
    alike: dict[tuple[Shape, str | None], list[Sequence[str]]] = {}
    for root in roots:
        if root.run_id in taken:
            shape, members = _family(root.run_id, children, taken)
            alike.setdefault((shape, root.after), []).append(members)
    chunks: list[Chunk] = []
    for (shape, after), families in alike.items():
        for start in range(0, len(families), limits.array):
            chunks += _arrays(shape, after, families[start : start + limits.array], len(chunks))
    return chunks, [job.run_id for job in jobs if job.run_id not in taken]


def _taken(jobs: Sequence[Pending], roots: Sequence[Pending], children: Children, free: int | None) -> set[str]:
    """The runs that there is room for: whole families, or, where not even one fits, the first runs."""
    if free is None or len(jobs) <= free:
        return {job.run_id for job in jobs}
    taken: set[str] = set()
    for root in roots:
        _, members = _family(root.run_id, children, None)
        if len(taken) + len(members) <= free:
            taken.update(members)
    return taken or {job.run_id for job in jobs[:free]}


def _family(run: str, children: Children, inside: set[str] | None) -> tuple[Shape, list[str]]:
    """The shape of a run's family, and its runs, each after its upstream, in the order of the shape.

    Args:
        run: the first one.
        children: who starts from whom.
        inside: runs that count; None: all.
    """
    own = [_family(other, children, inside) for other in children.get(run, ()) if inside is None or other in inside]
    own.sort(key=lambda family: family[0])
    return tuple(shape for shape, _ in own), [run, *(name for _, members in own for name in members)]


def _arrays(shape: Shape, after: str | None, families: Sequence[Sequence[str]], first: int) -> list[Chunk]:
    """One array for each place of some families of one shape; `first` is the place that the first of them will have."""
    arrays = [Chunk(runs) for runs in zip(*families, strict=True)]
    return [
        Chunk(array.runs, after=after) if parent is None else Chunk(array.runs, before=first + parent)
        for array, parent in zip(arrays, _parents(shape), strict=True)
    ]


def _parents(shape: Shape) -> list[int | None]:
    """For each place of a family, the place that it starts from."""
    parents: list[int | None] = [None]
    for child in shape:
        start = len(parents)
        parents += [0 if place is None else start + place for place in _parents(child)]
    return parents
