import os
import subprocess
import sys
import zipfile

import pytest

from repro.config.own_code import facts_of, hashes_of, imports_of, own_code
from repro.errors import CodeNotFoundError, ConfigError

FILES = {
    "own_p/__init__.py": "from .first import Mine\n",
    "own_p/first.py": "import torch\nfrom . import second\nfrom repro.nn import Head\n\n\nclass Mine(Head): ...\n",
    "own_p/second.py": "def f():\n    import own_helper.deep as d\n    return d\n",
    "own_p/unused.py": "x = 1\n",
    "own_helper/__init__.py": "x = 1\n",
    "own_helper/deep.py": "from own_helper import x as y\n",
}
STORED = "sha256:6b0988ff71ae9fe9ee010f9761731f9e0e0bca37a4b140f0a2e13d47978e4ca1"
REACHED = ["own_helper", "own_helper.deep", "own_p", "own_p.first", "own_p.second"]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes files into a folder on Python's path."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return write


def test_the_hash_is_stored(write):
    """The same under every Python, and wherever the files lie."""
    write(FILES)
    found = own_code("own_p.Mine")
    assert sorted(found.texts) == REACHED
    assert found.hash == STORED


@pytest.mark.parametrize("name", [name for name in FILES if "unused" not in name])
def test_an_edit_of_any_module_that_is_reached_changes_it(write, name):
    write(FILES)
    before = own_code("own_p.Mine").hash
    write({name: FILES[name] + "# edited\n"})
    assert own_code("own_p.Mine").hash != before


def test_what_is_not_reached_does_not_count_and_neither_do_newlines(write, tmp_path):
    write(FILES)
    before = own_code("own_p.Mine").hash
    write({"own_p/unused.py": "x = 2\n"})
    (tmp_path / "own_p/first.py").write_bytes(FILES["own_p/first.py"].replace("\n", "\r\n").encode())
    assert own_code("own_p.Mine").hash == before


def test_nothing_is_imported(write, tmp_path):
    write(FILES)
    code = "import sys; from repro.config.own_code import own_code; own_code('own_p.first.Mine'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert not {"own_p", "own_helper", "torch"} & set(done.stdout.split())


def test_what_is_installed_counts_by_name_and_version(write):
    write({"own_top.py": "import torch\n"})
    installed = own_code("torch.nn.ReLU").hash
    assert installed.startswith("torch==")
    assert own_code("own_top.Mine").installed == {"torch": installed.removeprefix("torch==")}


def test_of_a_tree_every_target_counts_but_those_of_this_package(write):
    write(FILES)
    tree = {"head": {"_target_": "repro.nn.GALD", "ga": {"_target_": "own_p.Mine"}}, "auxiliary": {"_target_": None}}
    assert hashes_of(tree) == {"own_p.Mine": STORED}
    assert hashes_of({"head": {"parts": [[{"_target_": "own_p.Mine"}], 3]}}) == {"own_p.Mine": STORED}
    assert facts_of(tree)["own_p.Mine"]["files"].keys() == set(REACHED)


def test_no_module_is_a_sentence(write):
    write({"own_top.py": ""})
    with pytest.raises(
        CodeNotFoundError, match=r"^code not found: head.ga._target_ is 'gone.Mine', .* no module gone$"
    ):
        hashes_of({"head": {"ga": {"_target_": "gone.Mine"}}})


def test_what_has_no_source_is_refused_with_the_way_out(write, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"'__main__.Mine', whose source is not to be had, .* such as my_package.py"):
        own_code("__main__.Mine")
    monkeypatch.setitem(sys.modules, "typed_in", type(sys)("typed_in"))
    with pytest.raises(ConfigError, match="since typed_in is no file"):
        own_code("typed_in.Mine")
    (tmp_path / "own_binary.so").write_bytes(b"")
    write({"own_top.py": "import own_binary\n"})
    for target in ("own_binary.Mine", "own_top.Mine"):
        with pytest.raises(ConfigError, match=r"own_binary.so is compiled.*install what is compiled"):
            own_code(target)


def test_code_reached_at_run_time_is_named(write):
    write(
        {"own_top.py": "import importlib\nm = importlib.import_module('x')\nexec('1')\nmodel.eval()\nre.compile('')\n"
                       "from hydra.utils import get_class\n"}
    )  # fmt: skip
    assert own_code("own_top.Mine").at_run_time == {"own_top": ["exec", "get_class", "import_module"]}


@pytest.mark.parametrize("text", ["clas Mine\n", "x = " + " + ".join(["1"] * 9000) + "\n"], ids=["wrong", "deep"])
def test_a_module_that_cannot_be_parsed_counts_by_its_text(write, text):
    write({"own_top.py": text})
    assert own_code("own_top.Mine").texts == {"own_top": text}


@pytest.mark.filterwarnings("error")
def test_what_python_says_of_a_text_is_left_to_its_import(write):
    write({"own_top.py": "import own_helper\nwidth = '\\d' is 3\n", "own_helper.py": ""})
    assert sorted(own_code("own_top.Mine").texts) == ["own_helper", "own_top"]


def test_an_archive_on_the_path_counts_as_the_same_files_do(write, tmp_path, monkeypatch):
    """Whatever their newlines and encoding; a new archive is another code."""
    latin = b"# coding: latin-1\nx = '\xe9'\n"
    write({"own_top.py": "import own_helper\n"})
    (tmp_path / "own_helper.py").write_bytes(latin)
    plain = own_code("own_top.Mine").hash
    archive = tmp_path / "own.zip"

    def pack(helper):
        with zipfile.ZipFile(archive, "w") as stream:
            stream.writestr("own_top.py", "import own_helper\r\n")
            stream.writestr("own_helper.py", helper)
        os.utime(archive, ns=(1, len(helper)))  # long ago, so that what was found is remembered

    pack(latin)
    monkeypatch.setattr(sys, "path", [str(archive), *sys.path])
    assert own_code("own_top.Mine").hash == plain
    pack(latin + b"y = 1\n")
    assert own_code("own_top.Mine").hash != plain


@pytest.mark.parametrize(
    ("text", "is_package", "expected"),
    [
        ("import a.b, c", False, ["a.b", "c"]),
        ("from a import b as d", False, ["a", "a.b"]),
        ("from . import b", False, ["p.q", "p.q.b"]),
        ("from . import b", True, ["p.q.m", "p.q.m.b"]),
        ("from ..a import b", False, ["p.a", "p.a.b"]),
        ("from .... import b", False, []),
        ("__all__ = ['b']", True, ["p.q.m.b"]),
        ("__all__: list[str] = ['b']\n__all__ += ['c']", True, ["p.q.m.b", "p.q.m.c"]),
        ("def f():\n    import a", False, ["a"]),
    ],
)  # fmt: skip
def test_names_of_what_is_imported(text, is_package, expected):
    assert imports_of(text, "p.q.m", is_package=is_package)[0] == expected


def test_what_this_process_has_imported_counts_as_it_was_imported(write, monkeypatch):
    """A grid trains in one process, which goes on with the code that it has."""
    from repro.config.own_code import remember_imports

    write({"own_once.py": "x = 1\n"})
    tree = {"head": {"_target_": "own_once.Mine"}}
    before = hashes_of(tree)
    import own_once  # noqa: F401

    remember_imports(tree)
    write({"own_once.py": "x = 2 # edited\n"})
    assert hashes_of(tree) == before
    monkeypatch.delitem(sys.modules, "own_once")
    assert hashes_of(tree) != before
