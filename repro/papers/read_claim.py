"""A claim in a table's YAML -> `Claim`."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from repro.papers.address import Address
from repro.papers.check_claim import CellAt, fault_of, is_cost
from repro.papers.claim import Amount, Claim, Gain, Margin, Operator, Part, Quantity
from repro.papers.located import Located, SpecError, check_keys, text_of

REST = "rest"
"""The side that stands for all other own rows in the column of the side before it."""

_KEYS = ("says", "by", "within", "reason", "pairs", "over", "most", "note")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")

Resolver = Callable[[str], Address]
"""Turns the text of a cell into its address; raises `SpecError`."""


class ClaimReader:
    """Reads claims of one file.

    Args:
        file: of the table, for errors.
        resolve: finds the cell that a text names.
        rest: the cells that `rest` stands for beside a cell: the other own rows of its column.
        cell_at: finds a cell.
    """

    def __init__(
        self, file: Path, resolve: Resolver, rest: Callable[[Address], Sequence[Address]], cell_at: CellAt
    ) -> None:
        self._file, self._resolve, self._rest, self._cell_at = file, resolve, rest, cell_at

    def read(self, node: Any, line: int) -> Claim:
        """The claim of a node, which begins at a line; raises `SpecError` at the first mistake."""
        if not isinstance(node, Located):
            raise SpecError(self._file, line, f"a claim must be a mapping, not {node!r}")
        check_keys(self._file, node, ("claim", "place"), _KEYS, "a claim")
        texts, operators = self._chain(node)
        paired = "pairs" in node
        sides: list[tuple[Quantity | str, ...]] = []
        if paired:
            if len(operators) != 1:
                raise SpecError(self._file, node.line, "a claim over pairs has one operator")
            sides = [(str(text),) for text in texts]
            parts = [Part(left, operators[0], right) for left, right in self._pairs(node)]
        else:
            quantities: list[tuple[Quantity, ...]] = []
            for text in texts:
                quantities.append(tuple(self._side(node, text, quantities)))
            sides = list(quantities)
            parts = [
                Part(left, operator, right)
                for operator, (lefts, rights) in zip(operators, itertools.pairwise(quantities), strict=True)
                for left in lefts
                for right in rights
            ]
        claim = Claim(
            sides=tuple(sides),
            operators=tuple(operators),
            parts=tuple(parts),
            place=text_of(self._file, node, "place"),
            says=text_of(self._file, node, "says"),
            by=self._amount(node),
            within=self._margin(node),
            over=text_of(self._file, node, "over"),
            is_paired=paired,
            most=node.get("most") is True,
            note=text_of(self._file, node, "note"),
            line=node.line,
        )
        fault = fault_of(claim, self._cell_at)
        if fault:
            raise SpecError(self._file, node.line, fault)
        return replace(claim, is_cost=is_cost(claim, self._cell_at))

    def _chain(self, node: Located) -> tuple[list[Any], list[Operator]]:
        chain = node["claim"]
        words = [str(item) for item in chain[1::2]] if isinstance(chain, list) else []
        if len(words) < 1 or len(chain) % 2 == 0 or not all(word in list(Operator) for word in words):
            right = f"[LEFT, OPERATOR, RIGHT], with an operator of {', '.join(Operator)}"
            raise SpecError(self._file, node.line, f"the claim {chain!r} must be {right}")
        return chain[::2], [Operator(word) for word in words]

    def _pairs(self, node: Located) -> Iterator[tuple[Quantity, Quantity]]:
        pairs = node["pairs"]
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise SpecError(self._file, node.lines["pairs"], f"pairs must be a list of [LEFT, RIGHT], not {pairs!r}")
        for left, right in pairs:
            yield self._quantity(node, left), self._quantity(node, right)

    def _side(self, node: Located, given: Any, before: Sequence[tuple[Quantity, ...]]) -> Iterator[Quantity]:
        if given != REST:
            for item in given if isinstance(given, list) else [given]:
                yield self._quantity(node, item)
            return
        named = [item for side in before for item in side if isinstance(item, Address)]
        if not named:
            raise SpecError(self._file, node.line, f"{REST} follows a side that names cells")
        yield from (address for address in self._rest(named[-1]) if address not in named)

    def _quantity(self, node: Located, given: Any) -> Quantity:
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            return float(given)
        if isinstance(given, str):
            return self._resolve(given)
        cells = given.get("gain") if isinstance(given, Located) and set(given) == {"gain"} else None
        if not isinstance(cells, list) or len(cells) != 2:
            raise SpecError(self._file, node.line, f"a side is a cell, a number or {{gain: [A, B]}}, not {given!r}")
        return Gain(*(self._resolve(str(cell)) for cell in cells))

    def _amount(self, node: Located) -> Amount | None:
        if "by" not in node:
            return None
        given = node["by"] if isinstance(node["by"], list) else [node["by"]]
        found = [amount for item in given if (amount := _measure(item)) is not None]
        kinds = {is_share for _, is_share in found}
        if not len(found) == len(given) <= 2 or len(kinds) != 1 or found[0] > found[-1]:
            right = "a number, a share such as 12 %, or a range of two from low to high"
            raise SpecError(self._file, node.lines["by"], f"by must be {right}, not {node['by']!r}")
        return Amount(found[0][0], found[-1][0], found[0][1])

    def _margin(self, node: Located) -> Margin | None:
        if "within" not in node:
            return None
        found = _measure(node["within"])
        if found is None or not node.get("reason"):
            raise SpecError(
                self._file, node.lines["within"], "within is a number or a share as 2 %, and has its reason"
            )
        return Margin(*found, text_of(self._file, node, "reason"))


def _measure(given: Any) -> tuple[float, bool] | None:
    """A number, or a share as `12 %`; whether it is a share."""
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given), False
    match = _PERCENT.fullmatch(given) if isinstance(given, str) else None
    return (float(match[1]) / 100, True) if match else None
