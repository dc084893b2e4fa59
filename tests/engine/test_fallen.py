"""The last words of processes, and what is made of them."""

import pytest

from repro.engine import fallen
from repro.engine.fallen import Chronicle, LastWords, ended, exit_code_of, has_fallen, is_parting, mark_fallen
from repro.engine.stop import Interrupted
from repro.errors import ConfigError, StoreError


@pytest.fixture
def chronicle(tmp_path):
    return Chronicle(tmp_path / "fallen")


def test_the_first_words_are_the_reason(chronicle):
    chronicle.write(2, "node2", ConfigError("a mask is missing"))
    words = chronicle.first()
    assert words == LastWords(2, "node2", "a mask is missing", 2)
    assert str(words.error()) == "process 2, on node2: a mask is missing"
    assert words.error().exit_code == 2


def test_a_fault_of_ours_is_named_by_its_kind(chronicle):
    chronicle.write(1, "node", ZeroDivisionError("division by zero"))
    assert str(chronicle.first().error()) == "process 1, on node: ZeroDivisionError: division by zero"
    assert chronicle.first().exit_code == 1


def test_a_signal_to_one_is_a_signal_to_the_run(chronicle):
    chronicle.write(1, "node", Interrupted(15, "at step 3"))
    error = chronicle.first().error()
    assert isinstance(error, Interrupted)
    assert error.exit_code == 143


def test_without_words_there_is_no_reason(chronicle):
    chronicle.write(1, "node", ConfigError("of an earlier start"))
    chronicle.clear()
    assert chronicle.first(patience_seconds=0) is None


def test_words_that_nobody_can_read_are_a_sentence(chronicle, tmp_path):
    (tmp_path / "fallen").mkdir()
    (tmp_path / "fallen" / "1.json").write_text('{"rank": 1}')
    with pytest.raises(StoreError, match=r"1\.json does not say why a process ended"):
        chronicle.first()


@pytest.mark.parametrize(
    ("error", "parting"),
    [
        (RuntimeError("[../gloo/transport/tcp/pair.cc:538] Connection closed by peer [127.0.0.1]:2"), True),
        (RuntimeError("NCCL communicator was aborted"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ConfigError("gloo"), False),
    ],
)
def test_only_a_lost_connection_is_a_parting(error, parting):
    assert is_parting(error) is parting


def test_a_command_ends_at_once_where_the_others_are_gone(monkeypatch):
    codes = []
    monkeypatch.setattr(fallen.os, "_exit", codes.append)
    monkeypatch.setattr(fallen._Fall, "has_come", False)
    assert ended(3) == 3
    assert codes == []
    mark_fallen()
    assert has_fallen()
    ended(4)
    assert codes == [4]


def test_the_exit_code_is_that_of_the_sentence():
    assert [exit_code_of(error) for error in (ConfigError(""), Interrupted(15, ""), ValueError())] == [2, 143, 1]
