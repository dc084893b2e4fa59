"""Brings MLflow level with a run while it goes on, in a thread that can fail without the run noticing."""

import logging
import threading
import time

from repro.errors import ReproError, first_line, full_sentence
from repro.store.run_folder import RunFolder
from repro.store.status import RunState
from repro.track.mirror import MLflowMirror
from repro.track.snapshot import take_snapshot

_log = logging.getLogger(__name__)

FINISH_SECONDS = 4.0
"""Longest wait at a run's end; a cluster kills half a minute after it has asked to end, and a run has more to do."""


class MLflowTracker:
    """A `Tracker` that mirrors the journal to MLflow after every checkpoint.

    Args:
        mirror: the way to MLflow.
        retry_seconds: pause after a failure.
        finish_seconds: longest wait of `finish`; what is not shown by then is left to `python -m repro.track`.
    """

    def __init__(
        self, mirror: MLflowMirror, *, retry_seconds: float = 30.0, finish_seconds: float = FINISH_SECONDS
    ) -> None:
        self._mirror = mirror
        self._retry_seconds = retry_seconds
        self._finish_seconds = finish_seconds
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._folder: RunFolder | None = None
        self._upto_step = -1
        self._final_state: RunState | None = None
        self._wanted = False
        self._failing = False
        self._abandoned = False
        self._level = False

    def start(self, folder: RunFolder) -> None:
        """Starts the thread; MLflow is imported here, since an import under way while workers fork could hang them."""
        self._folder, self._wanted = folder, True
        try:
            self._mirror.load()
        except Exception as error:
            self._warn(error)
        self._thread = threading.Thread(target=self._work, name=f"tracking {folder.run_id}", daemon=True)
        self._thread.start()

    def sync(self, upto_step: int) -> None:
        """Asks for the points up to a step that a checkpoint has made final."""
        with self._wake:
            self._upto_step, self._wanted = upto_step, True
            self._wake.notify()

    def finish(self, state: RunState) -> bool:
        """Shows the final state and everything still missing, for at most `finish_seconds`; True if all is shown."""
        if self._thread is None:
            return False
        with self._wake:
            self._final_state, self._wanted = state, True
            self._wake.notify()
        self._thread.join(self._finish_seconds)
        self._abandoned = True
        self._mirror.cancel()  # After this the run's lock is freed, and whoever takes it may write in MLflow.
        if not self._level:
            _log.warning("tracking: MLflow at %s lacks a part of this run; %s", self._mirror.uri, _REPAIR)
        return self._level

    def _work(self) -> None:
        while not self._abandoned:
            with self._wake:
                if self._failing:  # A new checkpoint is then no reason to try sooner; the end of the run is.
                    self._wake.wait_for(lambda: self._final_state is not None, self._retry_seconds)
                else:
                    self._wake.wait_for(lambda: self._wanted)
                self._wanted = False
                state, upto_step = self._final_state, self._upto_step
            done = self._try(state, upto_step)
            if done and state is not None:
                self._level = True
                return
            if state is not None:
                time.sleep(self._finish_seconds / 20)

    def _try(self, state: RunState | None, upto_step: int) -> bool:
        assert self._folder is not None
        try:
            limit = None if state is not None else upto_step
            snapshot = take_snapshot(self._folder, state=state or RunState.RUNNING, upto_step=limit)
            self._mirror.bring_level(snapshot)
        except Exception as error:
            self._warn(error)
            return False
        if self._failing and not self._abandoned:
            _log.info("tracking: MLflow at %s is level again.", self._mirror.uri)
        self._failing = False
        return True

    def _warn(self, error: Exception) -> None:
        """One warning per outage."""
        if not self._failing and not self._abandoned:
            reason = str(error) if isinstance(error, ReproError) else f"{type(error).__name__}: {first_line(error)}"
            _log.warning("tracking: %s The run goes on, and this is tried again; %s", full_sentence(reason), _REPAIR)
        self._failing = True


_REPAIR = "afterwards `python -m repro.track` fills the gap."
