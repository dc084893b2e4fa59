"""The two context modules of Vortex Pooling, as lists of branches."""

from __future__ import annotations

from collections.abc import Sequence

from repro.nn.context.parallel import Branch


def module_a_branches(k: int, rates: Sequence[int]) -> tuple[Branch, ...]:
    """ASPP's branches on a map whose every pixel is the mean of its `k` x `k` region.

    Source: Vortex Pooling, section 3.3 and Figure 3a.

    Raises:
        ValueError: There is no rate.
    """
    if not rates:
        raise ValueError("Module A needs at least one rate, such as 12, 24, 36")
    return (Branch(1, pool_size=k), *(Branch(3, rate, k) for rate in rates))


def vortex_branches(pool_sizes: Sequence[int], rates: Sequence[int], *, first_branch_kernel: int) -> tuple[Branch, ...]:
    """Module B: the farther a branch looks, the larger the region that each of its taps averages.

    Source: Vortex Pooling, section 3.4 and Figure 3b; pool before convolution as in LightNet's
    re-implementation.

    Raises:
        ValueError: There is not one rate per pool size.
    """
    if not pool_sizes or len(pool_sizes) != len(rates):
        raise ValueError(
            f"Vortex Pooling needs one rate per pool size, not rates {list(rates)} for pool sizes {list(pool_sizes)}"
        )
    kernels = [first_branch_kernel] + [3] * (len(rates) - 1)
    return tuple(Branch(*values) for values in zip(kernels, rates, pool_sizes, strict=True))
