import re

from repro.engine.progress import Progress


def test_a_bar_shows_how_far_and_the_figures(capsys):
    with Progress("training", total=10, done=4, unit="step", shown=True) as bar:
        bar.advance(5, {"loss": "0.123"})
        bar.advance()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.search(r"training: +40%.*4/10", shown.err)
    assert re.search(r"training: 100%.*10/10.*loss=0\.123", shown.err)


def test_what_is_not_to_be_shown_is_not(capsys):
    with Progress("training", total=10, unit="step", shown=False) as bar:
        bar.advance(10, {"loss": "0.123"})
    assert capsys.readouterr() == ("", "")
