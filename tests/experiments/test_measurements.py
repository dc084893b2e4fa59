from dataclasses import replace

import pytest

from repro.config import identity
from repro.config.compose import compose
from repro.errors import ConfigError
from repro.experiments import deviations, measurements, static_value
from repro.papers import Address, load_papers
from tests.papers.small_paper import ABLATION, PAPER, small_library

TABLE = "small/table1"


def of(library, scale="paper", table=TABLE):
    return measurements(library, library.matching(table), library.scale(scale))


def at(row, column="mIoU", table=TABLE):
    return Address(table, row, column)


def test_every_cell_has_a_kind_and_a_reason(tmp_path):
    found = of(small_library(tmp_path))
    kinds = {(address.row, address.column): item.kind for address, item in found.items()}
    assert len(kinds) == 4 * 4
    assert kinds["better", "mIoU"] == kinds["better", "gain"] == "run"
    assert kinds["plain", "gain"] == "blank"
    assert kinds["theirs [1]", "mIoU"] == "cited"
    assert kinds["better", "Width"] == kinds["better", "Deep"] == "setting"
    assert kinds["best", "mIoU"] == "not built"
    assert found[at("best")].reason == "head=unbuilt (a head that nobody wrote)"


def test_a_cells_run_is_that_of_the_command_line(tmp_path):
    item = of(small_library(tmp_path))[at("better")]
    config = compose(["backbone=resnet18", "dataset=shapes", "schedule=shapes_200", "head=aspp", "seed=3"])
    assert item.run_id(3) == identity.run_id(config)
    assert item.evaluation_id(3) == identity.evaluation_id(config)
    assert identity.evaluation_id(item.config_for(3)) == item.evaluation_id(3)
    assert item.config_for(3)["composition"]["scale"] == "paper"


def test_a_typing_error_is_no_unbuilt_head(tmp_path):
    library = small_library(tmp_path, ablation=ABLATION.replace("[head=aspp]", "[head=asp]"))
    found = of(library)
    assert found[at("better")].kind == "not built"
    assert "did you mean aspp" in str(found.problems[0])
    assert "table1.yaml:" in str(found.problems[0])
    assert found[at("plain")].kind == "run"


def test_what_is_listed_as_not_built_need_not_exist(tmp_path):
    text = ABLATION.replace("metric: miou,", "metric: latency_ms,").replace("delta(plain)", "setting")
    text = text.replace("best > better > plain", "best @ mIoU > better @ mIoU")
    found = of(small_library(tmp_path, ablation=text))
    assert found[at("better")].reason == "metric=latency_ms (time of one pass)"
    unlisted = PAPER.replace("  metric=latency_ms: time of one pass\n", "")
    found = of(small_library(tmp_path, ablation=text, paper=unlisted))
    assert "does not list it as not built" in str(found.problems[0])


def test_every_own_row_names_its_five_groups(tmp_path):
    found = of(small_library(tmp_path, ablation=ABLATION.replace("backbone=resnet18, ", "")))
    assert found[at("plain")].kind == "not built"
    assert "row plain names no backbone" in str(found.problems[0])


STAGED = (
    ABLATION.replace("[head=aspp]", "[head=aspp]\n    after: second\n    drop: [head.classifier]")
    .replace("[head=unbuilt]", "[head=aspp, schedule.learning_rate=0.01]\n    after: second")
    .replace(
        "columns:",
        "stages:\n  first: {run: [schedule.length=9 steps]}\n"
        "  second: {after: first, run: [schedule.length=8 steps]}\ncolumns:",
    )
)


def test_stages_form_a_chain_whose_ids_depend_on_each_other(tmp_path):
    found = of(small_library(tmp_path, ablation=STAGED))
    item, sibling = found[at("better")], found[at("best")]
    first, second, own = item.configs(1)
    assert [config["schedule"]["length"] for config in (first, second, own)] == ["9 steps", "8 steps", "200 steps"]
    assert first["init"]["from"] is None
    assert second["init"]["from"] == f"run:{identity.run_id(first)}"
    assert own["init"] == {"from": f"run:{identity.run_id(second)}", "drop": ["head.classifier"]}
    assert item.run_ids(1) == tuple(identity.run_id(config) for config in (first, second, own))
    assert item.run_ids(0) != item.run_ids(1)
    assert sibling.run_ids(1)[:2] == item.run_ids(1)[:2]  # the row's network decides, not its learning rate
    assert sibling.run_id(1) != item.run_id(1)


def test_rows_that_a_scale_makes_equal_are_the_same_as_the_first(tmp_path):
    text = ABLATION.replace("[head=fcn]", "[head=aspp, schedule.length=300 steps]")
    library = small_library(tmp_path, ablation=text)
    assert of(library)[at("better")].kind == "run"
    item = of(library, "smoke")[at("better")]
    assert (item.kind, item.reason) == ("same as", "plain")


def test_what_a_table_varies_and_the_scale_fixes_is_not_at_this_scale(tmp_path):
    text = ABLATION.replace("varies: [head]", "varies: [head, backbone.weights]")
    text = text.replace("[head=aspp]", "[head=aspp, backbone.weights=IMAGENET1K_V1]")
    found = of(small_library(tmp_path, ablation=text), "smoke")
    item = found[at("better")]
    assert (item.kind, item.reason) == ("not at this scale", "the scale sets backbone.weights")
    assert found[at("plain")].kind == "run"


def test_a_stage_on_another_data_set_has_no_leaves_of_the_rows(tmp_path):
    text = STAGED.replace("dataset=shapes,", "dataset=camvid, dataset.layout=original,")
    text = text.replace("first: {run: [", "first: {run: [dataset=shapes, ")
    first, second, _ = of(small_library(tmp_path, ablation=text))[at("better")].configs(0)
    assert first["dataset"]["_target_"] == "repro.data.Shapes"
    assert second["dataset"]["layout"] == "original"


def test_deviations_are_computed(tmp_path):
    library = small_library(tmp_path)
    assert deviations(of(library)[at("better")]) == []
    found = [str(item) for item in deviations(of(library, "smoke")[at("better")])]
    assert "schedule.batch_size: 8 → 4" in found
    assert not [item for item in found if item.startswith("dataset:")]  # shapes in both; its size is told below
    vortex = of(load_papers(), "smoke", "vortex/table1")
    found = [str(item) for item in deviations(vortex[at("Module B", "Mean IoU", "vortex/table1")])]
    assert found[:2] == ["dataset: voc → shapes", "backbone: resnet50 → resnet18"]
    assert "schedule.batch_size: 16 → 8" in found


def test_an_alternative_is_the_cell_with_other_overrides(tmp_path):
    found = of(small_library(tmp_path))
    other = found.alternative(at("better"), ["backbone.output_stride=8", "evaluation.flip=true"])
    assert other.config["backbone"]["output_stride"] == 8
    assert other.config["evaluation"]["flip"] is True


@pytest.mark.parametrize(
    ("label", "ratio"), [("ASPP", 0.0059), ("Module A (5 x 5)", 0.148), ("Module A (9 x 9)", 0.479), ("Module B", 1)]
)
def test_the_utilisation_ratios_of_vortex_pooling(label, ratio):
    library = load_papers()
    found = measurements(library, library.matching("vortex/prose"), library.scale("paper"))
    (item,) = [item for address, item in found.items() if address.row == label and item.kind == "static"]
    assert item.published == ratio
    assert static_value(item) == pytest.approx(ratio, abs=0.0005)


def test_a_scale_that_names_what_does_not_exist_is_a_mistake(tmp_path):
    library = small_library(tmp_path)
    scale = replace(library.scale("smoke"), set={"schedule.lenght": 3})
    with pytest.raises(ConfigError, match=r"names schedule\.lenght, which no configuration has; did you mean schedule"):
        measurements(library, library.matching(TABLE), scale)


def test_an_alternative_reaches_the_stages_that_do_not_set_it_themselves(tmp_path):
    found = of(small_library(tmp_path, ablation=STAGED))
    item = found.alternative(at("better"), ["align_corners=true", "schedule.length=5 steps"])
    first, second, own = item.configs(0)
    assert [config["align_corners"] for config in (first, second, own)] == [True, True, True]
    assert [config["schedule"]["length"] for config in (first, second, own)] == ["9 steps", "8 steps", "5 steps"]


def cascade_ids(table):
    library = load_papers()
    found = of(library, table=f"deeplabv3/{table}")
    return {(address.row, address.column): item.evaluation_id(0) for address, item in found.items()}


def test_cascades_that_two_tables_print_are_one_run():
    strides, depths, grids = map(cascade_ids, ("table1", "table2", "table3"))
    assert strides["mIOU", "16"] == depths["ResNet-50", "block7"]
    blocks = ("block4", "block5", "block6", "block7")
    assert [depths["ResNet-101", block] for block in blocks] == [grids["(1, 1, 1)", block] for block in blocks]
    assert len({*strides.values(), *depths.values(), *grids.values()}) == 6 + (8 - 1) + (20 - 4)
