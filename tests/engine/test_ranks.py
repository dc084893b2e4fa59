"""Who says which of several processes this one is."""

import pytest

from repro.engine.ranks import Rank, own_rank
from repro.errors import ConfigError

TORCHRUN = {
    "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "node1", "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "none",
}  # fmt: skip
BATCH_SHELL = {"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_JOB_ID": "7"}
STEP = {**BATCH_SHELL, "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_ID": "0", "SLURM_PROCID": "2", "SLURM_LOCALID": "1"}
OF_OURS = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "REPRO_LAUNCH": "abc"}
BY_HAND = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "node1", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("environment", "rank"),
    [
        ({}, Rank()),
        (BATCH_SHELL, Rank()),
        (TORCHRUN, Rank(3, 4, 1, is_watched=True)),
        (STEP, Rank(2, 4, 1, "slurm-7-0-0", is_watched=True)),
        ({**STEP, "SLURM_RESTART_COUNT": "2"}, Rank(2, 4, 1, "slurm-7-0-2", is_watched=True)),
        ({**STEP, **OF_OURS}, Rank(1, 2, 1, "abc", is_watched=True)),
        (BY_HAND, Rank(1, 2, 1)),
        ({**STEP, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}, Rank()),
        ({**STEP, "SLURM_CPUS_PER_TASK": "3"}, Rank(2, 4, 1, "slurm-7-0-0", is_watched=True, cores=3)),
        ({**TORCHRUN, "LOCAL_WORLD_SIZE": "1000"}, Rank(3, 4, 1, is_watched=True, cores=1)),
    ],
)
def test_the_place_is_the_launcher_s(environment, rank):
    assert own_rank(environment) == rank


def test_the_environment_of_the_process_is_asked(monkeypatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert own_rank() == Rank(3, 4, 1, is_watched=True)
    assert not own_rank().leads


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({**TORCHRUN, "RANK": "4"}, "RANK is 4, but WORLD_SIZE is 4; ranks go from 0 to 3"),
        ({**TORCHRUN, "WORLD_SIZE": "four"}, "the variable WORLD_SIZE is 'four'; it must be a whole number"),
        ({"RANK": "0", "WORLD_SIZE": "2"}, "WORLD_SIZE is 2, but neither MASTER_ADDR and MASTER_PORT nor REPRO_LAUNCH"),
    ],
)
def test_what_does_not_fit_is_a_sentence(environment, sentence):
    with pytest.raises(ConfigError, match=sentence):
        own_rank(environment)
