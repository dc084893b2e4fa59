import pytest
import torch

from repro.nn.weights.mmsegmentation import from_mmsegmentation
from tests.nn.weights.public import DeepLabV3, NonLocalBlock


def test_the_image_comes_first_there_and_last_here() -> None:
    with torch.device("meta"):
        shapes = {f"decode_head.{key}": value.shape for key, value in DeepLabV3().state_dict().items()}
    state = {key: torch.zeros(shape) for key, shape in shapes.items()}
    state["decode_head.bottleneck.conv.weight"][:, :512] = 1
    weight = from_mmsegmentation(state)["head.context.projection.convolution.weight"]
    assert weight[:, -512:].eq(1).all()
    assert weight[:, :-512].eq(0).all()


def test_the_biases_of_a_block_without_effect_are_taken_up() -> None:
    block = {f"decode_head.nl_block.{key}": value for key, value in NonLocalBlock().state_dict().items()}
    found = from_mmsegmentation(block | {"decode_head.conv_cat.conv.weight": torch.zeros(1)})
    assert [key for key in found if key.endswith(".bias")] == ["head.ga.block.query.bias", "head.ga.block.norm.bias"]
    taken_up = block["decode_head.nl_block.conv_out.conv.weight"][..., 0, 0] @ block["decode_head.nl_block.g.conv.bias"]
    torch.testing.assert_close(found["head.ga.block.norm.running_mean"], -taken_up)


def test_other_heads_are_named() -> None:
    with pytest.raises(ValueError, match=r"'decode_head\.c1_bottleneck\.conv\.weight' is no entry of mmsegmentation's"):
        from_mmsegmentation({"decode_head.c1_bottleneck.conv.weight": torch.zeros(1)})
