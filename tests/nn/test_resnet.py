import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from repro.nn import ResNet

STAGES = ("res2", "res3", "res4", "res5")
# torchvision's published parameter counts without the 1000-class layer, (512 or 2048) * 1000 + 1000.
PARAMETERS = {
    18: 11_689_512 - 513_000,
    34: 21_797_672 - 513_000,
    50: 25_557_032 - 2_049_000,
    101: 44_549_160 - 2_049_000,
}


def torchvision_resnet(depth: int, dilate: tuple[bool, bool, bool] = (False, False, False)) -> nn.Module:
    options = {} if depth < 50 else {"replace_stride_with_dilation": dilate}
    network = torchvision.models.get_model(f"resnet{depth}", weights=None, **options)
    randomise_norms(network)
    return network.eval()


def randomise_norms(network: nn.Module) -> None:
    """Gives every batch normalisation statistics of its own, so that a swapped or skipped one shows."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)


def torchvision_stages(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    features = network.maxpool(network.relu(network.bn1(network.conv1(image))))
    outputs = {}
    for number, name in enumerate(STAGES, start=1):
        features = getattr(network, f"layer{number}")(features)
        outputs[name] = features
    return outputs


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert list(ours) == list(theirs)
    for name, expected in theirs.items():
        torch.testing.assert_close(ours[name], expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
def test_state_dict_is_that_of_torchvision_without_its_classifier(depth: int) -> None:
    with torch.device("meta"):
        theirs = torchvision.models.get_model(f"resnet{depth}", weights=None).state_dict()
        network = ResNet(depth)
    expected = {key: value.shape for key, value in theirs.items() if not key.startswith("fc.")}
    assert {key: value.shape for key, value in network.state_dict().items()} == expected
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[depth]


@pytest.mark.parametrize(
    ("depth", "output_stride", "dilate"),
    [
        (18, 32, (False, False, False)),
        (50, 32, (False, False, False)),
        (50, 16, (False, False, True)),
        (50, 8, (False, True, True)),
        (50, 4, (True, True, True)),
    ],
)
def test_outputs_are_those_of_torchvision(depth: int, output_stride: int, dilate: tuple[bool, bool, bool]) -> None:
    torch.manual_seed(0)
    theirs = torchvision_resnet(depth, dilate)
    ours = ResNet(depth, output_stride=output_stride, first_unit="contracted").eval()
    ours.load_state_dict({key: value for key, value in theirs.state_dict().items() if not key.startswith("fc.")})
    image = torch.randn(2, 3, 75, 98)
    with torch.no_grad():
        assert_same(ours(image), torchvision_stages(theirs, image))


@settings(max_examples=16, deadline=None)
@given(
    depth=st.sampled_from([18, 50]),
    output_strides=st.tuples(st.sampled_from([4, 8, 16, 32]), st.sampled_from([4, 8, 16, 32])),
    size=st.tuples(st.integers(33, 65), st.integers(33, 65)),
    built_at=st.sampled_from([4, 8, 16, 32]),
    first_unit=st.sampled_from(["full", "contracted"]),
    stride_at=st.sampled_from(["first", "last"]),
    multi_grid=st.booleans(),
)
def test_a_smaller_output_stride_is_the_same_function_on_a_denser_grid(
    depth: int,
    output_strides: tuple[int, int],
    size: tuple[int, int],
    built_at: int,
    first_unit: str,
    stride_at: str,
    multi_grid: bool,
) -> None:
    torch.manual_seed(depth)
    dense, sparse = sorted(output_strides)
    rates = ((1, 2) if depth == 18 else (1, 2, 4)) if multi_grid else None
    network = ResNet(depth, output_stride=built_at, first_unit=first_unit, stride_at=stride_at, multi_grid=rates).eval()
    randomise_norms(network)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        network.set_output_stride(dense)
        at_dense = network(image)
        network.set_output_stride(sparse)
        at_sparse = network(image)
    for stride, name in zip((4, 8, 16, 32) if stride_at == "first" else (8, 16, 32, 32), STAGES, strict=True):
        step = min(stride, sparse) // min(stride, dense)
        assert_same({name: at_dense[name][..., ::step, ::step]}, {name: at_sparse[name]})


@pytest.mark.parametrize("depth", [18, 50])
def test_output_stride_changes_without_touching_weights(depth: int) -> None:
    network = ResNet(depth, output_stride=8)
    assert network.output_stride == 8
    before = {key: value.clone() for key, value in network.state_dict().items()}
    image = torch.randn(2, 3, 64, 96)
    for output_stride in (16, 32, 4, 8):
        network.set_output_stride(output_stride)
        assert network.output_stride == output_stride
        with torch.no_grad():
            outputs = network.eval()(image)
        for nominal, name in zip((4, 8, 16, 32), STAGES, strict=True):
            stride = min(nominal, output_stride)
            assert outputs[name].shape == (2, network.channels[name], 64 // stride, 96 // stride)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def rates_of_res5(network: ResNet) -> list[list[int]]:
    return [[convolution.dilation[0] for convolution in unit.spatial_convolutions()] for unit in network.stages()[-1]]


def test_multi_grid_multiplies_the_base_rate() -> None:
    network = ResNet(50, output_stride=16, multi_grid=(1, 2, 4))
    assert rates_of_res5(network) == [[2], [4], [8]]  # DeepLabv3, section 3.2.1, its own example
    network.set_output_stride(8)
    assert rates_of_res5(network) == [[4], [8], [16]]
    network.set_output_stride(32)
    assert rates_of_res5(network) == [[2], [2], [4]]  # the first one strides, and sees the map before it as it did
    assert rates_of_res5(ResNet(50, output_stride=32, multi_grid=(1, 2, 4))) == [[1], [2], [4]]


def test_both_convolutions_of_a_basic_unit_take_its_multi_grid_rate() -> None:
    assert rates_of_res5(ResNet(34, output_stride=16, multi_grid=[1, 2, 4])) == [[2, 2], [4, 4], [8, 8]]


def test_without_multi_grid_a_first_unit_is_full_or_contracted() -> None:
    for output_stride, full, contracted in ((16, [2, 2, 2], [1, 2, 2]), (8, [4, 4, 4], [2, 4, 4])):
        for first_unit, expected in (("full", full), ("contracted", contracted)):
            network = ResNet(50, output_stride=output_stride, first_unit=first_unit)
            assert rates_of_res5(network) == [[rate] for rate in expected]
    assert rates_of_res5(ResNet(18, output_stride=16)) == [[2, 2], [2, 2]]
    assert rates_of_res5(ResNet(18, output_stride=16, first_unit="contracted")) == [[1, 2], [2, 2]]


@pytest.mark.parametrize(("depth", "ones"), [(18, (1, 1)), (50, (1, 1, 1))])
def test_a_multi_grid_of_ones_is_none(depth: int, ones: tuple[int, ...]) -> None:
    with_ones, without = ResNet(depth, multi_grid=ones), ResNet(depth)
    assert with_ones.multi_grid is None
    assert rates_of_res5(with_ones) == rates_of_res5(without)


def test_a_pool_that_rounds_up_gives_the_map_of_galds_code() -> None:
    for ceil_mode, side in ((False, 32), (True, 33)):
        with torch.device("meta"):
            network, image = ResNet(50, output_stride=8, ceil_mode=ceil_mode).eval(), torch.empty(1, 3, 128, 128)
        assert network(image)["res2"].shape[-2:] == (side, side)


def test_deep_stem() -> None:
    network = ResNet(50, stem="deep", output_stride=8)
    convolutions = [module for module in network.conv1 if isinstance(module, nn.Conv2d)]
    assert [module.out_channels for module in convolutions] == [64, 64, 128]
    assert [module.stride for module in convolutions] == [(2, 2), (1, 1), (1, 1)]
    assert network.layer1[0].conv1.in_channels == 128
    # By hand: three 3x3 and three pairs of BN in place of one 7x7 and one pair, and 64 more inputs to two 1x1.
    stem = 9 * (3 * 64 + 64 * 64 + 64 * 128) + 2 * (64 + 64 + 128) - (49 * 3 * 64 + 2 * 64)
    grown = 64 * 64 + 64 * 256
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[50] + stem + grown
    assert network(torch.randn(2, 3, 65, 65))["res5"].shape == (2, 2048, 9, 9)


def test_deep_stem_of_a_basic_network_projects_its_first_shortcut() -> None:
    assert ResNet(18, stem="deep")(torch.randn(2, 3, 64, 64))["res5"].shape == (2, 512, 4, 4)


@pytest.mark.parametrize("depth", [18, 50])
def test_gradient_reaches_every_parameter(depth: int) -> None:
    network = ResNet(depth, output_stride=8, multi_grid=(1, 2) if depth == 18 else (1, 2, 4))
    outputs = network(torch.randn(2, 3, 65, 65))
    sum(output.square().mean() for output in outputs.values()).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 99}, "depth must be one of 18, 34, 50, 101, not 99"),
        ({"depth": 18, "stem": "wide"}, "stem must be plain, deep or v1c, not 'wide'"),
        ({"depth": 18, "output_stride": 12}, "output_stride must be one of 4, 8, 16, 32, not 12"),
        ({"depth": 18, "output_stride": 16.0}, r"output_stride must be one of 4, 8, 16, 32, not 16\.0"),
        ({"depth": 18, "output_stride": "16"}, "output_stride must be one of 4, 8, 16, 32, not '16'"),
        ({"depth": 18.0}, r"depth must be one of 18, 34, 50, 101, not 18\.0"),
        ({"depth": 18, "blocks": 4.0}, r"blocks must be one of 4, 5, 6, 7, not 4\.0"),
        ({"depth": 18, "multi_grid": (1, 2, 4)}, r"one rate per unit of res5: ResNet-18 has 2, but \[1, 2, 4\] has 3"),
        ({"depth": 50, "multi_grid": (1, 2)}, r"ResNet-50 has 3, but \[1, 2\] has 2"),
        ({"depth": 50, "multi_grid": (1, 2, 0)}, "whole numbers of at least 1"),
        ({"depth": 50, "multi_grid": (1, 2, 1.5)}, "whole numbers of at least 1"),
        ({"depth": 50, "first_unit": "half"}, "first_unit must be full or contracted, not 'half'"),
        ({"depth": 50, "stride_at": "middle"}, "stride_at must be first or last, not 'middle'"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message), torch.device("meta"):
        ResNet(**settings)


@pytest.mark.parametrize("blocks", [4, 6])
def test_what_lies_behind_the_last_output_read_is_dropped(blocks: int) -> None:
    torch.manual_seed(0)
    whole = ResNet(18, output_stride=8, blocks=blocks).eval()
    torch.manual_seed(0)
    part = ResNet(18, output_stride=8, blocks=blocks).eval()
    part.keep({"res2", "res3"})
    assert list(part.channels) == ["res2", "res3"]
    assert part.unread[-2:] == ("res5", "res4")
    left = {
        key: value for key, value in whole.state_dict().items() if not key.startswith(("layer3", "layer4", "block"))
    }
    assert all(torch.equal(value, left[key]) for key, value in part.state_dict().items())
    assert part.state_dict().keys() == left.keys()
    assert set(part.unread_prefixes) == {"layer3.", "layer4."} | {f"block{n}." for n in range(5, blocks + 1)}
    image = torch.randn(1, 3, 65, 65)
    for output_stride in (8, 32):
        whole.set_output_stride(output_stride)
        part.set_output_stride(output_stride)
        found, expected = part(image), whole(image)
        assert list(found) == ["res2", "res3"]
        assert all(torch.equal(value, expected[name]) for name, value in found.items())


def test_nothing_is_dropped_where_the_last_output_is_read() -> None:
    with torch.device("meta"):
        backbone = ResNet(18)
    before = list(backbone.state_dict())
    backbone.keep({"res5"})
    assert list(backbone.state_dict()) == before
    assert backbone.unread == backbone.unread_prefixes == ()
    for nothing in ([], ["res9"]):
        with pytest.raises(ValueError, match="holds none of the outputs res2, res3, res4, res5"):
            backbone.keep(nothing)


def test_the_stem_of_mmsegmentation_is_as_wide_as_the_plain_one() -> None:
    with torch.device("meta"):
        stem, whole = ResNet(50, stem="v1c").conv1, ResNet(50, stem="v1c")(torch.randn(1, 3, 65, 65))
    assert [layer.weight.shape[:2] for layer in stem if isinstance(layer, nn.Conv2d)] == [(32, 3), (32, 32), (64, 32)]
    assert whole["res2"].shape == (1, 256, 17, 17)
    with pytest.raises(ValueError, match="stem must be plain, deep or v1c, not 'v1d'"):
        ResNet(50, stem="v1d")
