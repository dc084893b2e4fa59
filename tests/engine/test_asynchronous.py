"""Gradients on old weights, against replicas written out one by one."""

import copy

import pytest
import torch
from torch import nn

from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import TrainingState

STEPS = 7


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))


def optimiser_of(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)


def images(step):
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))


def step_of(state, step):
    state.optimiser.zero_grad()
    with state.stale.in_place(step):
        state.model(images(step)).square().mean().backward()
    state.optimiser.step()


def written_out(replicas):
    """Every replica has a network of its own; one network is the server that they write to and read from."""
    server = network()
    optimiser = optimiser_of(server)
    workers = [copy.deepcopy(server) for _ in range(replicas)]
    for step in range(STEPS):
        worker = workers[step % replicas]
        for own, shared in zip(worker.buffers(), server.buffers(), strict=True):
            own.copy_(shared)
        worker.zero_grad()
        worker(images(step)).square().mean().backward()
        for shared, own in zip(server.parameters(), worker.parameters(), strict=True):
            shared.grad = own.grad.clone()
        optimiser.step()
        for shared, own in zip(server.buffers(), worker.buffers(), strict=True):
            shared.copy_(own)
        worker.load_state_dict(server.state_dict())
    return server.state_dict()


def started(replicas):
    model = network()
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    return TrainingState(model, optimiser_of(model), scaler, stale=StaleWeights(model, replicas))


@pytest.mark.parametrize("replicas", [2, 3, 5, 20])
def test_it_is_what_replicas_in_turn_would_do(replicas):
    state = started(replicas)
    for step in range(STEPS):
        step_of(state, step)
    expected = written_out(replicas)
    for name, value in state.model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0, msg=name)


def test_a_checkpoint_holds_the_old_weights(tmp_path):
    straight, broken = started(4), started(4)
    for step in range(STEPS):
        step_of(straight, step)
    for step in range(3):
        step_of(broken, step)
    torch.save(broken.state_dict(), tmp_path / "state.pt")
    resumed = started(4)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for step in range(3, STEPS):
        step_of(resumed, step)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], value), name


def test_the_newest_weights_are_back_after_an_error():
    state = started(3)
    step_of(state, 0)
    newest = copy.deepcopy(state.model.state_dict())
    with pytest.raises(KeyboardInterrupt), state.stale.in_place(1):
        raise KeyboardInterrupt
    for name, value in newest.items():
        assert torch.equal(state.model.state_dict()[name], value), name
