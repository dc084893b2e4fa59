"""What is not wrong but mixed within one table: a sentence for exactly the evaluations that are unlike the others."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from repro.store.runs_csv import Recorded

STRICT = "strict"
"""The word for operations that have a deterministic form, all of them."""


@dataclass(frozen=True)
class _Trait:
    """Something in which the evaluations of a table should be alike.

    Attributes:
        words: with `{}` for the value, after "measured".
        of: the value of an evaluation; empty where its line does not tell, or where it does not matter.
    """

    words: str
    of: Callable[[Recorded], str]


_TRAITS = (
    _Trait("by code {}", lambda line: line.science_code),
    _Trait("at commit {}", lambda line: line.commit[:12]),
    _Trait("with torch {}", lambda line: line.torch),
    _Trait("on {}", lambda line: line.hardware),
    _Trait("with {} CPU threads", lambda line: "" if line.gpu_seconds or not line.threads else str(line.threads)),
    _Trait("at determinism {}", lambda line: line.determinism),
    _Trait("at scale {}", lambda line: line.scale),
)


def mixtures(evaluations: Iterable[Recorded]) -> dict[str, tuple[str, ...]]:
    """Evaluation id to sentences for footnotes, of the evaluations of one table; ids without any are left out.

    An evaluation is told if its value is not the commonest one, all are where there is none. Code with changes that no
    commit holds, GPUs without a deterministic form, and what an older line does not tell, are told of each by itself.
    """
    lines = list({line.evaluation_id: line for line in evaluations}.values())
    found: dict[str, list[str]] = {line.evaluation_id: _alone(line) for line in lines}
    for trait in _TRAITS:
        values = {line.evaluation_id: trait.of(line) for line in lines}
        counts = Counter(value for value in values.values() if value)
        if len(counts) < 2:
            continue
        (common, votes), (_, next_votes) = counts.most_common(2)
        tied = votes == next_votes
        for evaluation_id, value in values.items():
            if not value or (value == common and not tied):
                continue
            others = " and ".join(sorted(item for item in counts if item != value)) if tied else common
            who = "others of the table" if tied else "most of the table"
            found[evaluation_id].append(f"measured {trait.words.format(value)}, {who} {trait.words.format(others)}")
    return {evaluation_id: tuple(told) for evaluation_id, told in found.items() if told}


def _alone(line: Recorded) -> list[str]:
    told = []
    if line.dirty:
        told.append(f"measured by code with changes that commit {line.commit[:12] or 'unknown'} does not hold")
    if line.gpu_seconds and line.determinism not in ("", STRICT):
        told.append("measured on a GPU without determinism=strict, so that a repetition may differ")
    if line.processes is not None and line.processes > 1:
        told.append(f"trained by {line.processes} processes, whose sums differ from those of one by rounding")
    unknown = [
        name
        for name, value in (("commit", line.commit), ("code", line.science_code), ("determinism", line.determinism))
        if not value
    ]
    if line.threads is None and not line.gpu_seconds:
        unknown.append("CPU threads")
    if unknown:
        told.append(f"its line in runs.csv does not tell its {' or its '.join(unknown)}")
    return told
