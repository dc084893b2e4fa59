"""Two and three processes against one: losses, gradients, weights and running statistics after twelve steps."""

import pytest
import torch
from torch import nn

from repro.config.settings import Loss, Shares
from repro.data import normalise
from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import TrainingState
from repro.engine.losses import segmentation_losses, weighted_mean
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


QUICK = {
    2: ["frozen, in passes", "two statistics per process", "a batch of 6, one statistic", "old gradients",
        "mining in passes", "uneven shares"],
    3: ["one statistic per process", "uneven shares"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("size", "names"),
    [
        *QUICK.items(),
        *[pytest.param(size, list(CASES[size]), marks=pytest.mark.real, id=f"{size}-all") for size in CASES],
    ],
)
def test_so_many_processes_compute_what_one_does(size, names, tmp_path):
    cases = [CASES[size][name] for name in names]
    alone = all_of(ALONE, cases)
    found = by_all(size, tmp_path, all_of, cases)
    wrong = {}
    for number, name in enumerate(names):
        for rank in range(size):
            apart = difference(found[rank][number], alone[number])
            if max(apart) > EXACT:
                wrong[name, rank] = apart
    assert wrong == {}


@pytest.mark.real
def test_in_single_precision_they_differ_by_rounding(tmp_path):
    cases = list(CASES[2].values())
    alone = all_of(ALONE, cases, torch.float32)
    found = by_all(2, tmp_path, all_of, cases, torch.float32)[0]
    apart = {name: difference(found[number], alone[number]) for number, name in enumerate(CASES[2])}
    for name, (losses, gradients, weights) in apart.items():
        print(f"{name:32} losses {losses:.1e}, gradients {gradients:.1e}, weights {weights:.1e}")
    assert {name for name, found in apart.items() if max(found) > 1e-3} == set()


def halved(team, settings, before):
    return trained(team, settings, first=STEPS // 2, before=before)


def test_the_number_of_processes_may_change_on_a_resume(tmp_path):
    settings, _ = case(6, *SLOW, samples=1)
    whole = trained(ALONE, settings)
    first = by_all(3, tmp_path, begun, settings)[0]["state"]
    for second in (halved(ALONE, settings, first), by_all(2, tmp_path, halved, settings, first)[1]):
        assert float((flat(second["state"]) - flat(whole["state"])).abs().max()) < EXACT


def begun(team, settings):
    return trained(team, settings, last=STEPS // 2)


def dropped(team, settings):
    return trained(team, settings, last=3, dropout=0.5)


def test_what_is_dropped_depends_on_step_process_and_pass_alone(tmp_path):
    settings, _ = case(8, FROZEN, samples=2)
    first, again = (by_all(2, tmp_path, dropped, settings)[0] for _ in range(2))
    assert difference(first, again) == [0, 0, 0]
    assert difference(first, dropped(ALONE, settings))[0] > 1e-3


def naive(team, settings):
    """The mean of what each process finds for its share alone, which is what averaging by itself gives."""
    one = learner(team, settings)
    image, label = batch(0, 8)
    share = one.shares.share(team.rank)
    logits = one.state.model(normalise(image[share.start : share.stop]))
    hard = one.schedule.ohem if one.schedule.loss is Loss.ohem else None
    losses = segmentation_losses(logits, label[share.start : share.stop], hard)
    return team.sum(weighted_mean(losses, 0.0)) / team.size


@pytest.mark.parametrize(("overrides", "apart"), [([], 1e-3), (MINING, 1e-3)], ids=["every pixel", "hard pixels"])
def test_the_mean_of_means_would_be_another_loss(overrides, apart, tmp_path):
    settings, _ = case(8, FROZEN, *overrides)
    right = trained(ALONE, settings, last=1)["losses"][0]
    assert abs(by_all(2, tmp_path, naive, settings)[0] - right) > apart
