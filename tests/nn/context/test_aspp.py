import pytest

from repro.nn.context.aspp import aspp_branches
from repro.nn.context.parallel import Branch


def test_branches() -> None:
    assert aspp_branches((6, 12)) == (Branch(1), Branch(3, 6), Branch(3, 12))
    assert aspp_branches((6,), first_branch_kernel=3) == (Branch(3), Branch(3, 6))


def test_no_rate_is_named() -> None:
    with pytest.raises(ValueError, match="ASPP needs at least one rate"):
        aspp_branches(())
