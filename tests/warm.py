"""What the server of `tests/forked.py` has loaded and worked out once for all the processes that it becomes."""

import sys
from contextlib import redirect_stdout

import repro.run.lifecycle
import repro.run.session
import repro.sweep.clusters.execute
import repro.sweep.sweep  # noqa: F401
from repro.config.compose import compose
from repro.provenance import of_process
from repro.run.command import print_nearest_row
from tests.tiny import TINIEST

with redirect_stdout(None):
    print_nearest_row(compose(TINIEST))
of_process("cpu")
assert "mlflow" not in sys.modules, "a run without tracking does without it"
