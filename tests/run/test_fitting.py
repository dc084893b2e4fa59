import pytest
import torch

from repro.errors import ConfigError
from repro.experiments.memory import ROOM, Memory
from repro.run import fitting
from repro.run.fitting import memory_bytes, recomputes
from tests.composed import composed

CPU = torch.device("cpu")


@pytest.fixture
def device(monkeypatch):
    """Sets how much a training needs of a device of 1000 bytes, or why that cannot be told."""

    def needs(training):
        def told(configuration):
            if isinstance(training, str):
                raise ConfigError(training)
            return Memory(training, 10**6)

        monkeypatch.setattr(fitting, "memory_of", told)
        monkeypatch.setattr(fitting, "memory_bytes", lambda device: 1000)

    return needs


@pytest.mark.parametrize(
    ("word", "training", "expected"),
    [("none", 2000, False), ("blocks", 1, True), ("auto", 1000 * ROOM, False), ("auto", 1000 * ROOM + 1, True),
     ("auto", "it asks for numbers", False)],
)  # fmt: skip
def test_auto_computes_again_what_would_not_fit(device, word, training, expected):
    device(training)
    assert recomputes(composed(f"runtime.recompute={word}"), CPU) == expected


def test_several_processes_need_less_each(device):
    device(1500)
    assert recomputes(composed("runtime.recompute=auto"), CPU)
    assert not recomputes(composed("runtime.recompute=auto"), CPU, 2)


def test_a_compiled_network_decides_by_itself(device):
    device(2000)
    assert not recomputes(composed("runtime.recompute=auto", "runtime.compile=true"), CPU)


def test_a_machine_has_memory():
    assert 2**28 < memory_bytes(CPU) < 2**50
