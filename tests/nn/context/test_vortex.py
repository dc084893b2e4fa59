import pytest

from repro.nn.context.parallel import Branch
from repro.nn.context.vortex import module_a_branches, vortex_branches


def test_module_a_pools_before_every_branch() -> None:
    assert module_a_branches(5, (12, 24)) == (Branch(1, 1, 5), Branch(3, 12, 5), Branch(3, 24, 5))


def test_vortex_pools_by_the_rate() -> None:
    assert vortex_branches((1, 3, 9), (1, 3, 9), first_branch_kernel=3) == (
        Branch(3, 1, 1),
        Branch(3, 3, 3),
        Branch(3, 9, 9),
    )
    assert vortex_branches((1, 3), (1, 3), first_branch_kernel=1) == (Branch(1, 1, 1), Branch(3, 3, 3))


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="Module A needs at least one rate"):
        module_a_branches(5, ())
    with pytest.raises(ValueError, match=r"one rate per pool size, not rates \[1, 3\] for pool sizes \[1\]"):
        vortex_branches((1,), (1, 3), first_branch_kernel=3)
    with pytest.raises(ValueError, match="one rate per pool size"):
        vortex_branches((), (), first_branch_kernel=3)
