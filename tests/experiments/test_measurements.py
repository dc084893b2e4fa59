import pytest

from repro.experiments.measurement import Kind
from repro.experiments.measurements import Measurements
from repro.papers import Address
from tests.composed import composed, measured
from tests.experiments.test_chains import STAGED
from tests.papers.small_paper import ABLATION, PAPER, small_library

TABLE = "small/table1"


def of(library, scale="paper", table=TABLE):
    return Measurements(library, library.matching(table), library.scale(scale))


def at(row, column="mIoU", table=TABLE):
    return Address(table, row, column)


def lengths(configurations):
    return [configuration.leaves["schedule.length"] for configuration in configurations]


def test_every_cell_has_a_kind_and_a_reason(tmp_path):
    found = of(small_library(tmp_path))
    kinds = {(address.row, address.column): item.kind for address, item in found.items()}
    assert len(kinds) == len(found) == 4 * 4
    assert kinds["better", "mIoU"] is kinds["better", "gain"] is Kind.RUN
    assert kinds["plain", "gain"] is Kind.BLANK
    assert kinds["theirs [1]", "mIoU"] is Kind.CITED
    assert kinds["better", "Width"] is kinds["better", "Deep"] is Kind.SETTING
    assert kinds["best", "mIoU"] is Kind.NOT_BUILT
    assert found[at("best")].reason == "head=unbuilt (a head that nobody wrote)"
    assert found[at("theirs [1]")].reason == "Somebody 2019"


def test_a_row_that_the_paper_alone_can_run_says_why(tmp_path):
    text = ABLATION.replace("    run: [head=unbuilt]", "    kind: server only\n    reason: The labels are secret.")
    item = of(small_library(tmp_path, ablation=text))[at("best")]
    assert (item.kind, item.reason) == (Kind.SERVER_ONLY, "The labels are secret.")
    assert not item.chain


def test_a_cells_run_is_that_of_the_command_line(tmp_path):
    item = of(small_library(tmp_path))[at("better")]
    run = composed("backbone=resnet18", "dataset=shapes", "schedule=shapes_200", "head=aspp", "seed=3")
    assert item.run_id(3) == run.run_id
    assert item.evaluation_id(3) == run.evaluation_id == item.configuration(3).evaluation_id
    assert item.configuration(3).scale == "paper"


def test_cells_of_other_tables_are_answered_too(tmp_path):
    found = of(small_library(tmp_path, table2=ABLATION))
    assert {address.table for address in found} == {TABLE}
    assert found[at("better", table="small/table2")].run_id(0) == found[at("better")].run_id(0)


def test_a_row_that_is_printed_once_more_is_the_same_run(tmp_path):
    again = ABLATION.replace("    run: [head=aspp]", '    same_as: "table2: better"')
    found = of(small_library(tmp_path, ablation=again, table2=ABLATION))
    assert found[at("better")].address == at("better")
    assert found[at("better")].run_id(0) == found[at("better", table="small/table2")].run_id(0)
    assert str(found[at("better", "gain")].metric) == "delta(small/table1: plain @ mIoU, miou)"


def test_what_was_never_printed_is_a_run_like_any_other(tmp_path):
    text = ABLATION.replace("mIoU: 55.5", "mIoU: not printed")
    item, printed = (of(small_library(tmp_path / name, ablation=table))[at("better")]
                     for name, table in (("wanted", text), ("printed", ABLATION)))  # fmt: skip
    assert item.kind is Kind.RUN
    assert (item.cell.published, item.evaluation_id(0)) == (None, printed.evaluation_id(0))


def test_a_row_may_want_another_metric_of_the_run_that_it_repeats(tmp_path):
    again = ABLATION.replace("    run: [head=aspp]", '    same_as: "table2: better"').partition("claims:")[0]
    again = again.replace("mIoU: 55.5", "mIoU: {value: not printed, metric: iou.disk}")
    again = again.replace('gain: {value: 5.5, printed: "5.5 ↑"}', "gain: {value: not printed, metric: parameters}")
    found = of(small_library(tmp_path, ablation=again, table2=ABLATION))
    item, first = found[at("better")], found[at("better", table="small/table2")]
    assert (str(item.metric), item.address) == ("iou.disk", at("better"))
    assert item.evaluation_id(0) == first.evaluation_id(0)
    assert found[at("better", "gain")].kind is Kind.STATIC


def test_a_typing_error_is_no_unbuilt_head_and_the_other_rows_stay(tmp_path):
    found = of(small_library(tmp_path, ablation=ABLATION.replace("[head=aspp]", "[head=asp]")))
    assert found[at("better")].kind is Kind.NOT_BUILT
    (problem, _) = found.problems  # one for each of its two measured cells
    assert "did you mean aspp" in str(problem)
    assert "table1.yaml:" in str(problem)
    assert found[at("plain")].kind is Kind.RUN


def test_what_is_listed_as_not_built_need_not_exist(tmp_path):
    text = ABLATION.replace("metric: miou,", "metric: latency_ms,").replace("delta(plain)", "setting")
    found = of(small_library(tmp_path, ablation=text))
    assert found[at("better")].reason == "metric=latency_ms (time of one pass)"
    unlisted = PAPER.replace("  metric=latency_ms: time of one pass\n", "")
    found = of(small_library(tmp_path, ablation=text, paper=unlisted))
    assert "does not list it as not built" in str(found.problems[0])


def test_a_metric_of_the_network_needs_no_schedule(tmp_path):
    text = ABLATION.replace("metric: miou,", "metric: parameters,").replace("delta(plain)", "setting")
    text = text.replace("[head=aspp]", "[head=aspp, schedule=unbuilt]")
    paper = PAPER + "  schedule=unbuilt: never written\n"
    item = of(small_library(tmp_path, ablation=text, paper=paper))[at("better")]
    assert item.kind is Kind.STATIC
    assert item.chain is item.paper_chain


def test_stages_form_a_chain_whose_ids_depend_on_each_other(tmp_path):
    found = of(small_library(tmp_path, ablation=STAGED))
    item, sibling = found[at("better")], found[at("best")]
    first, second, own = item.chain.configurations(1)
    assert lengths((first, second, own)) == ["9 steps", "8 steps", "200 steps"]
    assert first.leaves["init.from"] is None
    assert second.leaves["init.from"] == f"run:{first.run_id}"
    assert own.tree["init"] == {"from": f"run:{second.run_id}", "layout": "ours", "drop": ["head.classifier"]}
    others = item.chain.configurations(0)
    assert not {run.run_id for run in others} & {first.run_id, second.run_id, own.run_id}
    shared = [run.run_id for run in sibling.chain.configurations(1)[:2]]
    assert shared == [first.run_id, second.run_id]  # the row's network decides, not its learning rate
    assert sibling.run_id(1) != item.run_id(1)


def test_a_stage_on_another_data_set_has_no_leaves_of_the_rows(tmp_path):
    text = STAGED.replace("dataset=shapes,", "dataset=camvid, dataset.layout=original,")
    text = text.replace("first: {run: [", "first: {run: [dataset=shapes, ")
    first, second, _ = of(small_library(tmp_path, ablation=text))[at("better")].chain.configurations(0)
    assert first.leaves["dataset._target_"] == "repro.data.Shapes"
    assert second.leaves["dataset.layout"] == "original"


def test_rows_that_a_scale_makes_equal_are_the_same_as_the_first(tmp_path):
    text = ABLATION.replace("[head=fcn]", "[head=aspp, schedule.length=300 steps]")
    library = small_library(tmp_path, ablation=text)
    assert of(library)[at("better")].kind is Kind.RUN
    item = of(library, "smoke")[at("better")]
    assert (item.kind, item.reason, item.twin) == (Kind.SAME_AS, "plain", at("plain"))
    assert not item.chain


def test_what_a_table_varies_and_the_scale_fixes_is_not_at_this_scale(tmp_path):
    text = ABLATION.replace("varies: [head]", "varies: [head, backbone.weights]")
    text = text.replace("[head=aspp]", "[head=aspp, backbone.weights=IMAGENET1K_V1]")
    found = of(small_library(tmp_path, ablation=text), "smoke")
    item = found[at("better")]
    assert (item.kind, item.reason) == (Kind.NOT_AT_THIS_SCALE, "the scale sets backbone.weights")
    assert found[at("plain")].kind is Kind.RUN


def test_another_reading_is_the_cell_with_other_overrides(tmp_path):
    found = of(small_library(tmp_path))
    other = found.reading(at("better"), ["backbone.output_stride=8", "evaluation.flip=true"])
    assert (other.chain.own.leaves["backbone.output_stride"], other.chain.own.leaves["evaluation.flip"]) == (8, True)
    assert other.run_id(0) != found[at("better")].run_id(0)


def test_another_reading_reaches_the_stages_that_do_not_set_it_themselves(tmp_path):
    found = of(small_library(tmp_path, ablation=STAGED))
    configurations = found.reading(
        at("better"), ["align_corners=true", "schedule.length=5 steps"]
    ).chain.configurations(0)
    assert [configuration.tree["align_corners"] for configuration in configurations] == [True, True, True]
    assert lengths(configurations) == ["9 steps", "8 steps", "5 steps"]


def cascade_ids(table):
    cells = measured().items()
    return {(at.row, at.column): item.evaluation_id(0) for at, item in cells if at.table == f"deeplabv3/{table}"}


@pytest.mark.slow
def test_cascades_that_two_tables_print_are_one_run():
    strides, depths, grids = map(cascade_ids, ("table1", "table2", "table3"))
    assert strides["mIOU", "16"] == depths["ResNet-50", "block7"]
    blocks = ("block4", "block5", "block6", "block7")
    assert [depths["ResNet-101", block] for block in blocks] == [grids["(1, 1, 1)", block] for block in blocks]
    assert len({*strides.values(), *depths.values(), *grids.values()}) == 6 + (8 - 1) + (20 - 4)


def test_a_row_whose_data_are_not_there_to_count_by_content_says_so(tmp_path):
    gone = f"[head=aspp, dataset=camvid, dataset.root={tmp_path}/gone, dataset.split_sha256=null]"
    item = of(small_library(tmp_path, ablation=ABLATION.replace("[head=aspp]", gone)))[at("better")]
    assert item.kind is Kind.CANNOT_BE_RUN
    assert item.reason.startswith(f"dataset.root names {tmp_path}/gone, which is not there")
    assert not item.chain
    assert item.paper_chain


def test_a_row_whose_code_is_gone_is_not_run(tmp_path):
    gone = ABLATION.replace("[head=aspp]", "[head=aspp, head._target_=gone.Mine]")
    item = of(small_library(tmp_path, ablation=gone))[at("better")]
    assert item.kind is Kind.NOT_RUN
    assert item.reason.startswith("code not found: head._target_ is 'gone.Mine'")
    assert not item.chain
