import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from repro.config import content
from repro.config.compose import compose
from repro.config.content import content_of
from repro.errors import ConfigError

OWN = {"_target_": "mine.Data"}
NOWHERE = Path("nowhere")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, which remembers files as young as the test's."""
    monkeypatch.setattr(content, "CHANGES_UNSEEN_NS", -(10**12))
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "data"
    for name, text in {"train.txt": "a", "images/a.jpg": "an image", "masks/a.png": "a mask", "note": ""}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def of(root, *, splits=("train",), outputs=NOWHERE, **leaves):
    return content_of({**OWN, "root": str(root), **leaves}, splits, outputs)


def test_two_folders_are_two_data_sets_and_a_copy_is_the_same_one(folder, tmp_path):
    first = of(folder)
    shutil.copytree(folder, tmp_path / "copy")
    assert of(tmp_path / "copy") == first
    (tmp_path / "copy" / "masks" / "a.png").write_text("b mask")
    assert of(tmp_path / "copy") != first


@pytest.mark.parametrize("change", ["renamed", "added", "removed", "moved"])
def test_names_and_number_of_files_count(folder, change):
    before = of(folder)
    mask = folder / "masks" / "a.png"
    {
        "renamed": lambda: mask.rename(mask.with_name("b.png")),
        "added": lambda: mask.with_name("b.png").write_text(""),
        "removed": mask.unlink,
        "moved": lambda: mask.rename(folder / "images" / "a.png"),
    }[change]()
    assert of(folder) != before


def test_what_systems_leave_and_the_outputs_do_not_count(folder):
    before = of(folder)
    for name in (".DS_Store", "Thumbs.db", "__MACOSX/a", "images/.a.jpg.swp", "outputs/runs/a"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    assert of(folder, outputs=folder / "outputs") == before
    assert of(folder) != before


def test_links_are_followed_once(folder, tmp_path):
    before = of(folder)
    (folder / "images").rename(tmp_path / "elsewhere")
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    assert of(folder) == before
    (folder / "masks" / "back").symlink_to(folder)
    assert of(folder) == before


def test_a_split_with_a_declared_hash_costs_nothing(folder, monkeypatch):
    monkeypatch.setattr(content, "digest_of_content", lambda *_: pytest.fail("files were read"))
    declared = {"train": "a hash", "val": None}
    assert of(folder, split_sha256=declared) is None
    with pytest.raises(pytest.fail.Exception):
        of(folder, split_sha256=declared, splits=("train", "val"))


def test_a_data_set_without_files_has_no_content():
    assert content_of({"_target_": "repro.data.Shapes", "split_sha256": None}, ["train"], NOWHERE) is None
    assert content_of(OWN, ["train"], NOWHERE) is None


def test_every_path_of_a_class_of_ones_own_counts(folder):
    note = "no/path" + 300 * "!"
    node = {**OWN, "photographs": f"{folder}/images", "labels": str(folder / "masks"), "note": note, "size": 5}
    before = content_of(node, ["train"], NOWHERE)
    (folder / "note").write_text("more")
    assert content_of(node, ["train"], NOWHERE) == before
    (folder / "masks" / "a.png").write_text("b mask")
    assert content_of(node, ["train"], NOWHERE) not in (before, None)


@pytest.mark.parametrize("named", [["images", "masks"], {"labels": {"fine": "masks"}}, "masks", "./masks/a.png"])
def test_paths_in_lists_in_groups_and_without_a_stroke_count(folder, monkeypatch, named):
    monkeypatch.chdir(folder)
    node = {**OWN, "folders": named, "train_split": "images"}
    before = content_of(node, ["train"], NOWHERE)
    (folder / "images" / "b.jpg").write_text("another")
    assert (content_of(node, ["train"], NOWHERE) == before) == ("images" not in named)
    (folder / "masks" / "a.png").write_text("b mask")
    assert content_of(node, ["train"], NOWHERE) not in (before, None)


def test_a_root_may_be_a_file_and_must_be_a_text(folder):
    before = of(folder / "train.txt")
    (folder / "train.txt").write_text("b")
    assert of(folder / "train.txt") not in (before, None)
    with pytest.raises(ConfigError, match=r"dataset\.root has 5, which is no path"):
        content_of({**OWN, "root": 5}, ["train"], NOWHERE)


def test_a_folder_that_cannot_be_listed_does_not_pass_for_an_empty_one(folder, monkeypatch):
    def scandir(path):
        if Path(path).name == "masks":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scanned(path)

    scanned = os.scandir
    monkeypatch.setattr(content.os, "scandir", scandir)
    with pytest.raises(ConfigError, match=r"/masks cannot be read \(Permission denied\), but counts by its content"):
        of(folder)


def test_content_narrows_what_counts(folder):
    before = of(folder, content=["images", "masks", "labels"])
    (folder / "note").write_text("more")
    assert of(folder, content=["images", "masks"]) == before
    with pytest.raises(ConfigError, match=f"dataset.content names labels, of which nothing is below {folder}"):
        of(folder, content=["labels"])


@pytest.mark.parametrize("root", ["voc", "voc/VOCdevkit", "voc/VOCdevkit/VOC2012"])
def test_the_root_may_be_a_folder_on_the_way(folder, tmp_path, root):
    listed = ["VOCdevkit/VOC2012/images", "VOCdevkit/VOC2012/masks", "SBD/cls"]
    (tmp_path / "voc" / "SBD" / "cls").mkdir(parents=True)
    (tmp_path / "voc" / "SBD" / "cls" / "b.mat").write_text("b mask")
    shutil.copytree(folder, tmp_path / "voc" / "VOCdevkit" / "VOC2012")
    whole = of(tmp_path / "voc", content=listed)
    assert of(tmp_path / root, content=listed) == whole
    (tmp_path / "voc" / "SBD" / "cls" / "b.mat").write_text("another")
    assert of(tmp_path / root, content=listed) != whole


def test_a_file_is_read_once(folder, monkeypatch):
    before = of(folder)
    read = []
    monkeypatch.setattr(content.hashlib, "file_digest", lambda file, _: read.append(file.name) or 1 / 0)
    assert of(folder) == before
    (folder / "note").write_text("more")
    with pytest.raises(ZeroDivisionError):
        of(folder)
    assert read == [str(folder / "note")]


def test_a_mask_of_the_same_size_and_time_is_another_one(folder):
    os.utime(folder / "masks" / "a.png", (1e9, 1e9))
    before = of(folder)
    mask = folder / "masks" / "a.png"
    mask.write_text("b mask")
    os.utime(mask, (1e9, 1e9))
    assert of(folder) != before


def test_a_file_that_may_still_change_unseen_is_read_again(folder, monkeypatch):
    monkeypatch.setattr(content, "CHANGES_UNSEEN_NS", 10**12)
    of(folder)
    monkeypatch.setattr(content.hashlib, "file_digest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        of(folder)


@pytest.mark.parametrize("harm", ["[]", "{", '{"a": 1}', "null"])
def test_a_damaged_cache_is_made_anew(folder, cache, harm):
    before = of(folder)
    (place,) = (cache / "content").iterdir()
    place.write_text(harm)
    assert of(folder) == before
    assert isinstance(json.loads(place.read_text()), dict)


def test_without_a_place_for_the_cache_the_data_are_read_each_time(folder, cache, caplog):
    before = of(folder)
    shutil.rmtree(cache)
    cache.write_text("no folder")
    caplog.set_level("INFO")
    assert of(folder) == before
    assert "the data are read again next time" in caplog.text


def test_a_folder_that_is_not_there_and_a_file_that_cannot_be_read_are_named(folder):
    with pytest.raises(ConfigError, match=r"dataset\.root names .*/gone, which is not there"):
        of(folder / "gone")
    (folder / "masks" / "b.png").symlink_to(folder / "gone.png")
    with pytest.raises(ConfigError, match=r"masks/b\.png cannot be read \(No such file"):
        of(folder)


def test_a_run_and_its_evaluation_count_the_content_of_the_splits_that_they_use(folder):
    def of_camvid(*overrides):
        return compose(["dataset=camvid", f"dataset.root={folder}", *overrides])

    declared, undeclared = of_camvid(), of_camvid("dataset.split_sha256=null")
    assert "content" not in {**declared.science["dataset"], **declared.protocol["dataset"]}
    before = undeclared.science["dataset"]["content"]
    assert before.startswith("sha256:")
    assert undeclared.protocol["dataset"]["content"] == before
    measured = of_camvid("dataset.split_sha256.test=null")
    assert "content" not in measured.science["dataset"]
    assert measured.protocol["dataset"]["content"] == before
    chosen = ["selection=best", 'validation.every="1 epochs"', "dataset.split_sha256.val=null", "validation.split=val"]
    assert of_camvid(*chosen).science["dataset"]["content"] == before
    assert "content" not in of_camvid(*chosen[2:]).science["dataset"]
    (folder / "train.txt").write_text("b")
    assert of_camvid("dataset.split_sha256=null").run_id != undeclared.run_id


def test_published_weights_are_one_run_on_any_data(folder):
    chosen = ["dataset=camvid", "init=torchvision:fcn_resnet50", "dataset.split_sha256=null", f"dataset.root={folder}"]
    before = compose(chosen)
    assert before.run_id != before.evaluation_id
    (folder / "train.txt").write_text("b")
    after = compose(chosen)
    assert after.run_id == before.run_id
    assert after.evaluation_id != before.evaluation_id
