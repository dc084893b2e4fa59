"""How MLflow is imported, and how much it takes at a time."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from repro.track.interfaces import TrackingError

Item = TypeVar("Item")

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # A repeated request could create a run twice; whole synchronisations are repeated instead, after looking.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
}


def load_mlflow(uri: str) -> None:
    """Imports what a store at an address needs, quietly and with short time-outs.

    Raises:
        TrackingError: it is not installed.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow.tracking

        if not uri.startswith("http"):
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
    except ImportError as error:
        raise TrackingError(f"MLflow cannot be imported ({error}); install it, or choose tracking=none") from error
    # MLflow logs a traceback for every failed statement; failures are reported here, once, in a sentence.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """The items in order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
