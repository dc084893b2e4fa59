"""The work of one process on one run: build, train, evaluate."""

import logging
from functools import cache, partial

import torch

from repro.build import build_dataset, build_model
from repro.config.configuration import Configuration
from repro.config.own_code import facts_of
from repro.config.settings import Repeat
from repro.engine.checkpoint import CheckpointFolder
from repro.engine.device import prepare
from repro.engine.team import ALONE, Team
from repro.errors import ConfigError, DataError
from repro.nn import Segmenter
from repro.run.evaluation import record_evaluation, set_aside_other_records
from repro.run.held import EVALUATING, HeldRun
from repro.run.images import Ids, check_measured, ids_by, stored, told_of_validations, used_after, used_before
from repro.run.repetition import begin_anew, due
from repro.run.training import train_network, training_job, training_split
from repro.run.trial import try_network
from repro.run.weights import load_weights, sound_weights, store_weights, take_over_weights
from repro.store.images import UsedImages, counts
from repro.store.record import Record
from repro.store.status import RunState

log = logging.getLogger(__name__)


def carry_out(configuration: Configuration, held: HeldRun, team: Team = ALONE) -> Record:
    """Trains unless the final weights are there, then evaluates and writes the record.

    The other processes of a team are in step by `repro.run.together.follow`.

    Raises:
        ReproError: a mistake in the configuration or the data, a diverged loss, or a signal.
    """
    settings, folder = configuration.settings, held.folder
    device = prepare(settings, team.local)
    open_split = cache(partial(build_dataset, configuration))
    ids = ids_by(open_split)
    measured = open_split(settings.evaluation_split)
    used = images_behind(configuration, held, ids)
    check_measured(configuration, used, ids)
    checkpoints = CheckpointFolder(folder.checkpoints)
    repeat = due(folder, configuration)
    anew = repeat is Repeat.run and folder.has_weights
    weights = None if anew else sound_weights(held)
    is_trained = weights is not None
    is_started = is_trained or (not anew and checkpoints.find())
    fresh = not is_started and not settings.init.replaces_backbone
    model, auxiliary_weight = build_model(configuration, measured.num_classes, pretrained=fresh)
    if not is_started:
        take_over_weights(model, settings.init, held)
    check_output_stride(model, settings.evaluation.output_stride)
    if settings.runtime.channels_last:
        model = model.to(memory_format=torch.channels_last)
    model = model.to(device)
    try_network(configuration, model, measured)
    check_code(configuration, held)
    split = None
    if not is_trained and settings.trains:
        split = training_split(configuration, held, open_split(settings.dataset.train_split), team)
    if repeat is not None:
        begin_anew(held, configuration.evaluation_id, repeat)
    team.tell(split is not None)
    if split is not None:
        job = training_job(configuration, held, checkpoints, model, auxiliary_weight, split, device, team)
        train_network(job, split, held)
    elif not is_trained:
        store_weights(folder, model.state_dict(), device, step=0, wall_seconds=0.0, gpu_seconds=0.0)
    training = load_weights(folder, model, weights)
    checkpoints.clear()  # only now, since damaged weights are made anew from the last one
    set_aside_other_records(held, training.sha256)
    team.tell(model.state_dict())
    folder.write_status(RunState.RUNNING, step=training.step, message=EVALUATING)
    found = counts(used, measured.name, measured.ids)
    record = record_evaluation(configuration, held, model, measured, device, training, found, team)
    held.event("evaluated", evaluation=configuration.evaluation_id)
    held.tracker.sync(training.step)
    return record


def images_behind(configuration: Configuration, held: HeldRun, ids: Ids) -> UsedImages:
    """The images behind the weights; of a training still to be done they are found out and written down.

    Raises:
        ConfigError: weights would be chosen by images that are trained on, unasked for.
        DataError: a split to be trained on cannot be opened.
    """
    folder = held.folder
    found = stored(folder) if folder.has_weights else None
    if found is not None:
        return found
    try:
        used = used_after(configuration, used_before(configuration, held.outputs), ids)
    except DataError:
        if not folder.has_weights:
            raise
        return UsedImages().after_unknown(f"run:{folder.run_id}")  # trained elsewhere, on data that are not here
    folder.write_used_images(used)
    if told := told_of_validations(configuration, used, ids):
        log.warning("%s", told)
        held.event("validations_on_trained", message=told)
    return used


def check_code(configuration: Configuration, held: HeldRun) -> None:
    """Holds that what was read is what the run is named by, and tells of code that does not count."""
    configuration.check_unchanged(held.folder.run_id)
    for facts in facts_of(configuration.science).values():
        for module, names in facts["at_run_time"].items():
            log.warning(
                "%s reaches code at run time (%s): what it finds there is no part of the run's id; import it by name",
                module, ", ".join(names),
            )  # fmt: skip
            held.event("code_at_run_time", module=module, by=names)


def check_output_stride(model: Segmenter, output_stride: int | None) -> None:
    """Finds out before the training whether the evaluation's output stride is possible."""
    trained_at = model.output_stride
    try:
        model.set_output_stride(output_stride or trained_at)
    except ValueError as error:
        raise ConfigError(f"evaluation.output_stride: {error}") from error
    model.set_output_stride(trained_at)
