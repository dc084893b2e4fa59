"""Batch normalisation by the images of several processes against one process with all of them."""

import copy

import pytest
import torch
from torch import nn

from repro.nn.shared_norm import SharedBatchNorm2d
from tests.engine.teams import by_all


def norm_of(affine, numbers):
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(3, momentum=0.3, affine=affine).to(numbers)
    if affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return norm


def features(numbers):
    generator = torch.Generator().manual_seed(2)
    return (torch.randn(6, 3, 5, 4, generator=generator) * 3 + 100).to(numbers)


def passed(norm, given):
    given = given.clone().requires_grad_()
    made = norm(given)
    (made * torch.arange(made[0].numel(), dtype=made.dtype).view_as(made[0])).square().mean().backward()
    parameters = [parameter.grad for parameter in norm.parameters()]
    return made.detach(), given.grad, parameters, norm.state_dict()


def shared(team, affine, numbers):
    norm = copy.deepcopy(SharedBatchNorm2d(norm_of(affine, numbers), team.neighbours(team.size)))
    own = features(numbers).chunk(team.size)[team.rank]
    return passed(norm, own), norm.eval()(own)


@pytest.mark.parametrize(("numbers", "within"), [(torch.float64, 1e-11), (torch.float32, 1e-3)])
@pytest.mark.parametrize("affine", [True, False])
def test_several_processes_normalise_as_one_does(affine, numbers, within, tmp_path):
    alone = norm_of(affine, numbers)
    made, gradient, parameters, state = passed(alone, features(numbers))
    found = by_all(2, tmp_path, shared, affine, numbers)

    def joined(number):
        return torch.cat([one[0][number] for one in found])

    torch.testing.assert_close(joined(0), made, rtol=within, atol=within)
    torch.testing.assert_close(joined(1) / 2, gradient, rtol=within, atol=within)  # each has the mean of its half
    for number, expected in enumerate(parameters):
        torch.testing.assert_close(
            (found[0][0][2][number] + found[1][0][2][number]) / 2, expected, rtol=within, atol=within
        )
    for (_, _, _, own), _ in found:
        assert own.keys() == state.keys()
        for name, value in state.items():
            torch.testing.assert_close(own[name], value, rtol=within, atol=within)
    evaluated = alone.eval()(features(numbers))
    torch.testing.assert_close(torch.cat([one[1] for one in found]), evaluated, rtol=within, atol=within)
