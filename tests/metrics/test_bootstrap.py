"""The bootstrap over images against a plain loop over matrices, its degenerate cases, and how often it covers."""

from dataclasses import dataclass

import numpy as np
import pytest

from repro import metrics
from repro.errors import DataError
from repro.metrics.bootstrap import SCORES, Tallies, difference_over_images

CLASSES = 4


@dataclass
class Sparse:
    num_classes: int
    entries: np.ndarray
    codes: np.ndarray
    pixels: np.ndarray


def tallies_of(matrices: np.ndarray) -> Tallies:
    flat = matrices.reshape(len(matrices), -1)
    image, codes = np.nonzero(flat)
    return Tallies.of(Sparse(matrices.shape[1], np.count_nonzero(flat, axis=1), codes, flat[image, codes]))


def made(seed: int, sides: int, images: int, classes: int = CLASSES) -> list[np.ndarray]:
    """Matrices `[images, classes, classes]` of some evaluations that agree in the labels; an image lacks classes."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(1, 50, (images, classes)) * (generator.random((images, classes)) < 0.4)
    shares = generator.dirichlet(np.ones(classes), (sides, images, classes))
    return [generator.multinomial(truth, share) for share in shares]


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def plain(first, second, score, resamples, seed):
    """The same by adding up matrices, one resample after the other."""
    measure = getattr(metrics, score)
    labelled = np.array([matrix.sum() > 0 for matrix in first[0]])
    first, second = ([matrices[labelled] for matrices in side] for side in (first, second))
    number, draws = int(labelled.sum()), generator(seed)
    found = []
    for _ in range(resamples):
        chosen = draws.integers(number, size=number)
        one, other = (np.mean([measure(matrices[chosen].sum(0)) for matrices in side]) for side in (first, second))
        found.append(one - other)
    one, other = (np.mean([measure(matrices.sum(0)) for matrices in side]) for side in (first, second))
    return (one - other, *np.quantile(found, [0.025, 0.975]))


def test_every_score_of_a_record_is_one_of_the_bootstraps() -> None:
    assert SCORES.keys() == metrics.SCORES.keys()


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("ones", "others", "images"), [(1, 1, 9), (3, 2, 9), (1, 1, 2), (2, 1, 40)])
def test_it_is_what_a_plain_loop_over_matrices_gives(score: str, ones: int, others: int, images: int) -> None:
    matrices = made(images, ones + others, images)
    matrices = [np.concatenate([part, np.zeros_like(part[:1])]) for part in matrices]  # an image without labels
    tallies = [tallies_of(part) for part in matrices]
    found = difference_over_images(tallies[:ones], tallies[ones:], score, generator=generator(), resamples=200)
    expected = plain(matrices[:ones], matrices[ones:], score, 200, 0)
    np.testing.assert_allclose((found.difference, found.low, found.high), expected, atol=1e-9)
    assert (found.images, found.resamples) == (sum(part.sum() > 0 for part in matrices[0]), 200)


def test_how_many_are_drawn_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = map(tallies_of, made(5, 2, 30))
    whole = difference_over_images([one], [other], "miou_percent", generator=generator(), resamples=100)
    monkeypatch.setattr("repro.metrics.bootstrap._TOGETHER", 90)
    assert difference_over_images([one], [other], "miou_percent", generator=generator(), resamples=100) == whole


def test_the_generator_alone_decides_and_the_sides_may_change_places() -> None:
    one, other = map(tallies_of, made(6, 2, 30))

    def drawn(first, second, seed):
        return difference_over_images([first], [second], "miou_percent", generator=generator(seed), resamples=200)

    found, turned = drawn(one, other, 1), drawn(other, one, 1)
    assert found == drawn(one, other, 1) != drawn(one, other, 2)
    assert turned.difference == -found.difference
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_tallies_are_rows_columns_and_the_diagonal() -> None:
    (matrices,) = made(7, 1, 12)
    tallies = tallies_of(matrices)
    np.testing.assert_array_equal(tallies.hits, np.diagonal(matrices, axis1=1, axis2=2))
    np.testing.assert_array_equal(tallies.truth, matrices.sum(2))
    np.testing.assert_array_equal(tallies.predicted, matrices.sum(1))


def test_identical_sides_differ_by_nothing() -> None:
    (tallies,) = map(tallies_of, made(8, 1, 20))
    found = difference_over_images([tallies], [tallies], "miou_percent", generator=generator(), resamples=200)
    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_one_labelled_image_has_no_interval() -> None:
    one, other = np.array([[[3, 1], [2, 4]]]), np.array([[[4, 0], [5, 1]]])
    empty = np.zeros_like(one)
    tallies = [tallies_of(np.concatenate([part, empty])) for part in (one, other)]
    found = difference_over_images(tallies[:1], tallies[1:], "miou_percent", generator=generator(), resamples=200)
    assert found.difference == pytest.approx(metrics.miou_percent(one[0]) - metrics.miou_percent(other[0]))
    assert (found.low, found.high, found.images, found.resamples) == (None, None, 1, 0)


def test_a_class_that_a_resample_lacks_is_left_out_of_its_mean() -> None:
    """Of two images one alone has the second class: the score of a resample without it is that of the first class."""
    one = np.array([[[10, 0], [0, 0]], [[5, 0], [5, 5]]])
    other = np.array([[[8, 2], [0, 0]], [[5, 0], [10, 0]]])
    found = difference_over_images(
        [tallies_of(one)], [tallies_of(other)], "miou_percent", generator=generator(), resamples=200
    )
    of_each = [metrics.miou_percent(a) - metrics.miou_percent(b) for a, b in zip(one, other, strict=True)]
    assert sorted([found.low, found.high]) == pytest.approx(sorted(of_each))
    assert of_each[0] == pytest.approx(100 - 40)


def test_what_is_not_of_the_same_images_is_refused() -> None:
    one, other = made(10, 2, 6)
    with pytest.raises(DataError, match="evaluations of 6 and 5 images"):
        difference_over_images(
            [tallies_of(one)], [tallies_of(other[:5])], "miou_percent", generator=generator(), resamples=200
        )
    with pytest.raises(DataError, match=r"labels of image [12] .* another version of the data"):
        difference_over_images(
            [tallies_of(one)],
            [tallies_of(other[[1, 0, 2, 3, 4, 5]])],
            "miou_percent",
            generator=generator(),
            resamples=9,
        )
    empty = tallies_of(np.zeros_like(one))
    with pytest.raises(DataError, match="no image has a label"):
        difference_over_images([empty], [empty], "miou_percent", generator=generator(), resamples=200)


def test_the_interval_covers_the_difference_of_all_images_as_often_as_it_says() -> None:
    """Draws of 60 images from 4,000, of which a third of what the second side had right is wrong."""
    one, other = made(11, 2, 4000)
    places = range(CLASSES)
    worse = other[:, places, places] // 3
    other[:, places, places] -= worse
    other[:, places, np.roll(places, 1)] += worse
    sides, draws = [tallies_of(one), tallies_of(other)], generator(12)
    true = {name: float(np.subtract(*(score(side.weighted(np.ones((1, 4000)))) for side in sides))[0])
            for name, score in SCORES.items()}  # fmt: skip
    assert all(difference > 1 for difference in true.values())
    covered = dict.fromkeys(SCORES, 0)
    for _ in range(300):
        chosen = draws.integers(4000, size=60)
        drawn = [side.chosen(chosen) for side in sides]
        for name in SCORES:
            found = difference_over_images(drawn[:1], drawn[1:], name, generator=draws, resamples=200)
            covered[name] += found.low <= true[name] <= found.high
    assert all(0.92 <= count / 300 <= 0.98 for count in covered.values()), covered
