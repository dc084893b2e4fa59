"""A scale: how a table is made runnable where the paper's data or budget are missing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repro.papers.located import Located, SpecError, check_keys, mapping_of, read_yaml, text_of

PAPER_SCALE = "paper"
SMOKE_SCALE = "smoke"
"""The one whose numbers mean nothing: it shows that everything works."""


@dataclass(frozen=True)
class Factor:
    """How a leaf is multiplied.

    Attributes:
        by: the factor, or one for each unit of a length.
        multiple_of: the result is rounded to a multiple of this, plus `plus`.
        plus: see above.
        minimum: the result is at least this.
        maximum: the result is at most this.
    """

    by: float | dict[str, float]
    multiple_of: float | None = None
    plus: float = 0
    minimum: float | None = None
    maximum: float | None = None

    def apply(self, value: float, by: float) -> float | int:
        """The scaled value; whole where the result is to be a multiple of a whole number."""
        result = value * by
        if self.multiple_of is not None:
            result = round((result - self.plus) / self.multiple_of) * self.multiple_of + self.plus
        if self.minimum is not None:
            result = max(result, self.minimum)
        if self.maximum is not None:
            result = min(result, self.maximum)
        return int(result) if float(result).is_integer() else result


@dataclass(frozen=True)
class Scale:
    """A scale.

    Attributes:
        name: as it is named in every output.
        title: what it is, in one sentence.
        map: group or dotted leaf to (paper's value, written as text, to the value at this scale).
        multiply: dotted leaf to factor.
        set: dotted leaf to the value at this scale.
        planned_seeds: how many seeds a table is to have, fixed before any result is seen; claims on so many have the
            larger part of the level (`repro.report.judge.looks`).
    """

    name: str
    title: str
    map: dict[str, dict[str, Any]] = field(default_factory=dict)
    multiply: dict[str, Factor] = field(default_factory=dict)
    set: dict[str, Any] = field(default_factory=dict)
    planned_seeds: int = 3

    @property
    def is_paper(self) -> bool:
        """Whether nothing is scaled."""
        return not (self.map or self.multiply or self.set)


def read_scale(file: Path) -> Scale:
    """Reads `sweeps/scales/<name>.yaml`; raises `SpecError` with the line of the first mistake."""
    node = read_yaml(file)
    check_keys(file, node, ("title",), ("map", "multiply", "set", "planned_seeds"), "the scale")
    planned = node.get("planned_seeds", Scale.planned_seeds)
    if not isinstance(planned, int) or isinstance(planned, bool) or planned < 1:
        raise SpecError(file, node.lines["planned_seeds"], f"planned_seeds must be a number of seeds, not {planned!r}")
    mapped = mapping_of(file, node, "map")
    factors = mapping_of(file, node, "multiply")
    return Scale(
        name=file.stem,
        title=text_of(file, node, "title"),
        map={leaf: dict(mapping_of(file, mapped, leaf)) for leaf in mapped},
        multiply={leaf: _factor(file, mapping_of(file, factors, leaf), leaf) for leaf in factors},
        set=dict(mapping_of(file, node, "set")),
        planned_seeds=planned,
    )


def _factor(file: Path, node: Located, leaf: str) -> Factor:
    check_keys(file, node, ("by",), ("multiple_of", "plus", "minimum", "maximum"), f"the factor of {leaf}")
    by = node["by"]
    factors = list(by.values()) if isinstance(by, dict) else [by]
    for value in [*factors, *(node[key] for key in ("multiple_of", "plus", "minimum", "maximum") if key in node)]:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise SpecError(file, node.line, f"the factor of {leaf} holds {value!r}, which is no number")
    if node.get("multiple_of") == 0:
        raise SpecError(file, node.lines["multiple_of"], f"the factor of {leaf} rounds to a multiple of 0")
    rest = {key: node[key] for key in ("multiple_of", "plus", "minimum", "maximum") if key in node}
    return Factor(dict(by) if isinstance(by, dict) else by, **rest)
