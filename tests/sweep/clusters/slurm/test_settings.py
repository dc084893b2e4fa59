from pathlib import Path

import pytest

from repro.config.command import compose_command
from repro.errors import ConfigError
from repro.sweep.clusters.slurm.settings import SlurmSettings, read_slurm


def settings_for(*words):
    return read_slurm(compose_command("sweep", ["cluster=slurm", *words]))


def test_the_file_says_what_the_class_says():
    assert settings_for() == SlurmSettings()


def test_every_setting_has_a_comment():
    text = (Path(__file__).parents[4] / "conf" / "cluster" / "slurm.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line[:1].isalpha() and not line.startswith("kind")]
    assert [line for line in lines if " # " not in line] == []
    assert [line.partition(":")[0] for line in lines] == list(SlurmSettings.__dataclass_fields__)


def test_a_limit_is_in_whole_minutes():
    assert settings_for("cluster.limit_hours=1.5").limit_minutes == 90
    assert settings_for("cluster.limit_hours=0.001").limit_minutes == 1


def test_the_place_of_a_job_is_told_by_the_names_of_sbatch():
    chosen = settings_for("cluster.partition=gpu", "cluster.memory_gib=1.5", "cluster.gpus_per_node=0").place
    assert chosen == {
        "partition": "gpu", "account": None, "qos": None, "constraint": None, "mem": "1536M", "gpus-per-node": None,
    }  # fmt: skip


def test_further_lines_are_read_as_sbatch_takes_them():
    given = settings_for("cluster.extra=['--exclude=node7','#SBATCH --exclusive','--comment=a=b']")
    assert given.extra_parameters == {"exclude": "node7", "exclusive": True, "comment": "a=b"}
    with pytest.raises(ConfigError, match=r"cluster\.extra has 'exclude'; write a line as sbatch takes it"):
        settings_for("cluster.extra=[exclude]")


@pytest.mark.parametrize(("word", "sentence"), [
    ("limit_hours=0", r"cluster\.limit_hours is 0; it must be a positive number"),
    ("gpus_per_node=-1", r"cluster\.gpus_per_node is -1; it must be a whole number of at least 0"),
    ("nodes=0", r"cluster\.nodes is 0; it must be a whole number of at least 1"),
    ("cpus_per_process=1.5", "must be a whole number of at least 1"),
    ("requeue=maybe", "must be true or false"),
])  # fmt: skip
def test_a_mistake_is_a_sentence(word, sentence):
    with pytest.raises(ConfigError, match=sentence):
        settings_for(f"cluster.{word}")


SITE = """defaults:
  - /cluster/slurm@_here_
  - _self_
partition: a100
setup: ['module load cuda']
"""


def test_a_site_has_a_file_of_its_own(tmp_path):
    (tmp_path / "cluster" / "site").mkdir(parents=True)
    (tmp_path / "cluster" / "site" / "mylab.yaml").write_text(SITE)
    words = ["cluster=site/mylab", f"conf_folder={tmp_path}", "cluster.qos=long"]
    given = read_slurm(compose_command("sweep", words))
    assert given == SlurmSettings(partition="a100", setup=("module load cuda",), qos="long")
    with pytest.raises(ConfigError, match="site/mylab"):
        compose_command("sweep", ["cluster=site/mylib", f"conf_folder={tmp_path}"])
