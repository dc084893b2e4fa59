"""Each status of the four ledgers held against its own entry: what it cites, and what it must tell besides.

Whether the sentences say what the ledger has them say, a reader of the paper must judge; the statuses and values that
such a reading gave for every experiment are in `protocols_index.json`, and compared in `test_ledger.py`.
"""

import json
import re
from pathlib import Path

import pytest

from repro.papers import Entry, Standing
from tests.composed import papers

PLACES = json.loads((Path(__file__).parent / "places.json").read_text())
PAPERS = sorted(papers().ledgers)
DENIAL = re.compile(
    r"\bnot (said|stated|given|named|repeated|mentioned|spelt)\b|\b(nothing|no sentence) (is )?sa(id|ys)\b"
    r"|\bdoes not (say|tell|state)\b|\bnowhere\b|\bnever\b|\bleft (open|out)\b|\bopen\b|\bwhether\b",
    re.IGNORECASE,
)
KINDS = {"section": "sections", "appendix": "sections", "table": "tables", "figure": "figures", "equation": "equations"}


def entries(paper, *standings):
    return [entry for entry in papers().ledgers[paper].entries() if entry.status in (standings or list(Standing))]


def told(entry, more=""):
    return f"line {entry.line}, {entry.setting}: {more or entry.place}"


def mentioned(paper: str, place: str) -> list[tuple[str, str]]:
    """Kind and number, or title, of each section, table, figure and equation that a place mentions."""
    titles = [re.escape(name) for name in sorted(PLACES[paper]["sections"], key=len, reverse=True) if " " in name]
    number = r"\d+(?:\.\d+)*[ab]?\b|[IVX]+(?:-[A-E]\d?)?(?:\([a-d]\)|\b)|[A-C]\b"
    name = "|".join([*titles, *(title for title in PLACES[paper]["sections"] if paper == "dsnet"), number])
    listed = rf"\b({'|'.join(KINDS)}|appendices)(?:es|s)?\s+((?:{name})(?:(?:,| and| to) (?:{name}))*)"
    found = []
    for match in re.finditer(listed, place, re.IGNORECASE):
        found += [(KINDS[match[1].lower()], each) for each in re.findall(name, match[2])]
    return found


def test_places_are_read():
    assert mentioned("gald", "section IV-C1, Tables I and II(a), captions") == [
        ("sections", "IV-C1"), ("tables", "I"), ("tables", "II(a)"),
    ]  # fmt: skip
    assert mentioned("deeplabv3", "sections 4, 4.1 and appendix A") == [
        ("sections", "4"), ("sections", "4.1"), ("sections", "A"),
    ]  # fmt: skip
    assert mentioned("dsnet", "Table 2 and section PASCAL Context say it") == [
        ("tables", "2"), ("sections", "PASCAL Context"),
    ]  # fmt: skip
    assert mentioned("vortex", "nowhere") == []


@pytest.mark.parametrize("paper", PAPERS)
def test_every_place_is_in_the_paper(paper):
    found = {item for entry in entries(paper) for item in mentioned(paper, entry.place)}
    assert len(found) >= 10
    assert [(kind, name) for kind, name in sorted(found) if name not in PLACES[paper][kind]] == []


@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_stated_or_contradicted_has_a_place(paper):
    cited = entries(paper, Standing.STATED, Standing.CONTRADICTED)
    assert [told(entry) for entry in cited if not mentioned(paper, entry.place)] == []


@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_stated_cites_a_sentence_or_refers_to_one_and_denies_neither(paper):
    wrong = []
    for entry in entries(paper, Standing.STATED):
        texts = (*entry.says, entry.by_reference, entry.value, entry.why, entry.place)
        wrong += [told(entry, text) for text in texts if DENIAL.search(text)]
        wrong += [told(entry, text) for text in entry.says if not re.fullmatch(r"[A-Z0-9(].*\s.*\s.*\.", text)]
        if not entry.says and not re.search(r"DeepLabv3|PSPNet|Cityscapes|section \d", entry.by_reference):
            wrong.append(told(entry, f"refers to nothing that is known: {entry.by_reference}"))
    assert wrong == []


@pytest.mark.parametrize("why", ["the size is not said", "No sentence says so", "Left open.", "Nothing is said of it."])
def test_a_denial_is_found(why):
    assert DENIAL.search(why)


@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_open_can_be_varied_or_tells_why_not(paper):
    wrong = [entry for entry in entries(paper, Standing.OPEN)
             if not entry.why or bool(entry.alternatives) == bool(entry.no_alternative)]  # fmt: skip
    assert list(map(told, wrong)) == []


@pytest.mark.parametrize("paper", PAPERS)
def test_what_is_contradicted_tells_both_readings_and_offers_the_other(paper):
    wrong = [entry for entry in entries(paper, Standing.CONTRADICTED)
             if len(entry.says) != 1 + len(entry.alternatives or {"in words": ()})
             or bool(entry.leaves) != bool(entry.alternatives)]  # fmt: skip
    assert list(map(told, wrong)) == []


def test_a_stated_setting_is_varied_as_a_control_only():
    controls = [(paper, entry) for paper in PAPERS for entry in entries(paper, Standing.STATED) if entry.alternatives]
    assert {(paper, entry.setting) for paper, entry in controls} == {
        ("deeplabv3", "dilated_units"), ("dsnet", "learning_rate"), ("dsnet", "selection"),
    }  # fmt: skip
    assert [told(entry) for _, entry in controls if "control" not in entry.why] == []


@pytest.mark.parametrize(
    ("paper", "table", "row", "setting", "status"),
    [
        ("vortex", "table1", "ASPP", "backbone_init", "stated"),
        ("vortex", "table2", "Ours", "train_split", "open"),
        ("vortex", "table2", "Ours", "pretraining_stages", "open"),
        ("vortex", "table3", "Ours", "evaluation_output_stride", "open"),
        ("gald", "table1a", "+ASPP [4]", "eval_mode", "stated"),
        ("gald", "table1a", "+ASPP [4]", "eval_window", "open"),
        ("gald", "table3", "ResNet101", "ldv2_rate", "open"),
        ("deeplabv3", "table8", "513 UL", "frozen_layers", "open"),
        ("deeplabv3", "table8", "513 UL", "upsampled_logits", "stated"),
        ("deeplabv3", "table7", "DeepLabv3", "batch_size", "open"),
        ("deeplabv3", "table3", "(1, 2, 4)", "stride_of_a_block", "contradicted"),
        ("dsnet", "table3", "Ours(DSNet)", "selection", "stated"),
    ],
)
def test_a_status_that_was_wrong(paper, table, row, setting, status):
    entry = papers().ledgers[paper].answer(table, row, setting)
    assert isinstance(entry, Entry)
    assert entry.status == status


def test_the_layers_that_a_row_freezes_can_be_varied():
    entry = papers().ledgers["deeplabv3"].answer("table8", "513 UL", "frozen_layers")
    assert entry.alternatives == {"resnet_alone": ("schedule.batch_norm.frozen_in=backbone",)}
