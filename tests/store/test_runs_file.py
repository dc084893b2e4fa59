"""runs.csv as it lies on disk: there and back, and each thing that can be wrong as a sentence with its place."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.store.runs_csv import COLUMNS, LATER_COLUMNS, recorded, runs_csv
from repro.store.runs_file import read_runs
from tests.example_runs import example_record
from tests.store.test_runs_csv import line, measured

ANY_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12).map(
    lambda text: " ".join(text.split())
)
SCORE = st.none() | st.floats(0, 100)
ONE, OTHER = line(), line(evaluation_id="b" * 16)


def read(folder):
    """Lines and problems."""
    found = read_runs(folder / "runs.csv")
    return list(found.lines.values()), found.problems


def told(folder, content):
    """What is read of some bytes, and its sentences without the place of the file."""
    path = folder / "runs.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_runs(path)
    problems, repairs = ([item.removeprefix(f"{path}:") for item in part] for part in (found.problems, found.repairs))
    return found, problems, repairs


def test_a_command_keeps_its_blanks(tmp_path):
    command = "python -m repro --config-dir 'my  conf' head=mine"
    (tmp_path / "runs.csv").write_text(runs_csv([line(command=command)]))
    assert read(tmp_path)[0][0].command == command


def test_a_record_that_tells_little_gives_a_line_all_the_same(tmp_path):
    found = recorded(example_record(provenance={}))
    assert (found.hardware, found.commit, found.dirty, found.images) == ("", "", None, None)
    (tmp_path / "runs.csv").write_text(runs_csv([found]))
    assert read(tmp_path) == ([found], [])


def test_there_and_back(tmp_path):
    lines = [recorded(measured(head, seed, 70 + seed / 3)) for head in ("vortex", "aspp") for seed in (10, 2)]
    (tmp_path / "runs.csv").write_text(runs_csv(lines))
    found, problems = read(tmp_path)
    assert not problems
    assert sorted(found, key=repr) == sorted(lines, key=repr)
    assert [(item.names.head, item.seed) for item in found] == [
        ("aspp", 2),
        ("aspp", 10),
        ("vortex", 2),
        ("vortex", 10),
    ]


@given(st.lists(st.tuples(ANY_TEXT, SCORE, st.dictionaries(ANY_TEXT, SCORE, max_size=3)), max_size=5))
def test_any_content_survives_and_the_order_of_lines_does_not_matter(tmp_path_factory, contents):
    lines = [
        line(score, evaluation_id=f"{place:016x}", command=text, per_class_iou_percent=classes)
        for place, (text, score, classes) in enumerate(contents)
    ]
    text = runs_csv(lines)
    assert runs_csv(reversed(lines)) == text
    path = tmp_path_factory.mktemp("csv") / "runs.csv"
    path.write_text(text, encoding="utf-8", newline="")
    found = read_runs(path)
    assert (list(found.lines.values()), found.problems, found.repairs) == (lines, [], [])
    assert list(found.numbers.values()) == list(range(2, len(lines) + 2))


def test_a_file_from_before_images_were_counted_is_read(tmp_path):
    lines = [line(), line(evaluation_id="b" * 16)]
    rows = list(csv.reader(io.StringIO(runs_csv(lines))))
    known = [COLUMNS.index(name) for name in COLUMNS if name not in LATER_COLUMNS]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([row[place] for place in known] for row in rows)
    (tmp_path / "runs.csv").write_text(stream.getvalue())
    found, problems = read(tmp_path)
    assert problems == []
    assert [(item.measured_trained, item.unknown_images) for item in found] == [(None, "")] * 2


def test_no_file_is_an_empty_list(tmp_path):
    assert read(tmp_path) == ([], [])
    assert runs_csv([]) == ",".join(COLUMNS) + "\n"


def broken(tmp_path, column, value):
    rows = list(csv.reader(io.StringIO(runs_csv([line(), line(evaluation_id="b" * 16)]))))
    rows[2][COLUMNS.index(column)] = value
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    (tmp_path / "runs.csv").write_text(stream.getvalue())
    return read(tmp_path)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("miou_percent", "seventy", "miou_percent is 'seventy', which is no number"),
        ("miou_percent", "nan", "no number"),
        ("seed", "1.5", "seed is '1.5', which is no whole number"),
        ("per_class_iou_percent", '{"disc":', "no JSON object"),
        ("per_class_iou_percent", "[1]", "no JSON object"),
        ("per_class_iou_percent", '{"disc": "x"}', "no JSON object"),
        ("dirty", "perhaps", "dirty is 'perhaps', which is no true or false"),
        ("evaluation_id", "xyz", "no id of 16 hex digits"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(tmp_path, column, value, words):
    found, problems = broken(tmp_path, column, value)
    assert len(found) == 1
    (problem,) = problems
    assert problem.startswith(f"{tmp_path / 'runs.csv'}:3: ")
    assert words in problem


def test_another_head_line_makes_the_file_unreadable(tmp_path):
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    found, problems = read(tmp_path)
    assert not found
    assert f"{tmp_path / 'runs.csv'}:1: the head line must be evaluation_id,run_id" in problems[0]


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "runs.csv").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in read(tmp_path)[1][0]


def test_a_line_of_too_few_fields(tmp_path):
    found, problems, _ = told(tmp_path, runs_csv([ONE]) + "rubbish\n")
    assert len(found.lines) == 1
    assert problems == [f"3: the line has 1 fields, not {len(COLUMNS)}"]


def test_marks_of_a_merge_are_named_and_both_sides_are_read(tmp_path):
    head, one, other = runs_csv([ONE, OTHER]).splitlines()
    text = "\n".join([head, "<<<<<<< HEAD", one, "=======", other, ">>>>>>> branch", ""])
    found, problems, repairs = told(tmp_path, text)
    assert [item.partition(": ")[0] for item in problems] == ["2", "4", "6"]
    assert problems[0] == (
        "2: <<<<<<< is the mark of a merge conflict; keep the lines of both sides, delete the marks, and the next "
        "report puts the lines in order"
    )
    assert found.numbers == {ONE.evaluation_id: 3, OTHER.evaluation_id: 5}
    assert repairs == []


def test_a_merge_that_conflicts_in_the_head_line(tmp_path):
    head, one, other = runs_csv([ONE, OTHER]).splitlines()
    text = "\n".join(["<<<<<<< HEAD", head, one, "=======", head, other, ">>>>>>> branch", ""])
    found, problems, _ = told(tmp_path, text)
    assert len(found.lines) == 2
    assert [item.partition(": ")[0] for item in problems] == ["1", "4", "5", "7"]
    assert problems[2] == "5: a second head line; delete it"


def test_a_line_that_is_there_twice_counts_once(tmp_path):
    text = runs_csv([ONE])
    found, problems, repairs = told(tmp_path, text + text.splitlines()[1] + "\n")
    assert list(found.lines.values()) == [ONE]
    assert problems == []
    assert repairs == [f"3: evaluation {ONE.evaluation_id} is there twice, the same as in line 2; one counts"]


def test_one_evaluation_with_two_contents_does_not_count(tmp_path):
    text = runs_csv([OTHER, ONE]) + runs_csv([line(score=1.0)]).splitlines()[1] + "\n"
    found, problems, _ = told(tmp_path, text)
    assert list(found.lines) == [OTHER.evaluation_id]
    first = 2 if ONE.evaluation_id < OTHER.evaluation_id else 3
    assert problems == [
        f"4: evaluation {ONE.evaluation_id} is there twice, with another miou_percent than in line {first}; neither "
        "counts until one is deleted"
    ]


def test_a_file_that_was_not_written_to_its_end(tmp_path):
    text = runs_csv([ONE, OTHER])
    for cut in (text[: text.index("disc") + 200], text[:-30]):
        found, problems, _ = told(tmp_path, cut[: cut.rindex(",")])
        (problem,) = problems
        assert problem.startswith(f"{cut.count(chr(10)) + 1}: the last line breaks off after ")
        assert "earlier file" in problem
        assert len(found.lines) == cut.count("\n") - 1


def test_faults_that_take_nothing_away_are_repairs(tmp_path):
    text = runs_csv([ONE, OTHER])
    for content, words in (
        (b"\xef\xbb\xbf" + text.encode(), "1: a byte order mark stands before the head line"),
        (text.replace("\n", "\r\n"), "1: 3 of 3 lines end with a carriage return (CRLF)"),
        (text[:-1], "3: the last line has no end"),
    ):
        found, problems, repairs = told(tmp_path, content)
        assert problems == []
        assert runs_csv(found.lines.values()) == text
        (repair,) = repairs
        assert repair.startswith(words)


def test_what_is_no_csv_and_empty_lines(tmp_path):
    text = runs_csv([ONE]) + '"open\n\n' + runs_csv([OTHER]).splitlines()[1] + "\n"
    found, problems, _ = told(tmp_path, text)
    assert len(found.lines) == 2
    assert problems == ["3: the line is no CSV: unexpected end of data", "4: the line is empty; delete it"]
