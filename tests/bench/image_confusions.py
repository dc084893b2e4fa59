"""Matrices of images: their size on disk, and the time, memory and honesty of the bootstrap that they are kept for.

python -m tests.bench.image_confusions [--camvid <folder>] [--coverage 1000]

`--coverage` draws as many sets of 30, 100 and 300 images from 20,000 made ones and counts how often the interval holds
the difference on all of them: of the percentiles, which are used, and of the corrected ones (BCa).
"""

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from repro.data import CamVid
from repro.metrics import ConfusionMatrix
from repro.metrics.bootstrap import SCORES, Numbers, Tallies, difference_over_images
from repro.report.judge.images import RESAMPLES
from repro.store.matrices import Entries, ImageConfusions, entries_of, to_npz
from repro.store.record import Names, Record, Scores, confusion_sha256

CLASSES, IMAGES, PIXELS = 21, 1449, 180_000


def voc_like(seed: int, better: float = 0.0, number: int = IMAGES) -> Iterator[Entries]:
    """Matrices like those of VOC: background and one to three classes, some of each taken for what is beside or not."""
    images, network = np.random.default_rng(0), np.random.default_rng(seed)
    for _ in range(number):
        count = images.choice(3, p=(0.62, 0.27, 0.11)) + 1
        truth = np.array([0, *images.choice(np.arange(1, CLASSES), count, replace=False)])
        pixels = np.round(PIXELS * images.dirichlet([6.0] + [2.0] * count)).astype(np.int64)
        hard, matrix = images.beta(1, 5), np.zeros((CLASSES, CLASSES), dtype=np.int64)
        others = np.unique([*truth, *network.choice(CLASSES, network.poisson(1.5))])
        for row, part in zip(truth, pixels, strict=True):
            wrong = int(part * min(1.0, network.beta(2, 2) * 2 * hard * (1 - better)))
            shares = network.dirichlet(np.full(len(others), 0.3))
            np.add.at(matrix[row], others, network.multinomial(wrong, shares))
            matrix[row, row] += part - wrong
        yield entries_of(matrix)


def camvid_like(root: str) -> Iterator[Entries]:
    """The labels of CamVid's test split against themselves shifted by 6 pixels, with 30 wrong blocks of 24 x 24."""
    dataset = CamVid("test", root=root)
    matrix, draws = ConfusionMatrix(dataset.num_classes, ignore_index=255), np.random.default_rng(0)
    for index in range(len(dataset)):
        label = dataset[index][1]
        prediction = label.roll((6, 6), (0, 1)) % dataset.num_classes
        for top, left in draws.integers(0, np.array(label.shape) - 24, (30, 2)):
            prediction[top : top + 24, left : left + 24] = int(draws.integers(dataset.num_classes))
        yield entries_of(matrix.update(prediction, label))


def print_size(name: str, num_classes: int, images: Sequence[Entries]) -> None:
    """Prints what the archive of an evaluation takes with and without the matrices of its images, and its reading."""
    found = ImageConfusions.of(num_classes, images)
    whole = found.total()
    record = Record(
        "", "", 1, "", 0, "paper", Names("", "", "", "", ""), Scores(None, None), {}, confusion_sha256(whole),
        {}, {}, {}, 0, 0.0, 0.0, 0, image_confusions_sha256=found.sha256(),
    )  # fmt: skip
    plain = Record(**{**vars(record), "image_confusions_sha256": None})
    start = time.process_time()
    archive = to_npz(record, whole, found)
    seconds = time.process_time() - start
    print(f"{name}: {len(found):,} images of {num_classes} classes, {found.entries.mean():.1f} entries each:"
          f" {len(archive) / 1000:.1f} kB, the whole matrix alone {len(to_npz(plain, whole, None)) / 1000:.1f} kB;"
          f" made and checked in {1000 * seconds:.0f} ms of a core")  # fmt: skip


def print_bootstrap(seeds: int) -> None:
    """Prints time and memory of the bootstrap with some seeds on each side, and how much its ends depend on its own."""
    networks = [(10 * side + seed, 0.07 * side) for side in (1, 0) for seed in range(seeds)]
    tallies = [Tallies.of(ImageConfusions.of(CLASSES, list(voc_like(*network)))) for network in networks]
    one, other = tallies[:seeds], tallies[seeds:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = []
    start = time.process_time()
    for seed in range(5):
        generator = np.random.default_rng(seed)
        found.append(difference_over_images(one, other, "miou_percent", generator=generator, resamples=RESAMPLES))
    seconds = (time.process_time() - start) / len(found)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    ends = np.array([(line.low, line.high) for line in found], dtype=float)
    print(f"{RESAMPLES:,} resamples of {IMAGES:,} images, {seeds} evaluations a side: {seconds:.2f} s of a core,"
          f" {memory:.0f} MiB more; {found[0].difference:+.2f} [{ends[0, 0]:+.2f}, {ends[0, 1]:+.2f}], ends vary by"
          f" {ends.std(0, ddof=1).max():.3f}")  # fmt: skip


def corrected(sides: Sequence[Tallies], score: str, generator: np.random.Generator, resamples: int) -> Numbers:
    """Ends of the BCa interval. Source: Efron and Tibshirani, 1993, section 14.3."""
    from scipy.special import ndtr, ndtri

    number = len(sides[0].truth)

    def difference(weights: Numbers) -> Numbers:
        one, other = (SCORES[score](side.weighted(weights)) for side in sides)
        return np.asarray(one - other)

    whole = difference(np.ones((1, number)))[0]
    drawn = difference(generator.multinomial(number, np.full(number, 1 / number), resamples).astype(float))
    bias = ndtri(((drawn < whole).mean() + (drawn <= whole).mean()) / 2)
    without = difference(np.ones((number, number)) - np.eye(number))
    apart = without.mean() - without
    acceleration = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
    reach = bias + ndtri([0.025, 0.975])
    return np.asarray(np.quantile(drawn, ndtr(bias + reach / (1 - acceleration * reach))))


def print_coverage(sets: int, resamples: int = 500) -> None:
    """Prints how often intervals hold the difference on all images."""
    everything = 20_000
    sides = [Tallies.of(ImageConfusions.of(CLASSES, list(voc_like(seed, better, everything))))
             for seed, better in ((1, 0.07), (2, 0.0))]  # fmt: skip
    draws = np.random.default_rng(3)
    for score, measure in SCORES.items():
        one, other = (measure(side.weighted(np.ones((1, everything))))[0] for side in sides)
        for number in (30, 100, 300):
            held = np.zeros(2)
            for _ in range(sets):
                chosen = draws.integers(everything, size=number)
                some = [Tallies(side.hits[chosen], side.truth[chosen], side.predicted[chosen]) for side in sides]
                found = difference_over_images(some[:1], some[1:], score, generator=draws, resamples=resamples)
                ends = np.array([(found.low, found.high), corrected(some, score, draws, resamples)], dtype=float)
                held += (ends[:, 0] <= one - other) & (one - other <= ends[:, 1])
            percent = 100 * held / sets
            print(
                f"{score}, {number} images: percentiles {percent[0]:.1f} %, BCa {percent[1]:.1f} % of {sets} sets",
                flush=True,
            )


def main() -> None:
    """Prints sizes and times, and coverage if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--camvid", help="folder of CamVid; left out if there is none", type=Path)
    parser.add_argument("--coverage", type=int, default=0, help="number of sets of images")
    arguments = parser.parse_args()
    print_size("like VOC", CLASSES, list(voc_like(1)))
    if arguments.camvid:
        print_size("labels of CamVid", 11, list(camvid_like(str(arguments.camvid))))
    for seeds in (1, 5):
        print_bootstrap(seeds)
    if arguments.coverage:
        print_coverage(arguments.coverage)


if __name__ == "__main__":
    main()
