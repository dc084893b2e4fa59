import re
from dataclasses import replace

import pytest

from repro.errors import ConfigError
from repro.experiments.chains import Chains
from repro.papers import SpecError
from tests.papers.small_paper import ABLATION, small_library

TABLE = "small/table1"
STAGED = (
    ABLATION.replace("[head=aspp]", "[head=aspp]\n    after: second\n    drop: [head.classifier]")
    .replace("[head=unbuilt]", "[head=aspp, schedule.learning_rate=0.01]\n    after: second")
    .replace(
        "columns:",
        "stages:\n  first: {run: [schedule.length=9 steps]}\n"
        "  second: {after: first, run: [schedule.length=8 steps]}\ncolumns:",
    )
)


def chains_and_table(folder, scale="paper", **texts):
    library = small_library(folder, **texts)
    return Chains(library, library.scale(scale)), library.tables[TABLE], library.scale(scale)


def chain(folder, row, scale="paper", **texts):
    chains, table, at = chains_and_table(folder, scale, **texts)
    return chains.of(table, table.rows[row], table.columns["mIoU"], at)


def test_a_chain_holds_the_stages_before_the_rows_own_training(tmp_path):
    found = chain(tmp_path, "better", ablation=STAGED)
    assert [(link.stage, link.drop) for link in found.links] == [
        ("first", ()), ("second", ()), ("", ("head.classifier",)),
    ]  # fmt: skip
    lengths = [link.configuration.leaves["schedule.length"] for link in found.links]
    assert lengths == ["9 steps", "8 steps", "200 steps"]
    assert {link.configuration.scale for link in found.links} == {"paper"}


def test_equal_cells_have_one_chain_and_their_stages_one_link(tmp_path):
    chains, table, scale = chains_and_table(tmp_path, ablation=STAGED)
    better, best = table.rows["better"], table.rows["best"]
    found = chains.of(table, better, table.columns["mIoU"], scale)
    assert chains.of(table, better, table.columns["gain"], scale) is found
    other = chains.of(table, best, table.columns["mIoU"], scale)
    assert other is not found
    assert [one is another for one, another in zip(found.links, other.links, strict=True)] == [True, True, False]


def test_a_scale_reaches_every_training(tmp_path):
    found = chain(tmp_path, "better", "smoke", ablation=STAGED)
    assert {link.configuration.scale for link in found.links} == {"smoke"}
    assert {link.configuration.leaves["schedule.batch_size"] for link in found.links} == {4}


def test_what_is_not_built_is_told_in_the_papers_words(tmp_path):
    chains, table, scale = chains_and_table(tmp_path)
    found = chains.of(table, table.rows["best"], table.columns["mIoU"], scale)
    assert found.own.missing == ("head=unbuilt",)
    assert chains.explained(table, table.rows["best"], ["head=unbuilt", "head=unbuilt", "metric=latency_ms"]) == (
        "head=unbuilt (a head that nobody wrote); metric=latency_ms (time of one pass)"
    )


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("[head=aspp]", "[head=asp]", "row better: head=asp is no choice of head; did you mean aspp?"),
        ("[head=aspp]", "[head=aspp, head.widht=3]", "there is no setting head.widht; did you mean head.width?"),
        ("[head=aspp]", "[head=aspp, schedule.batch_norm=frozen]", "would replace a whole group"),
        ("[head=aspp]", "[head=aspp, 'seed=[1']", "row better: the value of 'seed=[1' cannot be read"),
        ("backbone=resnet18, ", "", "row better names no backbone; write backbone=<choice> in the run or evaluation"),
        ("evaluation: [evaluation=whole]", "", "row better names no evaluation"),
    ],
)  # fmt: skip
def test_what_cannot_be_composed_is_a_sentence_with_its_place(tmp_path, right, wrong, sentence):
    with pytest.raises(SpecError, match=re.escape(sentence)) as caught:
        chain(tmp_path, "better", ablation=ABLATION.replace(right, wrong))
    assert str(caught.value).startswith(f"{tmp_path / 'small' / 'table1.yaml'}:")
    assert "\n" not in str(caught.value)


def test_a_metric_that_the_paper_does_not_list_as_not_built_is_a_mistake(tmp_path):
    chains, table, _ = chains_and_table(tmp_path)
    with pytest.raises(SpecError, match=r"metric=depth cannot be measured, and paper\.yaml of small does not list it"):
        chains.explained(table, table.rows["plain"], ["metric=depth"])


def test_a_scale_that_names_what_does_not_exist_is_a_mistake(tmp_path):
    library = small_library(tmp_path)
    scale = replace(library.scale("smoke"), set={"schedule.lenght": 3})
    with pytest.raises(ConfigError, match=r"names schedule\.lenght, which no configuration has; did you mean schedule"):
        Chains(library, scale)
