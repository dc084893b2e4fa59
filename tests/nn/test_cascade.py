"""The blocks behind res5, and the head on the last of them."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from repro.nn import ResNet, Segmenter
from tests.nn.heads.checks import conv_bn, head_from_yaml
from tests.nn.test_resnet import PARAMETERS, assert_same, randomise_norms, torchvision_resnet


def rates_from_block4(network: ResNet) -> list[list[int]]:
    """The rates of res5 and of each added block, unit by unit."""
    return [
        [convolution.rate for unit in stage for convolution in unit.spatial_convolutions()]
        for stage in network.stages()[3:]
    ]


@pytest.mark.parametrize(
    ("output_stride", "multi_grid", "expected"),
    [
        # DeepLabv3, sections 3.2 and 5: from block4 to block7 the rate doubles.
        (16, None, [[2, 2, 2], [4, 4, 4], [8, 8, 8], [16, 16, 16]]),
        (8, None, [[4, 4, 4], [8, 8, 8], [16, 16, 16], [32, 32, 32]]),
        (64, None, [[1, 1, 1], [1, 1, 1], [2, 2, 2], [4, 4, 4]]),
        (256, None, [[1, 1, 1]] * 4),
        (16, (1, 2, 4), [[2, 4, 8], [4, 8, 16], [8, 16, 32], [16, 32, 64]]),
        (8, (1, 2, 1), [[4, 8, 4], [8, 16, 8], [16, 32, 16], [32, 64, 32]]),
    ],
)
def test_rates(output_stride: int, multi_grid: tuple[int, ...] | None, expected: list[list[int]]) -> None:
    with torch.device("meta"):
        network = ResNet(50, output_stride=output_stride, multi_grid=multi_grid, blocks=7)
    assert rates_from_block4(network) == expected


def test_contracted_first_units_of_added_blocks_keep_the_rate_of_the_block_before() -> None:
    with torch.device("meta"):
        network = ResNet(50, output_stride=16, blocks=7, first_unit="contracted")
    assert rates_from_block4(network) == [[1, 2, 2], [2, 4, 4], [4, 8, 8], [8, 16, 16]]


@pytest.mark.parametrize("blocks", [5, 6, 7])
def test_outputs_of_every_block_at_every_stride(blocks: int) -> None:
    with torch.device("meta"):
        network, image = ResNet(50, blocks=blocks).eval(), torch.empty(1, 3, 256, 192)
    names = ["res2", "res3", "res4", "res5", "block5", "block6", "block7"][:blocks]
    assert list(network.channels) == names
    for output_stride in (4, 8, 16, 32, 64, 128, 256)[:blocks]:
        network.set_output_stride(output_stride)
        outputs = network(image)
        assert list(outputs) == names
        for name, nominal in zip(names, (4, 8, 16, 32, 64, 128, 256), strict=False):
            stride = min(nominal, output_stride)
            assert outputs[name].shape == (1, network.channels[name], 256 // stride, -(-192 // stride))


@settings(max_examples=8, deadline=None)
@given(
    depth=st.sampled_from([18, 50]),
    shortcut=st.sampled_from(["identity", "projection"]),
    output_strides=st.tuples(*[st.sampled_from([8, 16, 32, 64, 128, 256])] * 2),
    size=st.tuples(st.integers(33, 97), st.integers(33, 97)),
)
def test_a_smaller_output_stride_is_the_same_function_on_a_denser_grid(
    depth: int, shortcut: str, output_strides: tuple[int, int], size: tuple[int, int]
) -> None:
    torch.manual_seed(depth)
    dense, sparse = sorted(output_strides)
    network = ResNet(depth, output_stride=dense, blocks=7, block_shortcut=shortcut).eval()
    randomise_norms(network)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        at_dense = network(image)
        network.set_output_stride(sparse)
        at_sparse = network(image)
    for name, nominal in (("res5", 32), ("block5", 64), ("block6", 128), ("block7", 256)):
        step = min(nominal, sparse) // min(nominal, dense)
        assert_same({name: at_dense[name][..., ::step, ::step]}, {name: at_sparse[name]})


def test_parameters_by_hand() -> None:
    with torch.device("meta"):
        plain, projected = (ResNet(50, blocks=7, block_shortcut=shortcut) for shortcut in ("identity", "projection"))
    unit = conv_bn(2048, 512, 1) + conv_bn(512, 512, 3) + conv_bn(512, 2048, 1)
    count = sum(parameter.numel() for parameter in plain.parameters())
    assert count == PARAMETERS[50] + 3 * 3 * unit
    assert sum(parameter.numel() for parameter in projected.parameters()) == count + 3 * conv_bn(2048, 2048, 1)


def test_added_blocks_change_neither_names_nor_initial_weights_of_what_lies_before_them() -> None:
    states = []
    for blocks in (4, 5, 7):
        torch.manual_seed(0)
        states.append(ResNet(18, blocks=blocks).state_dict())
    for fewer, more in pairwise(states):
        assert list(more)[: len(fewer)] == list(fewer)
        assert all(torch.equal(value, more[key]) for key, value in fewer.items())


def test_published_weights_fit_but_for_the_added_blocks() -> None:
    published = {key: value for key, value in torchvision_resnet(18).state_dict().items() if not key.startswith("fc.")}
    assert ResNet(18).fresh_prefixes == ()
    network = ResNet(18, blocks=6)
    assert network.fresh_prefixes == ("block5.", "block6.")
    missing, unexpected = network.load_state_dict(published, strict=False)
    assert unexpected == []
    assert missing
    assert all(key.startswith(network.fresh_prefixes) for key in missing)


@pytest.mark.parametrize(
    ("output_stride", "multi_grid", "size"),
    [(16, None, (65, 97)), (8, (1, 2), (65, 97)), (256, None, (64, 64)), (64, (2, 2), (65, 97))],
)
def test_gradient_reaches_every_parameter(
    output_stride: int, multi_grid: tuple[int, ...] | None, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    backbone = ResNet(18, output_stride=output_stride, multi_grid=multi_grid, blocks=7)
    network = Segmenter(backbone, head_from_yaml("cascade", backbone.channels, 5))
    logits = network(torch.randn(2, 3, *size))["main"]
    assert logits.shape == (2, 5, *size)
    nn.functional.cross_entropy(logits, torch.randint(5, (2, *size))).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_the_head_reads_the_last_block_there_is() -> None:
    for blocks, source in ((4, "res5"), (6, "block6")):
        with torch.device("meta"):
            head = head_from_yaml("cascade", ResNet(50, blocks=blocks).channels, 21)
        assert head.sources == (source,)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"output_stride": 256}, "must be one of 4, 8, 16, 32, not 256, which takes blocks=7"),
        ({"output_stride": 128, "blocks": 5}, "must be one of 4, 8, 16, 32, 64, not 128, which takes blocks=6"),
        ({"output_stride": 512, "blocks": 7}, r"4, 8, 16, 32, 64, 128, 256, not 512$"),
        ({"blocks": 8}, "blocks must be one of 4, 5, 6, 7, not 8"),
        ({"blocks": 5, "block_shortcut": "none"}, "block_shortcut must be identity or projection, not 'none'"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message), torch.device("meta"):
        ResNet(18, **settings)
