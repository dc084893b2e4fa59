"""A SLURM asked by commands that answer as recorded."""

import pytest

from repro.errors import ConfigError
from repro.sweep.clusters.slurm.answers import AccountingLimits
from repro.sweep.clusters.slurm.queue import QueueError
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.doctor import site as subject
from repro.sweep.doctor.site import Site, look_at_site
from tests.sweep.doctor.recorded import changed, one_node, recorded, two_nodes


def answering(monkeypatch, cluster: str, *silent: str) -> list[str]:
    """Lets commands answer as a cluster's did, some of them fail; returns those asked, as they come."""
    asked: list[str] = []

    def answer(*command: str, seconds: float) -> str:
        asked.append(command[0])
        if command[0] in silent:
            raise QueueError(f"{command[0]} failed: no answer")
        what = next((word for word in command if word in ("config", "partition", "node", "associations", "qos")), None)
        name = {"partition": "partitions", "node": "nodes"}.get(what, what)
        return "" if command[0] == "sacct" else recorded(f"{cluster}_{name}")

    monkeypatch.setattr(subject, "asked", answer)
    monkeypatch.setattr(subject.getpass, "getuser", lambda: "root")
    return asked


def test_with_accounting_limits_and_qualities_are_known(monkeypatch):
    answering(monkeypatch, "accounting")
    found = look_at_site()
    assert Site(**{**vars(found), "answer_seconds": 0.0}) == one_node()


def test_without_accounting_nobody_asks_for_it(monkeypatch):
    asked = answering(monkeypatch, "two_nodes")
    found = look_at_site()
    assert asked == ["scontrol"] * 3
    assert Site(**{**vars(found), "answer_seconds": 0.0}) == two_nodes()


def test_accounting_that_does_not_answer_is_told(monkeypatch):
    answering(monkeypatch, "accounting", "sacct")
    found = look_at_site()
    assert found.no_sacct == "sacct failed: no answer"
    assert found.associations is None


def test_no_slurm_is_an_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(QueueError, match="scontrol cannot be started here"):
        look_at_site()


def test_the_partition_that_jobs_go_to():
    assert two_nodes().partition(None).name == "gpu"
    assert two_nodes().partition("low").name == "low"
    with pytest.raises(ConfigError, match=r"there is no partition lowe; did you mean low\?"):
        two_nodes().partition("lowe")
    with pytest.raises(ConfigError, match="no partition takes jobs that name none"):
        changed(two_nodes(), partitions={"Default": "NO"}).partition(None)


def test_what_limits_a_user_there():
    site = one_node()
    gpu = site.partition("gpu")
    assert [name for name, _ in site.limits(SlurmSettings(), gpu)] == ["account lab", "account root"]
    names = [name for name, _ in site.limits(SlurmSettings(account="lab", qos="high"), gpu)]
    assert names == ["account lab", "qos high"]
    elsewhere = Site(**{**vars(site), "associations": (AccountingLimits("lab", "low"),)})
    assert elsewhere.limits(SlurmSettings(), gpu) == []
