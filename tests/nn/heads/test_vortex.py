import pytest
import torch

from tests.nn.heads.checks import (
    CHANNELS,
    assert_follows_input_size,
    assert_gradient_reaches_every_parameter,
    conv_bn,
    features,
    head_from_yaml,
    on_meta,
    parameters,
)

DENSE = conv_bn(2048, 256, 3)
POINT = conv_bn(2048, 256, 1)
TAIL = conv_bn(5 * 256, 256, 1) + 256 * 21 + 21


@pytest.mark.parametrize(
    ("head", "switches", "expected"),
    [
        ("vortex", {}, 4 * DENSE + POINT + TAIL),
        ("vortex", {"first_branch_kernel": 1}, POINT + 3 * DENSE + POINT + TAIL),
        ("vortex", {"fusion": "direct"}, 4 * DENSE + POINT + 5 * 256 * 21 + 21),
        ("module_a", {"k": 9}, POINT + 3 * DENSE + POINT + TAIL),
    ],
)
def test_parameters_by_hand(head: str, switches: dict, expected: int) -> None:
    assert parameters(on_meta(head, **switches)) == expected


@pytest.mark.parametrize("head", ["module_a", "vortex"])
@pytest.mark.parametrize("switches", [{}, {"image_pooling": False, "fusion": "direct", "extra_conv": True}])
def test_sizes_and_gradients(head: str, switches: dict) -> None:
    assert_follows_input_size(head_from_yaml(head, CHANNELS, 5, width=4, **switches), 5)
    assert_gradient_reaches_every_parameter(head_from_yaml(head, CHANNELS, 5, width=4, **switches))


def test_module_a_with_windows_of_one_is_aspp() -> None:
    torch.manual_seed(0)
    module_a = head_from_yaml("module_a", CHANNELS, 5, width=4, k=1, rates=(2, 4, 6)).eval()
    aspp = head_from_yaml("aspp", CHANNELS, 5, width=4, rates=(2, 4, 6)).eval()
    aspp.load_state_dict(module_a.state_dict())
    maps = features()
    assert torch.equal(module_a(maps), aspp(maps))


@pytest.mark.parametrize(("size", "ratio"), [(65, 1.0), (81, 1.0), (83, 81**2 / 83**2)])
def test_vortex_sees_every_pixel_of_a_map_below_81(size: int, ratio: float) -> None:
    head = head_from_yaml(
        "vortex", {"res5": 1}, 2, width=1, image_pooling=False, fusion="direct", branch_relu=False, dropout=0
    )
    for parameter in head.parameters():
        torch.nn.init.ones_(parameter)
    pixels = torch.rand(1, 1, size, size, requires_grad=True)
    # Vortex Pooling, section 3.4: the utilisation ratio of the pixel in the middle.
    head.eval()({"res5": pixels})[0, 0, size // 2, size // 2].backward()
    assert (pixels.grad != 0).float().mean().item() == pytest.approx(ratio)


STRIDE_8 = {"rates": (12, 24, 36), "reference_output_stride": 8}
BARE = {"width": 1, "image_pooling": False, "fusion": "direct", "branch_relu": False, "dropout": 0}


@pytest.mark.parametrize(
    ("head", "switches", "positions", "printed"),
    [
        ("aspp", STRIDE_8, 25, 0.0059),
        ("aspp_plus", STRIDE_8, 33, None),
        ("module_a", {"k": 5}, 25 * 5**2, 0.148),
        ("module_a", {"k": 9}, 25 * 9**2, 0.479),
        # 25 regions of 13 pixels, 12 apart: neighbours on one ray share an edge, or a corner on a diagonal.
        ("module_a", {"k": 13}, 37**2 + 2 * (8 * 13**2 - 4 * 13 - 4), None),
        ("vortex", {}, 81**2, 1.0),
    ],
)
def test_utilisation_is_the_share_of_positions_that_reach_the_output(
    head: str, switches: dict, positions: int, printed: float | None
) -> None:
    network = head_from_yaml(head, {"res5": 1}, 2, **BARE, **switches).eval()
    for parameter in network.parameters():
        torch.nn.init.ones_(parameter)
    pixels = torch.rand(1, 1, 89, 89, requires_grad=True)
    network({"res5": pixels})[0, 0, 44, 44].backward()
    assert network.utilisation(89) == (pixels.grad != 0).sum().item() / 89**2 == positions / 89**2
    if printed is not None:  # Vortex Pooling, sections 3.1 to 3.4, on the 65 x 65 of a crop of 513 at output stride 8
        assert network.utilisation(65) == pytest.approx(printed, abs=5e-4)


def test_rates_and_pools_stay_unless_the_rates_are_to_follow() -> None:
    for head, rates in (
        (head_from_yaml("vortex", CHANNELS, 5), (1, 3, 9, 27)),
        (head_from_yaml("module_a", CHANNELS, 5), (1, 12, 24, 36)),
    ):
        head.set_output_stride(16)
        assert head.context.rates == rates
    head = head_from_yaml("vortex", CHANNELS, 5, rates_follow_output_stride=True)
    head.set_output_stride(4)
    assert head.context.rates == (1, 6, 18, 54)
    assert [branch.pool_size for branch in head.context.specification] == [1, 3, 9, 27]
    head = head_from_yaml("module_a", CHANNELS, 5, rates_follow_output_stride=True)
    head.set_output_stride(16)
    assert head.context.rates == (1, 6, 12, 18)


def test_odd_rates_cannot_follow_to_a_larger_output_stride() -> None:
    head = head_from_yaml("vortex", CHANNELS, 5, rates_follow_output_stride=True)
    with pytest.raises(ValueError, match=r"rate 3 at output stride 8 would become 1\.5 at output stride 16"):
        head.set_output_stride(16)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="odd pool size, not rate 1 and pool size 4"):
        head_from_yaml("module_a", CHANNELS, 5, k=4)
    with pytest.raises(ValueError, match="one rate per pool size"):
        head_from_yaml("vortex", CHANNELS, 5, rates=(1, 3))
    with pytest.raises(ValueError, match="kernel must be 1 or 3, not 5"):
        head_from_yaml("vortex", CHANNELS, 5, first_branch_kernel=5)
