"""The command's ends: help, mistakes, what cannot be written."""

import pytest


def test_mistakes_are_one_sentence(command):
    assert command("tabel=x") == 2
    assert command.err == "error: report has no setting tabel; did you mean table?\n"
    assert command("table=tabel1") == 2
    assert "did you mean" in command.err
    assert command("scale=huge") == 2
    assert "there is no scale huge" in command.err
    assert command.out == ""
    assert not command.reports.exists()


def test_a_folder_that_cannot_be_written(command, tmp_path):
    command.reports = tmp_path / "file" / "reports"
    (tmp_path / "file").write_text("")
    assert command("scale=paper") == 2
    assert "cannot be written" in command.err or "cannot be read" in command.err


@pytest.mark.parametrize("words", [["--help"], ["scale=paper", "-h"], ["-h", "tabel=x"]])
def test_help_tells_every_setting_and_makes_nothing(command, words):
    assert command(*words) == 0
    for setting in (
        "paper:",
        "table:",
        "scale:",
        "source:",
        "check:",
        "prune:",
        "tolerance:",
        "outputs:",
        "audit:",
        "relations:",
    ):
        assert f"\n  {setting} " in command.out
    assert "python -m repro.report check=true" in command.out
    assert not command.reports.exists()


def test_words_that_are_no_settings_are_refused(command):
    assert command("scale=paper", "--chek") == 2
    assert "--chek" in command.err
    assert command("paper") == 2
    assert "write it as key=value" in command.err
    assert command.out == ""
