import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.papers import PAPER_SCALE, Factor, Scale, SpecError
from repro.papers.scale import read_scale
from tests.composed import papers


@pytest.mark.parametrize(
    ("factor", "value", "expected"),
    [
        (Factor(0.625, multiple_of=8, plus=1), 513, 321),
        (Factor(0.5, multiple_of=1), 7, 4),
        (Factor(0.05, multiple_of=1, minimum=2), 6, 2),
        (Factor(0.5, maximum=160), 832, 160),
        (Factor(0.5), 3, 1.5),
        (Factor(2), 3.5, 7),
    ],
)
def test_a_factor_rounds_by_its_rule_and_stays_within_its_bounds(factor, value, expected):
    found = factor.apply(value, factor.by)
    assert found == expected
    assert type(found) is type(expected)


@given(st.integers(1, 2000), st.floats(0.01, 4), st.sampled_from([1, 4, 8]), st.integers(0, 1))
def test_a_multiple_is_the_nearest_one(value, by, multiple_of, plus):
    found = Factor(by, multiple_of=multiple_of, plus=plus).apply(value, by)
    assert (found - plus) % multiple_of == 0
    assert abs(found - value * by) <= multiple_of / 2 + 1e-9


def test_only_the_papers_own_scale_changes_nothing():
    assert papers().scale(PAPER_SCALE).is_paper
    assert [name for name, scale in papers().scales.items() if scale.is_paper] == [PAPER_SCALE]
    assert not Scale("s", "", set={"seed": 1}).is_paper


def test_a_scale_is_read_with_everything_it_says(tmp_path):
    (tmp_path / "half.yaml").write_text(
        "title: The half\nmap: {dataset: {'*': shapes}}\nset: {dataset.size: 64}\n"
        "multiply:\n  schedule.length: {by: {steps: 0.5, epochs: 1}, multiple_of: 1, minimum: 2}\n"
    )
    assert read_scale(tmp_path / "half.yaml") == Scale(
        "half",
        "The half",
        map={"dataset": {"*": "shapes"}},
        multiply={"schedule.length": Factor({"steps": 0.5, "epochs": 1}, multiple_of=1, minimum=2)},
        set={"dataset.size": 64},
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("map: {}", ":1: the scale lacks the key title"),
        ("title: x\nmutliply: {}", ":2: the scale has the unknown key mutliply; did you mean multiply?"),
        ("title: x\nmultiply:\n  a: {by: x}", ":3: the factor of a holds 'x', which is no number"),
        ("title: x\nmultiply:\n  a: {by: {steps: true}}", "holds True, which is no number"),
        ("title: x\nmultiply:\n  a: {by: -1}", "holds -1, which is no number"),
        ("title: x\nmultiply:\n  a: {minimum: 1}", "the factor of a lacks the key by"),
        ("title: x\nmultiply:\n  a: {by: 1, multiple_of: 0}", "the factor of a rounds to a multiple of 0"),
        ("title: x\nmap: {a: b}", "a must be a mapping"),
    ],
)
def test_a_mistake_is_a_sentence_with_its_line(tmp_path, text, sentence):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(SpecError, match=r"mine\.yaml") as caught:
        read_scale(tmp_path / "mine.yaml")
    assert sentence in str(caught.value)
