"""What one spread for all rows of a table would cost: `python -m tools.pools`, for docs/decisions/5-tests.md."""

from collections.abc import Iterator

import numpy as np

from repro.report.judge.statistics import CONFIDENCE, Estimate, Numbers
from tools.verdicts import PAIRS, SEED, Share, decided, drawn, pooled

TRIALS, ROWS, SPREAD, PRIOR = 20_000, 6, 0.5, 4
RATIOS, SEEDS = (1.0, 1.25, 1.5, 2.0, 3.0, 6.5), (3, 5, 10)
BOUNDS, MANY_SEEDS = (1.5, 2.0), (3, 5, 8, 10, 20, 30, 60)


def shrunk(scores: Numbers) -> Estimate:
    """Each row's variance drawn towards the mean of all rows, which counts as `PRIOR` degrees of freedom."""
    seeds = scores.shape[2]
    own = scores.var(axis=2, ddof=1)
    variances = (PRIOR * own.mean(axis=1, keepdims=True) + (seeds - 1) * own) / (PRIOR + seeds - 1)
    left, right = np.transpose(PAIRS)
    means = scores.mean(axis=2)
    degrees = np.full(means[:, left].shape, float(2 * (seeds - 1) + PRIOR))
    of_mean = (variances[:, left] + variances[:, right]) / seeds
    return Estimate(means[:, left] - means[:, right], of_mean, np.zeros(()), degrees, seeds)


def false_claims() -> Iterator[str]:
    """Tables with a false verdict, by the ratio of one row's spread to that of the others."""
    draw = np.random.default_rng(SEED)
    for ratio in RATIOS:
        for seeds in SEEDS:
            scores = drawn(draw, (*[SPREAD] * (ROWS - 1), ratio * SPREAD), seeds, TRIALS)
            shares = [str(Share(np.logical_or(*decided(rule(scores))).any(axis=1))) for rule in (pooled, shrunk)]
            yield f"ratio {ratio:g}, {seeds} seeds: rows x seeds {shares[0]} %, shrunk {shares[1]} %"


def proofs() -> Iterator[str]:
    """Tables of equal rows in which it can be shown, at 95 % for every pair of rows, that no ratio is above a bound."""
    from scipy.stats import f

    draw = np.random.default_rng(SEED)
    for seeds in MANY_SEEDS:
        variances = drawn(draw, [SPREAD] * ROWS, seeds, TRIALS).var(axis=2, ddof=1)
        largest = variances.max(axis=1) / variances.min(axis=1) * f.ppf(CONFIDENCE, seeds - 1, seeds - 1)
        shares = [f"below {bound:g} in {Share(largest < bound**2)} %" for bound in BOUNDS]
        yield f"{seeds} seeds: shown to be {', '.join(shares)}"


def main() -> None:
    """Prints both."""
    for lines in (false_claims, proofs):
        print("\n".join(lines()), flush=True)
        print()


if __name__ == "__main__":
    main()
