"""The atrous rates of every own row, as built, against what the sentences of the papers say of them."""

import itertools
from fnmatch import fnmatchcase

from tools.rates import own_rates

STAGES = ("res4", "res5", "block5", "block6", "block7")


def every_unit(*rates):
    """One rate for all three units of each stage from res5 on."""
    return [(rate,) * 3 for rate in rates]


def doubling(grid, blocks):
    """DeepLabv3, section 3.2.1: the unit rates times the block's, which section 5 doubles from block to block."""
    return [tuple(2**block * rate for rate in grid) for block in range(1, blocks - 2)]


def expected():
    """Pattern of cells to the rate of res4 and the rates from res5 on; the first pattern that fits counts."""
    # DeepLabv3, section 3.2: strides are kept until the output stride is reached, and rates double from there on.
    for output_stride, res4, *later in (
        (8, 2, 4, 8, 16, 32), (16, 1, 2, 4, 8, 16), (32, 1, 1, 2, 4, 8), (64, 1, 1, 1, 2, 4), (128, 1, 1, 1, 1, 2),
        (256, 1, 1, 1, 1, 1),
    ):  # fmt: skip
        yield f"deeplabv3/table1/mIOU/{output_stride}", res4, every_unit(*later)
    for blocks in (4, 5, 6, 7):
        yield f"deeplabv3/table2/*/block{blocks}", 1, doubling((1, 1, 1), blocks)
        for grid in ((1, 1, 1), (1, 2, 1), (1, 2, 3), (1, 2, 4), (2, 2, 2)):
            row = ", ".join(map(str, grid))
            yield f"deeplabv3/table3/({row})/block{blocks}", 1, doubling(grid, blocks)
    yield "deeplabv3/table4/*", 1, doubling((1, 2, 1), 7)
    yield "deeplabv3/prose/Gain of stride 8 at inference, cascade/*", 1, doubling((1, 2, 1), 7)
    for grid in ((1, 1, 1), (1, 2, 1), (1, 2, 4)):
        row = ", ".join(map(str, grid))
        yield f"deeplabv3/table5/MG({row})*", 1, doubling(grid, 4)
    # Appendix A, Table 10: what was trained at 8 or at 32 has the rates of its training.
    yield "deeplabv3/table10/train 8 *", 2, [(4, 8, 16)]
    yield "deeplabv3/table10/train 32 *", 1, [(1, 2, 4)]
    yield "deeplabv3/*", 1, [(2, 4, 8)]
    # DSNet, section Implementation Details: the dilation of the last stage is 2.
    yield "dsnet/*", 1, every_unit(2)
    # GALD, section IV-C3: multi-grid comes in with Table III's third row; its public code dilates res4 by 2, res5 by 4.
    yield "gald/table3/ResNet101 + MG*", 2, [(4, 8, 16)]
    yield "gald/table[123][abcd]/*", 2, every_unit(4)
    yield "gald/table[34]/*", 2, every_unit(4)
    yield "gald/prose/*/attended positions", 2, every_unit(4)
    yield "gald/*", 2, [(4, 8, 16)]
    # Vortex Pooling, section 4.1: multi-grid (1, 2, 4) at output stride 8.
    yield "vortex/*", 2, [(4, 8, 16)]


def test_every_own_row_has_the_rates_that_its_paper_tells():
    patterns, wrong, used = list(expected()), [], set()
    for address, _, rates in own_rates():
        name = f"{address.table}/{address.row}/{address.column}"
        pattern, res4, later = next(item for item in patterns if name == item[0] or fnmatchcase(name, item[0]))
        used.add(pattern)
        res3_to_4 = {*rates["res2"], *rates["res3"]}, {*rates["res4"]}
        if res3_to_4 != ({1}, {res4}) or list(itertools.islice(rates.values(), 3, None)) != later:
            wrong.append(f"{name}: {rates}, where {pattern} has {res4} and {later}")
    assert wrong == []
    assert used == {pattern for pattern, _, _ in patterns}
