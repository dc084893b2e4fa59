"""The live storages of a training step and of an evaluation, counted on tensors without numbers."""

from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import nn

from repro.build import build_model, dataset_class
from repro.config.configuration import Configuration
from repro.config.settings import Precision, Recompute, Settings
from repro.engine.asynchronous import StaleWeights
from repro.engine.checkpoint import TrainingState
from repro.engine.evaluate import classify
from repro.engine.optim import build_optimiser
from repro.engine.recompute import recomputing
from repro.engine.step import Learner, gradient_scaler, set_training_mode, to_device, training_step
from repro.errors import ConfigError, ReproError, first_line
from repro.experiments.operations import ASKED_FOR_NUMBERS, UNKNOWN_IMAGE_SIDES, fake_mode
from repro.experiments.storages import LiveStorages
from repro.nn import Segmenter

CPU = torch.device("cpu")

Sides = tuple[int, int]


def counted(configuration: Configuration, *, fake: bool = True) -> tuple[int, int]:
    """Counts a step with all its momentum, and a batch of the evaluation.

    Args:
        configuration: of the run.
        fake: on tensors without numbers; else on real ones, of which the count is the same.

    Returns:
        Bytes at the peak of the training, and at that of the evaluation or of a validation.

    Raises:
        ConfigError: the network does not build, or asks for numbers that are not there.
    """
    settings = configuration.settings
    try:
        with torch.random.fork_rng(devices=[]), fake_mode() if fake else nullcontext(), LiveStorages() as storages:
            classes = len(dataset_class(configuration).class_names)
            model, weight = build_model(configuration, classes, pretrained=False)
            if settings.runtime.channels_last:
                _to_channels_last(model)
            sides = _image_sides(configuration)
            training = validation = 0
            if settings.trains:
                training, validation = _training(settings, model, weight, sides, storages)
            model.zero_grad(set_to_none=True)
            evaluation = _evaluation(settings, model, sides, storages)
    except ReproError:
        raise
    except ASKED_FOR_NUMBERS as error:
        raise ConfigError(f"its memory cannot be counted without numbers: {first_line(error)}") from error
    return training, max(evaluation, validation)


def _training(
    settings: Settings, model: Segmenter, weight: float, sides: Sides, storages: LiveStorages
) -> tuple[int, int]:
    """The peaks of a step and, if there are any, of a validation, which has gradients and momentum beside it."""
    learner = _learner(settings, model, weight)
    training = _step(learner, sides, storages)
    if settings.validation.every is None:
        return training, 0
    one_view = replace(settings.evaluation, scales=[1.0], flip=False, output_stride=None)
    return training, _evaluation(replace(settings, evaluation=one_view), model, sides, storages)


def _learner(settings: Settings, model: Segmenter, weight: float) -> Learner:
    """As after its first step: with the momentum of all parameters."""
    schedule = settings.schedule
    others = [model.head] + ([model.auxiliary] if model.auxiliary is not None else [])
    optimiser = build_optimiser(model.backbone, others, schedule, fused=settings.precision is not Precision.fp16)
    for group in optimiser.param_groups if schedule.momentum else ():
        for parameter in group["params"]:
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    stale = StaleWeights(model, schedule.replicas) if schedule.replicas > 1 else None
    # Not scaled for fp16: a scaler asks whether the gradients are finite, which takes numbers, and keeps only a few.
    state = TrainingState(model, optimiser, gradient_scaler(Precision.fp32, CPU), step=1, stale=stale)
    recomputes = settings.runtime.recompute is Recompute.blocks
    return Learner(state, model, settings, weight, steps=2, device=CPU, recomputes=recomputes)


def _step(learner: Learner, sides: Sides, storages: LiveStorages) -> int:
    """The peak of a step."""
    settings = learner.settings
    crop, images = settings.schedule.augmentation.crop_size, settings.schedule.batch_size
    height, width = (crop, crop) if crop else sides
    image = torch.zeros(images, 3, height, width, dtype=torch.uint8)
    label = torch.zeros(images, height, width, dtype=torch.uint8)
    model = learner.state.model
    set_training_mode(model, settings.schedule.batch_norm)
    storages.begin_anew()
    with recomputing(model, wanted=learner.recomputes):
        training_step(learner, image, label)
    return storages.peak


def _evaluation(settings: Settings, model: Segmenter, sides: Sides, storages: LiveStorages) -> int:
    """The peak of a batch of the evaluation."""
    trained_stride = model.output_stride
    images = torch.zeros(settings.evaluation.batch_size, 3, *sides, dtype=torch.uint8)
    model.eval()
    model.set_output_stride(settings.evaluation.output_stride or trained_stride)
    storages.begin_anew()
    with torch.no_grad():
        classify(model, to_device(images, CPU, settings.runtime.channels_last), settings)
    model.set_output_stride(trained_stride)
    return storages.peak


def _image_sides(configuration: Configuration) -> Sides:
    size = configuration.leaves.get("dataset.size")
    return (size, size) if isinstance(size, int) else UNKNOWN_IMAGE_SIDES


def _to_channels_last(model: nn.Module) -> None:
    """What `Module.to` does, which cannot exchange the weights that something watches."""
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
