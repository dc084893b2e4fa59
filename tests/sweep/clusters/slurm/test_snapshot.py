import json
import subprocess
import sys
import zipfile

import pytest

from repro import provenance
from repro.config.configuration import Configuration
from repro.errors import ConfigError, StoreError
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm import snapshot
from repro.sweep.clusters.slurm.snapshot import further_path, make_snapshot
from tests.tiny_runs import tiniest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two files with its YAML beside it, as in a checkout."""
    folder = tmp_path / "checkout" / "repro"
    (folder / "nn").mkdir(parents=True)
    (folder / "provenance.py").write_text("")
    (folder / "nn" / "net.py").write_text("A = 1\n")
    (folder / "nn" / "__pycache__").mkdir()
    (folder / "nn" / "__pycache__" / "net.pyc").write_text("")
    for name in ("conf", "sweeps"):
        (folder.parent / name).mkdir()
        (folder.parent / name / "a.yaml").write_text("a: 1\n")
        monkeypatch.setattr(
            snapshot, f"{'config' if name == 'conf' else name}_folder", lambda n=name: folder.parent / n
        )
    monkeypatch.setattr(snapshot, "config_folder", lambda: folder.parent / "conf")
    monkeypatch.setattr(snapshot, "sweeps_folder", lambda: folder.parent / "sweeps")
    monkeypatch.setattr(provenance, "__file__", str(folder / "provenance.py"))
    return folder


def names_in(made):
    return {file.relative_to(made.path).as_posix() for file in made.path.rglob("*") if not file.is_dir()}


def test_a_checkout_is_copied_once(package, tmp_path):
    outputs = Outputs(tmp_path / "outputs")
    made = make_snapshot(outputs, [], [])
    assert names_in(made) == {
        "snapshot.json", "code/repro/provenance.py", "code/repro/nn/net.py", "code/conf/a.yaml", "code/sweeps/a.yaml",
    }  # fmt: skip
    assert made.path.parent == outputs.snapshots_path
    (made.path / "kept").touch()
    assert make_snapshot(outputs, [], []) == made
    assert (made.path / "kept").exists()
    assert [item.name for item in outputs.snapshots_path.iterdir()] == [made.path.name]


@pytest.mark.parametrize("change", ["repro/nn/net.py", "repro/nn/new.py", "conf/a.yaml", "sweeps/b.yaml"])
def test_any_change_is_another_snapshot_and_leaves_the_first(package, tmp_path, change):
    outputs = Outputs(tmp_path / "outputs")
    made = make_snapshot(outputs, [], [])
    (package.parent / change).write_text("b: 2\n")
    other = make_snapshot(outputs, [], [])
    assert other != made
    assert (other.path / "code" / change).read_text() == "b: 2\n"
    assert (made.path / "code" / "repro" / "nn" / "net.py").read_text() == "A = 1\n"


def test_an_installed_package_has_its_yaml_inside_and_needs_no_git(package, tmp_path, monkeypatch):
    for name in ("conf", "sweeps"):
        (package.parent / name).rename(package / f"_{name}")
    monkeypatch.setattr(snapshot, "config_folder", lambda: package / "_conf")
    monkeypatch.setattr(snapshot, "sweeps_folder", lambda: package / "_sweeps")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = make_snapshot(Outputs(tmp_path / "outputs"), [], [])
    assert "code/repro/_conf/a.yaml" in names_in(made)
    assert not (made.path / "code" / "conf").exists()
    assert json.loads((made.path / "snapshot.json").read_text())["commit"] is None


def test_folders_of_the_users_own_are_kept(package, tmp_path):
    (tmp_path / "papers" / "mine").mkdir(parents=True)
    (tmp_path / "papers" / "mine" / "table1.yaml").write_text("rows: []\n")
    made = make_snapshot(Outputs(tmp_path / "outputs"), [], [tmp_path / "papers"])
    assert "folders/0-papers/mine/table1.yaml" in names_in(made)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A package and a module of the user's, and a configuration whose backbone is in the package."""
    folder = tmp_path / "own"
    (folder / "own_nets" / "data").mkdir(parents=True)
    (folder / "own_nets" / "__init__.py").write_text("")
    (folder / "own_nets" / "net.py").write_text("from own_words import WORD\nfrom tests.tiny_network import Small\n")
    (folder / "own_nets" / "at_run_time.py").write_text("")
    (folder / "own_nets" / "data" / "table.csv").write_text("1,2\n")
    (folder / "own_nets" / "data" / "large.bin").write_bytes(bytes(1_000_001))
    (folder / "own_words.py").write_text("WORD = 1\n")
    monkeypatch.syspath_prepend(folder)
    return folder


def own_configuration(tmp_path):
    return tiniest(tmp_path / "outputs", "backbone._target_=own_nets.net.Small")


def test_modules_of_the_users_own_come_with_what_stands_in_their_package(package, own, tmp_path):
    made = make_snapshot(Outputs(tmp_path / "outputs"), [own_configuration(tmp_path)], [])
    names = names_in(made)
    assert {"own/own_nets/net.py", "own/own_nets/at_run_time.py", "own/own_nets/data/table.csv", "own/own_words.py",
            "own/tests/tiny_network.py"} <= names  # fmt: skip
    assert (made.path / "own" / "own_nets" / "data" / "large.bin").readlink() == own / "own_nets" / "data" / "large.bin"


def test_a_run_has_the_same_id_in_a_snapshot(package, own, tmp_path, monkeypatch):
    frozen = own_configuration(tmp_path)
    run_id = frozen.run_id
    made = make_snapshot(Outputs(tmp_path / "outputs"), [frozen], [])
    own.rename(tmp_path / "gone")
    monkeypatch.setattr(sys, "path", [*made.python_path, *(entry for entry in sys.path if entry != str(own))])
    assert Configuration.thawed(frozen.frozen()).run_id == run_id
    (made.path / "own" / "own_words.py").write_text("WORD = 2\n")
    assert Configuration.thawed(frozen.frozen()).run_id != run_id


def test_modules_in_an_archive_are_refused(package, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("zipped_net.py", "from tests.tiny_network import Small\n")
    monkeypatch.syspath_prepend(tmp_path / "zipped.zip")
    configuration = tiniest(tmp_path / "outputs", "backbone._target_=zipped_net.Small")
    with pytest.raises(ConfigError, match=r"zipped_net lies in the archive .*zipped\.zip.* unpack it"):
        make_snapshot(Outputs(tmp_path / "outputs"), [configuration], [])


def test_a_job_checks_that_it_runs_the_snapshot(package, tmp_path, monkeypatch):
    made = make_snapshot(Outputs(tmp_path / "outputs"), [], [])
    with pytest.raises(ConfigError, match=f"runs the code in {package.parent} instead of its snapshot {made.path}"):
        made.check()
    monkeypatch.setattr(provenance, "__file__", str(made.path / "code" / "repro" / "provenance.py"))
    made.check()
    (made.path / "code" / "repro" / "nn" / "net.py").write_text("A = 2\n")
    with pytest.raises(StoreError, match=r"net\.py is not what was submitted; remove .* and give the command"):
        made.check()
    (made.path / "code" / "repro" / "nn" / "net.py").unlink()
    with pytest.raises(StoreError, match=r"net\.py is not what was submitted"):
        made.check()


def test_a_copy_knows_the_commit_that_it_was_made_of(package, own, tmp_path, monkeypatch):
    git = ["git", "-c", "user.name=x", "-c", "user.email=x", "-C"]
    for folder in (package.parent, own):
        subprocess.run([*git, folder, "init", "-q"], check=True)
        subprocess.run([*git, folder, "add", "."], check=True)
        subprocess.run([*git, folder, "commit", "-qm", "first"], check=True)
    (package / "nn" / "net.py").write_text("A = 2\n")
    before = provenance.checkout_version()
    assert before["dirty"] is True
    of_file = provenance.file_version(own / "own_words.py")
    made = make_snapshot(Outputs(tmp_path / "outputs"), [own_configuration(tmp_path)], [])
    monkeypatch.setattr(provenance, "__file__", str(made.path / "code" / "repro" / "provenance.py"))
    assert provenance.checkout_version() == before
    assert provenance.file_version(made.path / "own" / "own_words.py") == of_file
    assert of_file["commit"] is not None


def test_modules_that_are_not_installed_are_still_found(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), sys.prefix, str(tmp_path / "gone"), *sys.path])
    found = further_path()
    assert found[1] == str(tmp_path)
    assert not any(entry.startswith(sys.prefix) or entry.endswith("gone") for entry in found)
