"""Two and three processes against one: losses, gradients, weights and running statistics after twelve steps."""

import pytest
import torch
from torch import nn

from repro.config.settings import Shares
from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import TrainingState
from repro.engine.optim import build_optimiser
from repro.engine.statistics import share_statistics
from repro.engine.step import Learner, gradient_scaler, set_training_mode, training_step
from repro.engine.team import ALONE
from tests.composed import composed
from tests.engine.teams import by_all

STEPS, CLASSES, SIZE = 12, 4, 8
CPU = torch.device("cpu")
EXACT = 1e-10


class Pair(nn.Module):
    """Main logits at the size of the image and auxiliary ones at half of it, which learn from thinned labels."""

    def __init__(self, dropout, auxiliary):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
            nn.Conv2d(6, 6, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(dropout),
        )  # fmt: skip
        self.main, self.auxiliary = nn.Conv2d(6, CLASSES, 1), nn.Conv2d(6, CLASSES, 2, stride=2) if auxiliary else None

    def forward(self, image):
        features = self.features(image.to(self.main.weight.dtype))
        logits = {"main": self.main(features)}
        return logits if self.auxiliary is None else {**logits, "auxiliary": self.auxiliary(features)}


def learner(team, settings, *, dropout=0.0, auxiliary=False, numbers=torch.float64):
    schedule = settings.schedule
    torch.manual_seed(0)
    model = Pair(dropout, auxiliary).to(numbers)
    shares = Shares.of(schedule, team.size)
    share_statistics(model, team, shares)
    set_training_mode(model, schedule.batch_norm)
    heads = [model.main, model.auxiliary] if auxiliary else [model.main]
    optimiser = build_optimiser(model.features, heads, schedule, fused=False)
    stale = StaleWeights(model, schedule.replicas) if schedule.replicas > 1 else None
    state = TrainingState(model, optimiser, gradient_scaler(settings.precision, CPU), stale=stale)
    return Learner(state, team.synchronised(model), settings, 0.4 * auxiliary, STEPS, CPU, team)


def batch(step, size):
    """Images with ever more void: the first halves of a batch have far more labelled pixels than the last."""
    generator = torch.Generator().manual_seed(step)
    image = torch.randint(0, 256, (size, 3, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    label = torch.randint(0, CLASSES, (size, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    for place in range(size):
        label[place, : (place * SIZE) // size] = 255
    label[-1, :-1] = 255
    return image, label


def trained(team, settings, first=0, last=STEPS, before=None, **network):
    """Loss of each step, the last gradients, and the state at the end."""
    one = learner(team, settings, **network)
    if before is not None:
        one.state.load_state_dict(before)
    losses = []
    share = one.shares.share(team.rank)
    for step in range(first, last):
        one.state.step = step
        image, label = batch(step, one.schedule.batch_size)
        loss, _ = training_step(one, image[share.start : share.stop], label[share.start : share.stop])
        losses.append(team.sum(loss))
    one.state.step = last
    gradients = torch.cat([parameter.grad.flatten() for parameter in one.state.model.parameters()])
    return {"losses": torch.stack(losses), "gradients": gradients, "state": one.state.state_dict()}


def all_of(team, cases, numbers=torch.float64):
    return [trained(team, settings, numbers=numbers, **network) for settings, network in cases]


def flat(state):
    return torch.cat([value.double().flatten() for value in state["model"].values()])


def difference(one, other):
    """The largest difference of losses, gradients, and weights with running statistics."""
    pairs = [(one["losses"], other["losses"]), (one["gradients"], other["gradients"]),
             (flat(one["state"]), flat(other["state"]))]  # fmt: skip
    return [float((first - second).abs().max()) for first, second in pairs]


def case(batch_size, *overrides, samples=None, **network):
    norm = [f"schedule.batch_norm.samples={samples}"] if samples else []
    return composed(f"schedule.batch_size={batch_size}", *overrides, *norm).settings, network


FROZEN = "schedule.batch_norm.frozen=true"
SLOW = ["schedule.batch_norm.backbone_momentum=0.03", "schedule.batch_norm.head_momentum=0.03"]
MINING = ["schedule.loss=ohem", "schedule.ohem.kept_pixels=5", "schedule.ohem.threshold=0.2"]
CASES = {
    2: {
        "frozen": case(8, FROZEN),
        "frozen, in passes": case(8, FROZEN, samples=2),
        "one statistic per process": case(8, samples=4),
        "two statistics per process": case(8, *SLOW, samples=2),
        "one statistic for all": case(8),
        "a batch of 6": case(6, samples=3),
        "a batch of 6, one statistic": case(6, auxiliary=True),
        "auxiliary head": case(8, samples=4, auxiliary=True),
        "auxiliary head, in passes": case(8, samples=2, auxiliary=True),
        "mean of images": case(8, "schedule.loss_average=image", samples=4, auxiliary=True),
        "mean of groups": case(8, "schedule.loss_average=group", samples=8, auxiliary=True),
        "mean of groups in passes": case(8, "schedule.loss_average=group", samples=2),
        "old gradients": case(8, "schedule.replicas=2", samples=4),
        "mining": case(8, *MINING, samples=4, auxiliary=True),
        "mining in passes": case(8, *MINING, samples=2),
        "uneven shares": case(7, FROZEN, auxiliary=True),
        "uneven shares in passes": case(9, FROZEN, samples=3),
        "momentum 1": case(8, "schedule.batch_norm.backbone_momentum=1", samples=2),
    },
    3: {
        "frozen": case(6, FROZEN, auxiliary=True),
        "one statistic per process": case(6, samples=2),
        "two statistics per process": case(6, samples=1, auxiliary=True),
        "one statistic for all": case(6),
        "uneven shares": case(8, FROZEN, auxiliary=True),
        "mining": case(6, *MINING, auxiliary=True),
    },
}


@pytest.mark.parametrize("size", CASES)
def test_so_many_processes_compute_what_one_does(size, tmp_path):
    cases = list(CASES[size].values())
    alone = all_of(ALONE, cases)
    found = by_all(size, tmp_path, all_of, cases)
    wrong = {}
    for number, name in enumerate(CASES[size]):
        for rank in range(size):
            apart = difference(found[rank][number], alone[number])
            if max(apart) > EXACT:
                wrong[name, rank] = apart
    assert wrong == {}
