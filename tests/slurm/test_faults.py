"""Each thing that a cluster does to jobs, once, to eight of them; `python -m tests.slurm.chaos` is the full form."""

from pathlib import Path

import pytest

from tests.slurm.chaos import SMALL, carry_out, flavour
from tests.slurm.cluster import Cluster
from tests.slurm.needs import need_slurm

pytestmark = pytest.mark.real


def test_whatever_strikes_them_all_runs_end_as_if_nothing_had(tmp_path: Path) -> None:
    need_slurm(accounting=False)
    with Cluster(**flavour(cpus=4)) as cluster:
        faults = carry_out(cluster, tmp_path, SMALL)
    assert faults.killed
