from repro.papers import Address
from repro.report.audit.finding import FindingKind, places_text


def test_every_kind_has_a_sentence_of_its_own_that_can_stand_in_a_table():
    meanings = [kind.meaning for kind in FindingKind]
    assert len(set(meanings)) == len(FindingKind)
    assert not any(meaning.endswith(".") or "|" in meaning for meaning in meanings)


def test_a_row_with_many_places_is_named_by_its_first_one():
    row = [Address("made/table1", "ours", head) for head in "abcde"]
    other = Address("made/prose", "again", "mIoU")
    assert places_text([*row, other]) == ["made/table1: ours @ a and 4 more of its row", str(other)]
    assert places_text(row[:2]) == [str(place) for place in row[:2]]
