import pytest

from repro.sweep.plan import devices
from repro.sweep.plan.devices import Device, smallest_here, smallest_of


def test_the_gpu_with_the_least_memory_counts():
    listed = "NVIDIA GeForce RTX 3090, 24576\nNVIDIA, odd name, 12288\n"
    assert smallest_of(listed) == Device("NVIDIA, odd name", 12 * 2**30)


@pytest.mark.parametrize("listed", ["", "No devices were found\n", "A card, [N/A]\n"])
def test_what_lists_no_gpu_is_none(listed):
    assert smallest_of(listed) is None


@pytest.mark.parametrize(
    ("program", "expected"),
    [("echo 'A card, 1024'", Device("A card", 2**30)), ("exit 9", None), (None, None)],
    ids=["there", "failing", "missing"],
)
def test_the_driver_is_asked(program, expected, monkeypatch, tmp_path):
    if program is not None:
        file = tmp_path / "nvidia-smi"
        file.write_text(f"#!/bin/sh\n{program}\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert smallest_here() == expected


def test_a_driver_that_does_not_answer_is_waited_for_no_longer(monkeypatch):
    def hang(*arguments, timeout, **options):
        raise devices.subprocess.TimeoutExpired("nvidia-smi", timeout)

    monkeypatch.setattr(devices.subprocess, "run", hang)
    assert smallest_here() is None
