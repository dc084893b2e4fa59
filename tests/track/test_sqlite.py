"""The sqlite database of the outputs: made whole by one of many, and known to be locked before MLflow waits for it."""

import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from repro.track.sqlite import prepare_sqlite
from tests.example_mlflow import ONCE, Seen
from tests.places import REPOSITORY


def test_a_database_that_is_there_stays_as_it_is(outputs: Path) -> None:
    database = outputs / "mlflow.db"
    before = database.read_bytes()
    prepare_sqlite(database, outputs / "mlartifacts", patience_seconds=1)
    assert database.read_bytes() == before
    assert sorted(path.name for path in outputs.iterdir()) == ["mlflow.db"]


def test_a_locked_database_is_known_as_soon_as_patience_ends(outputs: Path) -> None:
    holder = sqlite3.connect(outputs / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        prepare_sqlite(outputs / "mlflow.db", outputs / "mlartifacts", patience_seconds=0.3)
    assert 0.3 <= time.monotonic() - start < 3
    holder.execute("ROLLBACK")
    holder.close()
    prepare_sqlite(outputs / "mlflow.db", outputs / "mlartifacts", patience_seconds=0.3)


def test_a_file_that_is_no_database_is_not_written_over(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_text("a text of some length that is no database")
    with pytest.raises(sqlite3.DatabaseError):
        prepare_sqlite(database, tmp_path / "mlartifacts", patience_seconds=0.3)
    assert database.read_text() == "a text of some length that is no database"


@pytest.mark.slow
def test_processes_that_start_together_on_leftovers_of_a_killed_creation_all_come_through(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    leftover = tmp_path / ".mlflow.db.123.partial"
    leftover.write_bytes(b"half a database")
    program = """
        import os, sys
        from pathlib import Path
        from repro.store.outputs import Outputs
        from repro.track import MLflowMirror, take_snapshot
        from tests.example_runs import example_run
        outputs, *names = sys.argv[1:]
        mirror = MLflowMirror(f"sqlite:///{outputs}/mlflow.db", "repro", Outputs(Path(outputs)), patience_seconds=60)
        mirror.load()
        children = []
        for name in names:
            children.append(os.fork())
            if children[-1] == 0:
                assert mirror.bring_level(take_snapshot(example_run(Path(outputs) / "runs", name)))
                os._exit(0)
        print([os.waitpid(child, 0)[1] for child in children])
    """
    names = [f"{index:016x}" for index in range(4)]
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), *names]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[0, 0, 0, 0]", done.stderr
    assert not list(tmp_path.glob(".mlflow.db*"))
    seen = Seen(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert len(seen.runs) == len(names)
    for name in names:
        assert seen.points(name) == ONCE
