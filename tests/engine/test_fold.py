"""Batch norm folded into convolutions: what is folded, what is not, and what becomes of the logits."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from repro.config.settings import Precision
from repro.engine.fold import fold_batch_norm, is_exact, unfolded, view_size
from repro.errors import ConfigError
from repro.nn import ResNet, Segmenter
from repro.nn.shared_norm import SharedBatchNorm2d
from tests.composed import composed
from tests.engine.test_evaluate import SIZES, Photographs
from tests.nn.heads.variants import make
from tests.tiny_network import Small

SIZE = (65, 49)
CPU = torch.device("cpu")
# One head for every kind of part: all of the rest are made of these.
HEADS = ["aspp_torchvision", "vortex", "cascade", "dsnet aspp dynamic joint", "dcnv2 none joint", "gald cgnl v1"]


def network(head="fcn", backbone=Small):
    """A network whose statistics are those of no fresh one."""
    torch.manual_seed(0)
    backbone = backbone(output_stride=16)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in ((module.running_mean, -0.5, 0.5), (module.running_var, 0.2, 2.0),
                                      (module.weight, 0.3, 1.5), (module.bias, -0.5, 0.5)):  # fmt: skip
                nn.init.uniform_(values, low, high)
    return Segmenter(backbone, make(head, backbone.channels)).eval()


def norms(model):
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def assert_equal_up_to_rounding(expected, given):
    """Within 1e-5 of the largest logit, and labels may differ only where two classes are closer than that."""
    difference = (expected - given).abs().max()
    assert difference <= 1e-5 * expected.abs().max()
    changed = expected.argmax(1) != given.argmax(1)
    best, second = expected.topk(2, 1).values.unbind(1)
    assert changed.sum() * 100_000 <= max(changed.numel(), 100_000)
    assert (best - second)[changed].le(2 * difference).all()


@pytest.mark.parametrize(("head", "backbone"), [*((head, Small) for head in HEADS), ("fcn", partial(ResNet, 18))])
def test_logits_of_a_folded_network_are_equal_up_to_rounding_and_the_network_stays(head, backbone):
    model = network(head, backbone)
    before = copy.deepcopy(model.state_dict())
    folded = fold_batch_norm(model, 8, SIZE)
    assert (folded.layers + folded.kept, folded.kept) == (len(norms(model)), int(head.startswith(("dsnet", "dcnv2"))))
    assert folded.network.output_stride == 8
    assert model.output_stride == 16
    image = torch.randn(2, 3, 81, 97)
    with torch.inference_mode():
        given = folded.network(image)["main"]
        model.set_output_stride(8)
        assert_equal_up_to_rounding(model(image)["main"], given)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not any(module._forward_hooks or "forward" in vars(module) for module in model.modules())


def test_a_network_learns_after_it_was_folded_as_one_that_was_not():
    learned = []
    for is_folded in (False, True):
        model = network().train()
        if is_folded:
            fold_batch_norm(model, 8, SIZE)
        assert model.training
        torch.autograd.backward(model(torch.ones(2, 3, 65, 65).cumsum(2) / 65)["main"].square().mean())
        learned.append([parameter.grad for parameter in model.parameters()] + list(model.buffers()))
    assert all(torch.equal(one, other) for one, other in zip(*learned, strict=True))


def test_the_copy_shares_what_is_not_folded_and_normalises_nothing():
    model = network("dcnv2 none joint")
    copied = fold_batch_norm(model, 16, SIZE).network
    own, others = dict(model.named_parameters()), dict(copied.named_parameters())
    assert {name for name, value in others.items() if own.get(name) is not value} == {
        f"{name}.{leaf}" for name, module in copied.named_modules() if module._forward_hooks
        for leaf in ("weight", "bias")
    }  # fmt: skip
    assert model.backbone.stem[0].bias is None
    called = []
    for norm in norms(copied):
        norm.register_forward_hook(lambda module, inputs, output: called.append(inputs[0] is output))
    with torch.inference_mode():
        copied(torch.randn(1, 3, *SIZE))
    assert called.count(False) == 1
    assert called.count(True) == len(norms(model)) - 1


class Scaled(nn.BatchNorm2d):
    """Somebody's own: no batch norm any more."""

    def forward(self, input):
        return 2 * super().forward(input)


class Halved(nn.Conv2d):
    """Somebody's own as well."""

    def forward(self, input):
        return super().forward(input) / 2


class Odd(nn.Module):
    """Layers in every order that cannot be folded, and one pair that can."""

    output_stride = 16

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        for name in ("pair", "branch", "shared", "behind_relu"):
            setattr(self, name, nn.Conv2d(3, 3, 3, padding=1))
        self.own, self.derived = Halved(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.without = nn.Conv2d(3, 3, 1)
        self.norms = nn.ModuleList([*(nn.BatchNorm2d(3) for _ in range(8)), Scaled(3)])
        self.norms.append(nn.BatchNorm2d(3, track_running_stats=False))
        for norm in self.norms[:-1]:
            nn.init.uniform_(norm.running_mean, -1, 1)
            nn.init.uniform_(norm.running_var, 0.5, 2)

    def set_output_stride(self, output_stride):
        self.output_stride = output_stride

    def forward(self, image):
        norm = self.norms
        made = norm[0](self.pair(image))
        branch = self.branch(made)
        made = norm[1](branch) + branch  # what the convolution made is read twice
        made = norm[3](self.shared(norm[2](self.shared(made))))  # one convolution, two norms
        made = norm[4](self.behind_relu(made).relu())
        made = norm[5](norm[4](made))  # a norm that is called twice, and one behind a norm
        made = norm[6](self.own(made))
        made = norm[8](self.derived(made))
        made = norm[9](self.without(made))
        return {"main": norm[7](made)}


def test_what_is_no_convolution_with_its_own_norm_behind_it_stays():
    model = Odd().eval()
    folded = fold_batch_norm(model, 16, (9, 9))
    assert (folded.layers, folded.kept) == (1, 9)
    image = torch.randn(1, 3, 12, 10)
    with torch.inference_mode():
        torch.testing.assert_close(folded.network(image)["main"], model(image)["main"], rtol=1e-4, atol=1e-4)


class Result(Odd):
    """What the convolution made is a result of the network."""

    def forward(self, image):
        made = self.pair(image)
        return {"main": self.norms[0](made), "raw": made}


class Sized(Odd):
    """Another way for large images."""

    def forward(self, image):
        made = self.pair(image)
        if image.shape[-1] > 16:
            return {"main": made}
        return {"main": self.norms[0](made)}


class Skipping(Sized):
    """A norm whose convolution is another one for large images."""

    def forward(self, image):
        return {"main": self.norms[0]((self.pair if image.shape[-1] <= 16 else self.branch)(image))}


def test_what_a_network_gives_away_before_the_norm_stays():
    assert fold_batch_norm(Result().eval(), 16, (9, 9)).layers == 0


@pytest.mark.parametrize("kind", [Sized, Skipping])
def test_an_image_for_which_the_network_goes_another_way_is_refused(kind):
    folded = fold_batch_norm(kind().eval(), 16, (9, 9))
    assert folded.layers == 1

    def scored():
        for _ in range(2):
            folded.network(torch.randn(1, 3, 20, 20))

    with torch.inference_mode(), pytest.raises(ConfigError, match=r"give runtime\.fold_batch_norm=false"):
        scored()


def test_a_network_that_cannot_be_copied_is_measured_as_it_is():
    model = Odd()
    model.kept = model.pair.weight * 2
    folded = fold_batch_norm(model.eval(), 16, (9, 9))
    assert folded == unfolded(model)
    assert folded.network is model
    assert (folded.layers, folded.kept) == (0, 10)


def test_norms_that_several_processes_share_are_folded_as_one_process_s():
    model = network()
    shared = copy.deepcopy(model)
    for module in list(shared.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(module, name, SharedBatchNorm2d(child, None))
    image = torch.randn(1, 3, *SIZE)
    with torch.inference_mode():
        one, other = (fold_batch_norm(each, 8, SIZE).network(image)["main"] for each in (model, shared))
    assert torch.equal(one, other)


def test_folding_is_exact_in_float32_on_a_cpu_alone_or_without_rounded_products(monkeypatch):
    assert [is_exact(CPU, precision) for precision in (Precision.fp32, Precision.bf16)] == [True, False]
    for allowed in (True, False):
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", allowed)
        assert is_exact(torch.device("cuda"), Precision.fp32) is not allowed


def test_the_blank_image_has_the_size_of_a_view():
    dataset = Photographs(SIZES)
    sizes = [view_size(dataset, composed(*overrides).settings.evaluation)
             for overrides in ((), ("evaluation.pad_to=25",), ("evaluation.window=16",))]  # fmt: skip
    assert sizes == [(20, 30), (25, 30), (16, 16)]
