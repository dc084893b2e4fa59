"""Prints how far every head, block and aggregation is from its reference: `python -m tests.nn.parity`."""

from tests.nn.parity.cases import CASES
from tests.nn.parity.compare import compare

HEADER = [
    "| Ours | Reference | Training: forward | gradients | statistics | Evaluation: forward | gradients | statistics |",
    "| :-- | :-- | --: | --: | --: | --: | --: | --: |",
]


def main() -> None:
    print(*HEADER, sep="\n")
    for case in CASES:
        found = [compare(case, training=training) for training in (True, False)]
        numbers = [value for one in found for value in (one.forward, one.gradients, one.statistics)]
        mark = f" (without {', '.join(case.apart)})" * bool(case.apart)
        print(
            f"| {case.name}{mark} | {case.against} | " + " | ".join(f"{value:.0e}" for value in numbers) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
