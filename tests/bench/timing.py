"""Interleaved timing in one process: candidates take turns, so that drift of the machine hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(candidates: Mapping[str, Callable[[], object]], rounds: int = 7, warmup: int = 1) -> dict[str, float]:
    """Runs every candidate once per round, prints a table and returns the median of each in milliseconds.

    The first candidate is the baseline that the others are compared with.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for round_number in range(-warmup, rounds):
        for name, candidate in candidates.items():
            start = time.perf_counter()
            candidate()
            if round_number >= 0:
                times[name].append((time.perf_counter() - start) * 1000)
    medians = {name: statistics.median(values) for name, values in times.items()}
    baseline = next(iter(medians.values()))
    width = max(map(len, medians))
    print(f"{'candidate':{width}}  median ms       min       max  speed-up   ({rounds} interleaved rounds)")
    for name, median in medians.items():
        low, high = min(times[name]), max(times[name])
        print(f"{name:{width}}  {median:9.2f} {low:9.2f} {high:9.2f}  {baseline / median:7.2f}x")
    return medians
