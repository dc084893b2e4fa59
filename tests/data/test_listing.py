import re
from pathlib import Path

import pytest

from repro.data.listing import listed_ids, require, require_count, require_disjoint, require_files
from repro.errors import DataError

HINT = "it is to be had nowhere"


def test_all_that_is_missing_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    require("toy", [tmp_path, tmp_path / "there"], HINT)
    with pytest.raises(DataError) as caught:
        require("toy", [tmp_path / "a", tmp_path / "there", tmp_path / "b"], HINT)
    assert str(caught.value) == (
        f"data set 'toy' is not complete: {tmp_path / 'a'}, {tmp_path / 'b'} not found. it is to be had nowhere"
    )


@pytest.mark.parametrize(("lost", "words"), [(1, "a.png is missing"), (3, "a.png and 2 more files are missing")])
def test_the_first_missing_file_is_named_and_the_others_are_counted(tmp_path: Path, lost: int, words: str) -> None:
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    for path in paths[lost:]:
        path.touch()
    with pytest.raises(DataError, match=f"{tmp_path}/{words}. {HINT}"):
        require_files("toy", paths, HINT)
    require_files("toy", paths[lost:], HINT)


def test_a_folder_of_files_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path / 'gone'} not found"):
        require_files("toy", [tmp_path / "gone" / "a.png"], HINT)


def test_an_id_is_the_first_word_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("one\n\n  two  1\nthree\tmore\n")
    assert listed_ids("toy", tmp_path / "list.txt", HINT) == ["one", "two", "three"]


@pytest.mark.parametrize(
    "line",
    [
        "2007_000032", "2007_000032 1", "\t2007_000032  ", "2007_000032.jpg", "2007_000032.JPG", "2007_000032.jpeg -1",
        "/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png", "JPEGImages\\2007_000032.jpg",
        "JPEGImages/2007_000032,SegmentationClass/2007_000032.png", "JPEGImages/2007_000032.jpg,masks/2007_000032.png",
        "/my data/VOC 2012/2007_000032.jpg /my data/VOC 2012/masks/another.png", "D:\\my data\\2007_000032.JPG",
        "2007_000032 masks/another.png", '"/my data/2007_000032.jpg" "/my data/another.png"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", " \r\n\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_lists_as_people_have_them_are_understood(tmp_path: Path, line: str, end: str, start: str) -> None:
    (tmp_path / "list.txt").write_bytes(f"{start}{line}{end}b{end}".encode())
    assert listed_ids("toy", tmp_path / "list.txt", HINT) == ["2007_000032", "b"]


def test_a_list_that_the_system_refuses_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"list {tmp_path} of data set 'toy' cannot be read: Is a directory$"):
        listed_ids("toy", tmp_path, HINT)


def test_a_point_in_an_id_is_no_ending(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.b\na.b.png\n")
    with pytest.raises(DataError, match=r"names 'a\.b' more than once"):
        listed_ids("toy", tmp_path / "list.txt", HINT)


def test_a_file_may_have_its_ending_in_capitals_or_another_one(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.jpeg", "c.PNG", "d.jpg", "d.JPG"):
        (tmp_path / name).touch()
    paths = [tmp_path / f"{name}.jpg" for name in "abcd"]
    instead = require_files("toy", paths, HINT, [".jpeg", ".png"])
    assert {path.name: other.name for path, other in instead.items()} == {
        "a.jpg": "a.JPG", "b.jpg": "b.jpeg", "c.jpg": "c.PNG",
    }  # fmt: skip
    with pytest.raises(DataError, match=r"b\.jpg and 1 more files are missing"):
        require_files("toy", paths, HINT)


def test_two_files_for_one_image_are_named(tmp_path: Path) -> None:
    for name in ("a.JPG", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=f"data set 'toy' has a.JPG and a.png in {tmp_path}; keep the one"):
        require_files("toy", [tmp_path / "a.jpg"], HINT, [".png"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"a\nb\na 1\n", "names 'a' more than once"), (b"\xff\xfe\x00", "cannot be read as text")],
)
def test_a_list_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DataError, match=f"list {tmp_path / 'list.txt'} of data set 'toy' {sentence}"):
        listed_ids("toy", tmp_path / "list.txt", HINT)


def test_lists_that_share_images_are_both_named() -> None:
    require_disjoint("toy", (Path("a"), ["1", "2"]), (Path("b"), ["3"]))
    with pytest.raises(DataError, match="a and b of data set 'toy' share 2 images, such as 1; they must have none"):
        require_disjoint("toy", (Path("a"), ["2", "1", "4"]), (Path("b"), ["1", "2"]))


def test_another_number_of_images_than_declared_is_refused_with_the_way_out() -> None:
    for expected in (None, {}, {"val": None}, {"val": 2, "train": 9}):
        require_count("toy", "val", ["a", "b"], expected)
    sentence = "split 'val' of data set 'toy' has 2 images, the configuration expects 3"
    with pytest.raises(DataError, match=re.escape(sentence)) as caught:
        require_count("toy", "val", ["a", "b"], {"val": 3})
    assert "set dataset.expected_images.val and dataset.split_sha256.val to null" in str(caught.value)
