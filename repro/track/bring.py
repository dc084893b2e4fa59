"""Brings run folders into MLflow one by one, as often as asked."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from repro.config.compose import compose
from repro.config.settings import TrackingKind
from repro.errors import ConfigError, StoreError, full_sentence
from repro.store.files import is_there
from repro.store.holder import Life, beating, life_of, read_holder
from repro.store.journal import read_journal
from repro.store.lock import HEARTBEAT_SECONDS, LockedError
from repro.store.outputs import Outputs
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track.interfaces import TrackingError
from repro.track.mirror import MLflowMirror
from repro.track.snapshot import take_snapshot
from repro.track.tracker import tracking_uri

PATIENCE_SECONDS = 20.0
WATCH_SECONDS = 2 * HEARTBEAT_SECONDS
"""How long the runs of other hosts are watched, all at once: each of them that lives gives a sign of life by then."""


@dataclass
class Tally:
    """What became of the runs: ids, and for those that failed the reason in a sentence."""

    sent: list[str] = field(default_factory=list)
    level: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """The counts in words."""
        counts = [(self.sent, "brought level"), (self.level, "level already"), (self.running, "running and level")]
        counts += [(self.held, "running and without a checkpoint yet"),
                   (self.empty, "without a configuration yet"), (list(self.broken), "broken")]  # fmt: skip
        return ", ".join(f"{len(runs)} {words}" for runs, words in counts if runs) or "no runs"


def bring_level(overrides: Sequence[str]) -> int:
    """Brings in the runs of the outputs that a command line means; returns the exit code, 0 only if all came in."""
    settings = compose(overrides).settings
    outputs, tracking = Outputs(settings.outputs), settings.tracking
    if tracking.kind is TrackingKind.none:
        raise ConfigError("tracking=none has nowhere to bring the runs; leave it out, or give tracking.uri")
    uri = tracking_uri(tracking.uri, outputs)
    runs = list(outputs.runs())
    if not runs:
        print(f"no runs below {outputs.runs_path}; `python -m repro` makes one.")
        return 0
    mirror = MLflowMirror(uri, tracking.experiment, outputs, patience_seconds=PATIENCE_SECONDS)
    tally = bring_in(runs, mirror)
    for run_id, reason in tally.broken.items():
        print(f"{run_id}: {full_sentence(reason)}", file=sys.stderr)
    print(f"{uri}: {tally.sentence()}; {_next_step(uri, tally)}")
    return 1 if tally.broken else 0


def bring_in(runs: Sequence[RunFolder], mirror: MLflowMirror) -> Tally:
    """Brings runs into MLflow one by one; a broken one does not keep the others out.

    A run that nobody is at is brought in under its lock. One at work is shown as far as its newest checkpoint, which
    its own process may do at the same time: both send the same points, and a database keeps each of them once.

    Raises:
        TrackingError: MLflow itself is out of reach.
    """
    mirror.open()
    tally = Tally()
    elsewhere: list[RunFolder] = []
    for folder in tqdm(runs, desc="track", unit="run", disable=None, leave=False):
        match _life(folder):
            case Life.UNKNOWN:
                elsewhere.append(folder)
            case life:
                _bring(folder, mirror, tally, running=life is Life.RUNNING)
    alive = beating([folder.lock_path for folder in elsewhere], WATCH_SECONDS)
    for folder in elsewhere:
        _bring(folder, mirror, tally, running=folder.lock_path in alive)
    return tally


def _life(folder: RunFolder) -> Life:
    """Whether a process is at work on a run, as far as one look can tell."""
    holder = read_holder(folder.lock_path)
    return Life.SILENT if holder is None or holder.brief else life_of(folder.lock_path, holder)


def _bring(folder: RunFolder, mirror: MLflowMirror, tally: Tally, *, running: bool) -> None:
    """Brings one run in and counts it."""
    try:
        if not is_there(folder.config_path):
            tally.empty.append(folder.run_id)
        elif running and read_journal(folder.journal_path).checkpoint_step is None:
            tally.held.append(folder.run_id)  # there is nothing to show, and its own process may just be at that
        elif running:
            mirror.bring_level(take_snapshot(folder, state=RunState.RUNNING))
            if _life(folder) is not Life.SILENT:
                tally.running.append(folder.run_id)
            else:  # it has ended meanwhile
                _bring(folder, mirror, tally, running=False)
        else:
            with folder.lock("python -m repro.track", brief=True):
                changed = _bring_ended(folder, mirror)
            (tally.sent if changed else tally.level).append(folder.run_id)
    except LockedError:
        tally.held.append(folder.run_id)
    except TrackingError as error:
        mirror.open()  # If MLflow has gone altogether, this ends the walk instead of failing run by run.
        tally.broken[folder.run_id] = str(error)
    except (StoreError, OSError) as error:
        tally.broken[folder.run_id] = str(error)


def _bring_ended(folder: RunFolder, mirror: MLflowMirror) -> bool:
    """Under the lock nobody else is alive here, so a status that still says RUNNING is a killed process's."""
    status = folder.read_status()
    killed = status is not None and status.state is RunState.RUNNING
    return mirror.bring_level(take_snapshot(folder, state=RunState.INTERRUPTED if killed else None))


def _next_step(uri: str, tally: Tally) -> str:
    if tally.broken:
        return "mend or remove the broken ones above, then repeat the command."
    return f"look at them: {uri if uri.startswith('http') else f'mlflow ui --backend-store-uri {uri}'}"
