"""How often some claim of a table is decided falsely at any look, where no row is better than another.

python -m tests.bench.looks [--tables N]
"""

import argparse
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr

from repro.report.judge.looks import LOOKS, significance
from repro.report.judge.statistics import LEVEL

CLAIMS = {
    "one claim": [(0, 1)],
    "a table of 7 claims on 6 rows": [(1, 0), (5, 2), (2, 0), (5, 0), (2, 3), (2, 4), (5, 3)],
    "20 claims that share no row": [(2 * claim, 2 * claim + 1) for claim in range(20)],
}
"""What a table is to its claims, as pairs of rows."""

PLANNED = 3
PLANNED_NUMBERS = (3, 5)

BY_HAND = tuple(range(LOOKS[0], LOOKS[-1] + 1))


def false_share(
    claims: Sequence[tuple[int, int]], looks: Sequence[int], tables: int, *, planned: int | None = PLANNED
) -> float:
    """Share of tables in which Holm decides a claim at some look, by differences paired by seed.

    Args:
        claims: pairs of rows.
        looks: numbers of seeds.
        tables: how many are simulated, always the same ones.
        planned: the number that is fixed beforehand; None: each look spends the whole level.
    """
    random = np.random.default_rng(28)
    values = random.standard_normal((tables, 1 + max(max(pair) for pair in claims), max(looks)))
    first, second = np.transpose(claims)
    differences = values[:, first] - values[:, second]
    found = np.zeros(tables, dtype=bool)
    for seeds in looks:
        seen = differences[..., :seeds]
        t = seen.mean(-1) / (seen.std(-1, ddof=1) / np.sqrt(seeds))
        smallest = 2 * stdtr(seeds - 1, -np.abs(t)).min(-1)  # Holm decides some claim if it decides this one
        found |= smallest * len(claims) <= (LEVEL if planned is None else significance(seeds, planned))
    return float(found.mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=100_000)
    tables = parser.parse_args().tables
    for name, claims in CLAIMS.items():
        shares = {f"seeds=auto where {planned} are planned": false_share(claims, LOOKS, tables, planned=planned)
                  for planned in PLANNED_NUMBERS}  # fmt: skip
        shares["by hand at each number"] = false_share(claims, BY_HAND, tables)
        shares["the planned number alone"] = false_share(claims, (PLANNED,), tables)
        shares["seeds=auto without a level of its own"] = false_share(claims, LOOKS, tables, planned=None)
        print(f"{name}: " + ", ".join(f"{words} {100 * share:.1f} %" for words, share in shares.items()))


if __name__ == "__main__":
    main()
