import errno
import os
import subprocess
import sys

import pytest

from repro import __version__
from repro.console import INTERRUPTED, Words, answer, complain
from repro.engine.stop import Interrupted
from repro.errors import ConfigError
from tests.places import REPOSITORY

FULL = "/dev/full"
ASCII_ONLY = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def raising(error):
    def work():
        raise error

    return work


def test_what_a_command_answers_is_its_exit_code():
    assert answer(lambda: 0) == 0
    assert answer(lambda: 7) == 7


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (ConfigError("there is no x; did you mean y?"), 2, "error: there is no x; did you mean y?\n"),
        (ConfigError("there is no x"), 2, "error: there is no x.\n"),
        (Interrupted(15, "there"), 143, "error: stopped by SIGTERM there; the same command goes on from there.\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
    ],
)
def test_what_the_user_can_mend_is_one_sentence_and_an_exit_code(capsys, error, code, printed):
    assert answer(raising(error)) == code
    assert capsys.readouterr() == ("", printed)


def test_an_error_of_the_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        answer(raising(ZeroDivisionError()))


def test_a_complaint_is_a_full_sentence_on_standard_error(capsys):
    complain("the disk is full")
    assert capsys.readouterr() == ("", "error: the disk is full.\n")


@pytest.fixture
def words():
    parser = Words("sweep", lambda prefix, given: [f"{prefix}1", *given.overrides])
    parser.add_argument("-m", "--multirun", action="store_true")
    return parser


@pytest.mark.parametrize(
    "line", ["-m head=fcn seed=1", "head=fcn -m seed=1", "head=fcn seed=1 --multirun", "head=fcn -m -- seed=1"]
)
def test_flags_may_stand_anywhere_among_the_overrides(words, line):
    given = words.parse_intermixed_args(line.split())
    assert (given.overrides, given.multirun, given.help) == (["head=fcn", "seed=1"], True, False)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("head=fcn --nothing", "unrecognized arguments: --nothing"), ("--multi", "unrecognized arguments: --multi")],
)
def test_a_mistaken_flag_is_a_sentence_and_none_is_guessed_from_its_beginning(words, line, sentence):
    with pytest.raises(ConfigError, match=sentence):
        words.parse_intermixed_args(line.split())


def test_the_version_is_told(words, capsys):
    with pytest.raises(SystemExit) as caught:
        words.parse_intermixed_args(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"repro {__version__}\n"


def test_overrides_are_completed_from_what_was_typed(words):
    given = words.parse_intermixed_args(["head=fcn"])
    completer = next(action.completer for action in words._actions if action.dest == "overrides")
    assert completer("se", parsed_args=given, parser=words) == ["se1", "head=fcn"]
    words.complete_by(lambda prefix, given: [prefix.upper()])
    assert completer is not words._actions[0].completer
    assert words.completions("se", given) == ["se1", "head=fcn"]


def processed(body, *, redirected="", printed=True, environment=None, **streams):
    """A process of a command that prints, with streams as a shell redirects them, or as given."""
    program = f"""
import os, sys
from repro.console import process
def main():
    {body}
process(main, result_is_printed={printed})
"""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    shell = ["sh", "-c", f'exec "$0" "$@" {redirected}', sys.executable, "-c", program]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(shell, cwd=REPOSITORY, env={**plain, **(environment or {})}, check=False, timeout=60, **given)


def test_a_process_prints_and_ends_with_the_code_of_its_command():
    done = processed("print('a'); print('b', end=''); print('c', file=sys.stderr); return 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"a\nb", b"c\n")


@pytest.mark.parametrize(("printed", "code", "expected"), [(True, 0, 1), (False, 0, 0), (True, 5, 5), (False, 5, 5)])
def test_a_full_disk_fails_what_prints_its_result_and_is_told_by_the_others(printed, code, expected):
    done = processed(f"print('the result' * 9999); return {code}", redirected=f">{FULL}", printed=printed)
    assert done.returncode == expected
    assert done.stderr == b"error: standard output could not be written: No space left on device.\n"


def test_errors_that_cannot_be_written_change_nothing():
    done = processed("print('a'); print('b', file=sys.stderr); return 2", redirected=f"2>{FULL}")
    assert (done.returncode, done.stdout) == (2, b"a\n")


def test_a_reader_who_has_gone_away_is_no_failure():
    read, write = os.pipe()
    os.close(read)
    try:
        done = processed("[print('line') for _ in range(9999)]; return 0", stdout=write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_not_taken_for_files(tmp_path, closed):
    file = tmp_path / "file.txt"
    body = f"out = open({str(file)!r}, 'w'); print('printed'); print('error', file=sys.stderr); "
    done = processed(body + "out.write('written'); out.close(); return 4", redirected=closed)
    assert done.returncode == 4
    assert file.read_text() == "written"


def test_letters_that_the_stream_lacks_are_written_as_their_codes():
    done = processed("print('é → ü'); return 0", environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (0, rb"\xe9 \u2192 \xfc" + b"\n")


def test_a_locale_of_ascii_alone_still_knows_all_names_of_files(tmp_path):
    body = f"name = chr(233); open({str(tmp_path)!r} + '/' + name, 'w').close(); print(name); return 6"
    done = processed(body, environment=ASCII_ONLY)
    assert (done.returncode, done.stdout, done.stderr) == (6, "é\n".encode(), b"")
    assert [path.name for path in tmp_path.iterdir()] == ["é"]


@pytest.mark.parametrize(("redirected", "code"), [("", 0), (f">{FULL}", 1)])
def test_a_version_that_cannot_be_written_is_no_success(redirected, code):
    body = "from repro.console import Words; Words('x', lambda *_: []).parse_intermixed_args(['--version'])"
    done = processed(body, redirected=redirected)
    assert done.returncode == code
    assert done.stdout == (b"" if redirected else f"repro {__version__}\n".encode())


def test_an_end_from_inside_a_command_keeps_its_code_and_its_words():
    assert processed("sys.exit(9)").returncode == 9
    assert processed("sys.exit()").returncode == 0
    told = processed("sys.exit('no more')")
    assert (told.returncode, told.stderr) == (1, b"no more\n")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_a_sentence_wherever_it_is_met(number, tmp_path, capsys):
    def work():
        raise OSError(number, os.strerror(number), str(tmp_path / "file"))

    assert answer(work) == 2
    assert f"error: {tmp_path}/file cannot be used: {os.strerror(number)}; " in capsys.readouterr().err


def test_another_error_of_the_system_is_a_fault_of_the_program():
    def work():
        raise OSError(errno.EBADF, "Bad file descriptor")

    with pytest.raises(OSError, match="Bad file"):
        answer(work)
