from repro.report.audit.finding import FindingKind


def test_every_kind_has_a_sentence_of_its_own_that_can_stand_in_a_table():
    meanings = [kind.meaning for kind in FindingKind]
    assert len(set(meanings)) == len(FindingKind)
    assert not any(meaning.endswith(".") or "|" in meaning for meaning in meanings)
