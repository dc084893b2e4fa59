import sys
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from repro.config.modules import distribution_of, find_module


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder on Python's path, with a package inside a package, none of which may be imported."""
    inner = tmp_path / "outer_p" / "inner_p"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").write_text("raise RuntimeError('was imported')\n")
    (inner / "leaf.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_module_is_found_without_importing_the_packages_around_it(place):
    found = find_module("outer_p.inner_p.leaf")
    assert found is not None
    assert Path(found.file) == place / "outer_p" / "inner_p" / "leaf.py"
    assert not any(name.startswith("outer_p") for name in sys.modules)


def test_the_text_has_plain_newlines_and_no_mark_of_its_encoding(place):
    assert find_module("outer_p.inner_p.leaf").text() == "x = 1\ny = 2\n"


@pytest.mark.parametrize("name", ["no_such_module", "outer_p.nothing", "outer_p.inner_p.leaf.deeper"])
def test_what_is_not_there_is_not_found(place, name):
    assert find_module(name) is None


def test_packages_without_a_file_have_folders_in_several_places(tmp_path, monkeypatch):
    for side in ("one", "two"):
        (tmp_path / side / "shared_space" / "below").mkdir(parents=True)
        (tmp_path / side / "shared_space" / "below" / f"{side}.py").write_text(f"# {side}\n")
        monkeypatch.syspath_prepend(tmp_path / side)
    assert [find_module(f"shared_space.below.{side}").text() for side in ("one", "two")] == ["# one\n", "# two\n"]


def test_a_module_in_an_archive_has_its_text(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("zipped_module.py", "x = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "code.zip")
    assert find_module("zipped_module").text() == "x = 1\n"


def test_a_finder_of_an_editable_install_is_asked(tmp_path, monkeypatch):
    (tmp_path / "edited.py").write_text("x = 1\n")

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            from importlib.util import spec_from_file_location

            return spec_from_file_location(name, tmp_path / "edited.py") if name == "edited_here" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    found = find_module("edited_here")
    assert (found.text(), distribution_of(found)) == ("x = 1\n", None)


def test_a_finder_that_fails_finds_nothing(monkeypatch):
    class Broken:
        @staticmethod
        def find_spec(name, path=None, target=None) -> ModuleSpec:
            raise RuntimeError(name)

    monkeypatch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
    assert find_module("json").is_of_python


@pytest.mark.parametrize("name", ["sys", "os", "json", "xml.dom", "math", "zipimport"])
def test_what_is_of_python(name):
    assert find_module(name).is_of_python


@pytest.mark.parametrize("name", ["torch", "torch.nn.functional", "hydra"])
def test_what_is_installed_is_not_of_python_and_has_its_distribution(name):
    found = find_module(name)
    assert not found.is_of_python
    assert distribution_of(found)[0] == {"hydra": "hydra-core"}.get(name, "torch")


def installed(folder: Path, name: str, record: str | None) -> None:
    (folder / f"{name}.py").write_text("x = 1\n")
    facts = folder / "other_title-1.2.dist-info"
    facts.mkdir(parents=True, exist_ok=True)
    (facts / "top_level.txt").write_text(f"{name}\n")
    if record is not None:
        (facts / "RECORD").write_text(record)


def test_what_a_distribution_lists_is_installed_wherever_it_lies(tmp_path, monkeypatch):
    installed(tmp_path, "listed_here", "listed_here.py,sha256=x,6\nother_title-1.2.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert distribution_of(find_module("listed_here")) == ("other-title", "1.2")


def test_a_file_beside_distributions_is_not_installed(tmp_path, monkeypatch):
    installed(tmp_path, "dropped_here", "another.py,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert distribution_of(find_module("dropped_here")) is None


def test_a_list_of_files_taken_away_by_a_packager_is_done_without_in_the_systems_folder_alone(tmp_path, monkeypatch):
    for title, expected in (("dist-packages", ("other-title", "1.2")), ("work", None)):
        folder = tmp_path / title
        folder.mkdir()
        name = f"packaged_{title[:4]}"
        installed(folder, name, None)
        monkeypatch.syspath_prepend(folder)
        assert distribution_of(find_module(name)) == expected
