"""How MLflow is imported: only what the address needs, with short time-outs unless the user has chosen others."""

import subprocess
import sys
import textwrap

from hypothesis import given
from hypothesis import strategies as st

from repro.track.door import batches


def _printed_by(program: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_without_mlflow_it_says_what_to_do() -> None:
    told = _printed_by("""
        import sys
        sys.modules["mlflow"] = None
        from repro.track import TrackingError
        from repro.track.door import load_mlflow
        try:
            load_mlflow("sqlite:///x.db")
        except TrackingError as error:
            print(error)
    """)
    assert "MLflow cannot be imported" in told
    assert "tracking=none" in told


def test_a_server_needs_no_database_and_a_choice_of_the_users_stays() -> None:
    told = _printed_by("""
        import logging, os, sys
        os.environ.pop("MLFLOW_HTTP_REQUEST_MAX_RETRIES", None)
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "77"
        from repro.track.door import load_mlflow
        load_mlflow("http://server:5000")
        print("mlflow.store.tracking.sqlalchemy_store" in sys.modules)
        load_mlflow("sqlite:///x.db")
        print("mlflow.store.tracking.sqlalchemy_store" in sys.modules)
        print(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"], os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
        print(logging.getLogger("mlflow").isEnabledFor(logging.ERROR))
    """)
    assert told.splitlines()[-4:] == ["False", "True", "77 0", "False"]


@given(items=st.lists(st.integers()), size=st.integers(1, 12))
def test_batches_hold_everything_in_order_and_are_full_but_the_last(items: list[int], size: int) -> None:
    found = list(batches(items, size))
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) == size for batch in found[:-1])
    assert all(0 < len(batch) <= size for batch in found)
