"""Atrous spatial pyramid pooling, as a list of branches."""

from __future__ import annotations

from collections.abc import Sequence

from repro.nn.context.parallel import Branch


def aspp_branches(rates: Sequence[int], *, first_branch_kernel: int = 1) -> tuple[Branch, ...]:
    """One convolution without gaps, then one 3x3 atrous convolution per rate.

    Source: DeepLabv3, section 3.3 and Figure 5. A first kernel of 3 gives ASPP+ (Vortex Pooling, section
    4.1).

    Raises:
        ValueError: There is no rate.
    """
    if not rates:
        raise ValueError("ASPP needs at least one rate, such as 6, 12, 18")
    return (Branch(first_branch_kernel), *(Branch(3, rate) for rate in rates))
