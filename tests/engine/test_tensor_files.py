"""Files of tensors: what was written comes back, and whatever else is there is noticed."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from repro.engine.tensor_files import OtherRunError, check_sums, digest, read, sealed
from repro.errors import DamagedError, StoreError
from tests.faults import flipped

TREE = {
    "model": {"weight": torch.arange(600.0).reshape(2, 300), "steps": torch.tensor(3)},
    "random": [torch.arange(7, dtype=torch.uint8), []],
    "half": torch.ones(3, dtype=torch.bfloat16),
    "empty": torch.empty(0, 4),
    "step": 7,
    "score": None,
}
CONTENT = sealed(TREE, "aa")


def test_what_was_written_comes_back(tmp_path):
    (tmp_path / "file.pt").write_bytes(CONTENT)
    found = read(tmp_path / "file.pt", "aa")
    assert found.digested
    assert digest(found.content) == digest(TREE)
    assert found.content["step"] == 7
    assert found.content.keys() == TREE.keys()


def test_others_can_open_it():
    loaded = torch.load(io.BytesIO(CONTENT), weights_only=True)
    assert torch.equal(loaded["model"]["weight"], TREE["model"]["weight"])
    assert loaded["run"] == "aa"


@given(place=st.integers(0, len(CONTENT) - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_is_noticed_or_changes_nothing(tmp_path_factory, place, bit):
    damaged = bytearray(CONTENT)
    damaged[place] ^= 1 << bit
    file = tmp_path_factory.getbasetemp() / "flipped.pt"
    file.write_bytes(damaged)
    try:
        found = read(file, "aa")
    except DamagedError:
        return
    assert digest(found.content) == digest(TREE), "such as a bit of what fills up between two tensors"


def test_torch_itself_does_not_notice(tmp_path):
    """The reason for all this."""
    torch.load(io.BytesIO(flipped(CONTENT)), weights_only=True)


@pytest.mark.parametrize("length", [0, 10, 500, len(CONTENT) // 2, len(CONTENT) - 1])
def test_a_torn_file_is_damaged(tmp_path, length):
    (tmp_path / "file.pt").write_bytes(CONTENT[:length])
    with pytest.raises(DamagedError, match=r"file\.pt is damaged"):
        read(tmp_path / "file.pt", "aa")


def test_another_runs_file_is_named(tmp_path):
    (tmp_path / "file.pt").write_bytes(CONTENT)
    with pytest.raises(OtherRunError, match="is of run aa, not of bb; it was moved or copied here by hand") as error:
        read(tmp_path / "file.pt", "bb")
    assert error.value.run_id == "aa"


def test_a_file_that_is_not_there_is_not_damaged(tmp_path):
    with pytest.raises(StoreError, match=r"none\.pt cannot be read: No such file") as error:
        read(Path(tmp_path / "none.pt"), "aa")
    assert not isinstance(error.value, DamagedError)


def undigested():
    buffer = io.BytesIO()
    torch.save(TREE, buffer)
    return buffer.getvalue()


def test_a_file_from_before_digests_is_read_undigested(tmp_path, caplog):
    (tmp_path / "file.pt").write_bytes(undigested())
    found = read(tmp_path / "file.pt", "aa")
    assert not found.digested
    assert "file.pt is undigested" in caplog.text


def test_its_archive_keeps_sums_of_its_own(tmp_path):
    content = flipped(undigested())
    (tmp_path / "file.pt").write_bytes(content)
    with pytest.raises(DamagedError, match="is not what its sum was taken of"):
        read(tmp_path / "file.pt", "aa")
    with pytest.raises(DamagedError):
        check_sums(content, tmp_path / "file.pt")
    check_sums(undigested(), tmp_path / "file.pt")


def test_something_else_than_names_with_values_is_damaged(tmp_path):
    torch.save([1, 2], tmp_path / "file.pt")
    with pytest.raises(DamagedError, match="holds a list"):
        read(tmp_path / "file.pt", "aa")


def test_a_digest_is_of_values_and_not_of_how_they_lie():
    weight = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    assert digest({"a": weight, "b": 1}) == digest({"b": 1, "a": weight.to(memory_format=torch.channels_last)})
    others = [weight + 1, weight.reshape(3, 2, 4, 4), weight.double(), [weight], {"a": weight}]
    assert len({digest(item) for item in [weight, *others]}) == 6


def test_a_digest_tells_one_from_true_and_nan_is_equal_to_itself():
    assert digest(1) != digest(True) != digest(1.0)
    assert digest(torch.tensor(np.nan)) == digest(torch.tensor(np.nan))


def test_the_archive_is_a_zip():
    assert zipfile.is_zipfile(io.BytesIO(CONTENT))
