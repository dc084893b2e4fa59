"""The SLURM of a few shell scripts, for the tests of this folder."""

from tests.fake_slurm import slurm as slurm
