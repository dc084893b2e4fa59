"""Clusters that tests share; a test that changes one beyond its own jobs starts its own."""

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.needs import need_slurm


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Two nodes without accounting; requeued jobs start after twenty seconds."""
    need_slurm(accounting=False)
    with Cluster(nodes=2, requeue_wait_seconds=20) as started:
        yield started


@pytest.fixture(scope="session")
def accounting_cluster() -> Iterator[Cluster]:
    """One node with accounting and two GPUs, and at most 50 jobs per user."""
    need_slurm(accounting=True)
    with Cluster(accounting=True, gpus=2, max_submit=50, requeue_wait_seconds=20) as started:
        yield started
