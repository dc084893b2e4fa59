"""What a machine needs for a SLURM of the tests."""

import os
import sys

import pytest

from tests.slurm.daemons import found

PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "setpriv")
PROGRAMS_OF_ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db")


def lacking(accounting: bool = True) -> str | None:
    """What this machine lacks to run a cluster, as a sentence; None: nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a SLURM for tests needs Linux and root"
    missing = [name for name in (*PROGRAMS, *(PROGRAMS_OF_ACCOUNTING if accounting else ())) if found(name) is None]
    if missing:
        return f"no {', '.join(missing)} here; .ci/packages installs slurm-wlm, munge, slurmdbd and mariadb-server"
    return None


def need_slurm(accounting: bool) -> None:
    """Fails without SLURM where the real parts were asked for, else leaves the test out."""
    lack = lacking(accounting)
    if lack is not None and os.environ.get("REPRO_REAL") == "1":
        pytest.fail(f"SLURM tests skipped: {lack}")
    if lack is not None:
        pytest.skip(lack)
