"""SGD with the papers' parameter groups."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from repro.config.settings import DecayOn, Schedule
from repro.engine.schedule import poly


def build_optimiser(
    backbone: nn.Module, others: Iterable[nn.Module], schedule: Schedule, *, fused: bool = True
) -> torch.optim.SGD:
    """SGD over the backbone at the base rate and over the other modules at the head's multiple of it.

    Each group carries `rate_multiple`; `set_learning_rate` applies it. The fused kernel takes half the time of the
    loop over parameters on CPU and one launch on GPU; it must not be used with a loss scaler, because it keeps an
    uninitialised momentum when the first step is skipped for an overflow.
    """
    groups: list[dict[str, Any]] = []
    for modules, multiple in (([backbone], 1.0), (list(others), schedule.head_learning_rate_multiple)):
        decayed: list[nn.Parameter] = []
        free: list[nn.Parameter] = []
        for module in modules:
            for name, parameter in module.named_parameters():
                if parameter.requires_grad:
                    (decayed if _decays(name, parameter, schedule.weight_decay_on) else free).append(parameter)
        groups.append({"params": decayed, "weight_decay": schedule.weight_decay, "rate_multiple": multiple})
        groups.append({"params": free, "weight_decay": 0.0, "rate_multiple": multiple})
    groups = [group for group in groups if group["params"]]
    return torch.optim.SGD(groups, lr=schedule.learning_rate, momentum=schedule.momentum, fused=fused)


def set_learning_rate(optimiser: torch.optim.Optimizer, step: int, steps: int, schedule: Schedule) -> float:
    """Sets every group's rate for the step and returns the base rate."""
    rate = poly(step, steps, schedule.learning_rate, schedule.power)
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate_multiple"]
    return rate


def _decays(name: str, parameter: nn.Parameter, rule: DecayOn) -> bool:
    return rule is DecayOn.all or (parameter.ndim > 1 and name.endswith("weight"))
