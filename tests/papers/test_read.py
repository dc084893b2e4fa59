import pytest

from repro.papers import Address, Metric
from tests.papers.small_paper import ABLATION, CLAIM, small_library

TABLE = "small/table1"


def test_a_table_is_read_with_everything_it_says(tmp_path):
    library = small_library(tmp_path)
    assert library.problems == []
    table = library.tables[TABLE]
    assert list(table.rows) == ["plain", "better", "theirs [1]", "best"]
    assert [column.head for column in table.columns.values() if column.marks] == ["Deep"]
    assert table.rows["better"].marks == ("Deep",)
    assert table.rows["theirs [1]"].kind == "cited"
    gain = table.rows["better"].cells["gain"]
    assert gain.published == 5.5
    assert gain.printed == "5.5 ↑"
    assert gain.metric == Metric("delta", reference=Address(TABLE, "plain", "mIoU"), of=Metric("miou"))
    assert table.rows["best"].cells["gain"].signed == -4.0
    assert table.rows["plain"].cells["gain"].published is None
    assert [(part.left, part.right) for claim in table.claims for part in claim.parts] == [
        (Address(TABLE, "best", "mIoU"), Address(TABLE, "better", "mIoU")),
        (Address(TABLE, "better", "mIoU"), Address(TABLE, "plain", "mIoU")),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("kind: ablation", "kind: ablations", ":4: kind is ablations"),
        ("    run: [head=aspp]", "    runs: [head=aspp]", "unknown key runs; did you mean run?"),
        ("mIoU: 55.5", "mIoU: 55.5x", "is '55.5x', which is no number"),
        ("mIoU: 55.5", "mIoU: true", "is True, which is no number"),
        ('"better", ">", "plain"', '"bettr"', "has no row bettr; did you mean better?"),
        ("delta(plain)", "delta(plane)", "has no row plane; did you mean plain?"),
        ("metric: miou,", "metric: mio,", "mio is no metric"),
        ("label: better", "label: plain", "two rows with the label plain"),
        ("marks: [Deep]", "marks: [Width]", "which is no mark column"),
        ("mIoU: 54.0", "mIou: 54.0", "a cell for no column: mIou; did you mean mIoU?"),
        ("rows:", "rows: {", "is no YAML"),
        ("title: One head beside another\n", "", "lacks the key title"),
        ("label_column: Head", "label_column: Head\nlabel_column: Head", "label_column is given twice"),
        ("    kind: cited", "    kind: quoted", "kind is quoted"),
        ("mIoU: 55.5", "mIoU: .nan", "is nan, which is no number"),
        ("mIoU: 55.5", "mIoU: {value: 55.5, metric: 5}", "must be text, not 5"),
        (f"claims:\n  - {CLAIM}", "claims: 5", "claims must be a list"),
        ("columns:", "stages: {a: {run: [], after: b}, b: {run: [], after: a}}\ncolumns:", "round in a circle"),
        ("    run: [head=aspp]", '    same_as: "better"', "better only repeats another cell"),
        ("    run: [head=aspp]", "    run: [head=aspp]\n    after: coco", "comes after the stage coco"),
        ("label_column: Head", "label_column: Head\ntolerance: 0", "tolerance must be a number above 0, not 0"),
    ],
)
def test_a_mistake_is_a_sentence_with_file_and_line_and_the_rest_is_read(tmp_path, right, wrong, sentence):
    assert right in ABLATION
    library = small_library(tmp_path, ablation=ABLATION.replace(right, wrong), table2=ABLATION)
    (problem,) = library.problems
    assert sentence in str(problem)
    assert str(problem).startswith(f"{tmp_path / 'small' / 'table1.yaml'}:{problem.line}: ")
    line = (tmp_path / "small" / "table1.yaml").read_text().splitlines()[problem.line - 1]
    assert problem.line > 1 or "title" in sentence, line
    assert "small/table2" in library.tables


def test_a_label_may_hold_what_addresses_are_made_of(tmp_path):
    text = ABLATION.replace("label: plain", 'label: "MG(1, 2) + x: y"').replace(
        "delta(plain)", '"delta(MG(1, 2) + x: y)"'
    )
    text = text.replace('"best", ">", "better", ">", "plain"', '"better", ">", "MG(1, 2) + x: y @ mIoU"')
    library = small_library(tmp_path, ablation=text)
    table = library.tables[TABLE]
    assert table.claims[0].parts[0].right == Address(TABLE, "MG(1, 2) + x: y", "mIoU")
    assert table.rows["better"].cells["gain"].metric.reference == Address(TABLE, "MG(1, 2) + x: y", "mIoU")


def test_a_difference_may_be_of_another_metric_and_another_table(tmp_path):
    text = ABLATION.replace("delta(plain)", '"delta(table2: plain, parameters)"')
    library = small_library(
        tmp_path, ablation=text, table2=ABLATION.replace("metric: setting}", "metric: parameters}", 1)
    )
    metric = library.tables[TABLE].rows["better"].cells["gain"].metric
    assert metric.of == Metric("parameters")
    assert metric.reference == Address("small/table2", "plain", "Width")


def test_placeholders_of_a_metric_are_filled_by_the_row(tmp_path):
    text = ABLATION.replace("metric: miou,", '"metric": "boundary_f.{px}.road",').replace(
        "    run: [head=aspp]", "    run: [head=aspp]\n    fill: {px: 3}"
    )
    text = text.replace("    run: [head=fcn]", "    run: [head=fcn]\n    fill: {px: 9}")
    text = text.replace("    run: [head=unbuilt]", "    run: [head=unbuilt]\n    fill: {px: 9}")
    text = text.replace("    reason: Somebody 2019", "    reason: Somebody 2019\n    fill: {px: 3}")
    text = text.replace("delta(plain)", "setting")
    library = small_library(tmp_path, ablation=text)
    rows = library.tables[TABLE].rows
    assert rows["better"].cells["mIoU"].metric == Metric("boundary_f", class_name="road", pixels=3)
    assert rows["plain"].cells["mIoU"].metric == Metric("boundary_f", class_name="road", pixels=9)
