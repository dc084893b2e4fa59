"""MLflow's sqlite database: made whole or not at all, and tested for a lock before MLflow waits for it."""

import os
import sqlite3
from pathlib import Path

from repro.store.files import exclusive

CREATION_SECONDS = 60.0


def prepare_sqlite(database: Path, artifacts_root: Path, patience_seconds: float) -> None:
    """Makes the database if there is none, once however many processes ask, and makes sure that it can be written.

    Args:
        database: the database file.
        artifacts_root: where MLflow's default experiment keeps its artifacts.
        patience_seconds: longest wait for a database that another process has locked. MLflow's own wait is 20 s for
            each statement and minutes while connecting.

    Raises:
        sqlite3.OperationalError: it is locked or cannot be written.
        StoreError: another process has been making it for a minute.
    """
    if _is_missing(database):
        with exclusive(database.with_name(f"{database.name}.lock"), wait_seconds=CREATION_SECONDS):
            if _is_missing(database):
                _create(database, artifacts_root)
    connection = sqlite3.connect(database, timeout=patience_seconds, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _is_missing(database: Path) -> bool:
    return not database.exists() or database.stat().st_size == 0


def _create(database: Path, artifacts_root: Path) -> None:
    """Runs MLflow's migrations on a file of another name: killed half-way, they could not be taken up again."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for leftover in database.parent.glob(f".{database.name}.*.partial*"):
        leftover.unlink(missing_ok=True)
    partial = database.with_name(f".{database.name}.{os.getpid()}.partial")
    store = SqlAlchemyStore(f"sqlite:///{partial}", artifacts_root.as_uri())  # type: ignore[no-untyped-call]
    store.engine.dispose()
    os.replace(partial, database)
