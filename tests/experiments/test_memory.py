import subprocess
import sys

import pytest

from repro.errors import ConfigError
from repro.experiments import memory, memory_count
from repro.experiments.memory import Memory, memory_of
from tests.composed import composed

OVERRIDES = ("head=fcn", "dataset.size=64")


@pytest.fixture
def counts(monkeypatch, tmp_path):
    """What is asked to be counted, in place of counting, with nothing remembered."""
    asked = []

    def counted(configuration):
        asked.append(configuration)
        if configuration.leaves["precision"] == "fp16":
            raise ConfigError("it cannot be")
        return 10, 20

    monkeypatch.setattr(memory_count, "counted", counted)
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path))
    monkeypatch.setattr(memory, "_known", {})
    return asked


def forget(monkeypatch):
    monkeypatch.setattr(memory, "_known", {})


def test_the_peak_is_that_of_the_larger_part():
    assert Memory(10, 20).peak_bytes == 20
    assert Memory(30, 20).peak_bytes == 30


def test_one_network_and_batch_is_counted_once(counts, monkeypatch):
    one = composed(*OVERRIDES)
    assert memory_of(one) == Memory(10, 20)
    forget(monkeypatch)
    for same in (one, one.with_seed(7), one.with_leaf("schedule.learning_rate", 0.5),
                 one.with_leaf("runtime.recompute", "auto")):  # fmt: skip
        assert memory_of(same) == Memory(10, 20)
    assert len(counts) == 1
    for leaf, value in (("schedule.batch_size", 2), ("runtime.recompute", "blocks"), ("precision", "bf16")):
        memory_of(one.with_leaf(leaf, value))
    assert len(counts) == 4


def test_what_cannot_be_counted_is_said_again(counts, monkeypatch):
    for _ in range(2):
        with pytest.raises(ConfigError, match="it cannot be"):
            memory_of(composed(*OVERRIDES).with_leaf("precision", "fp16"))
        forget(monkeypatch)
    assert len(counts) == 1


def test_damaged_memory_is_counted_anew(counts, monkeypatch, tmp_path):
    memory_of(composed(*OVERRIDES))
    (file,) = (tmp_path / "memory").iterdir()
    file.write_text("{")
    forget(monkeypatch)
    assert memory_of(composed(*OVERRIDES)) == Memory(10, 20)
    assert len(counts) == 2


def test_a_cache_that_cannot_be_written_costs_a_count(counts, monkeypatch, tmp_path):
    (tmp_path / "memory").write_text("in the way")
    assert memory_of(composed(*OVERRIDES)) == Memory(10, 20)
    forget(monkeypatch)
    assert memory_of(composed(*OVERRIDES)) == Memory(10, 20)
    assert len(counts) == 2


def test_what_is_remembered_loads_no_torch(counts):
    memory_of(composed(*OVERRIDES))
    code = (
        "import sys\nfrom repro.config.composer import Composer\nfrom repro.experiments.memory import memory_of\n"
        f"print(memory_of(Composer().compose({list(OVERRIDES)!r})).peak_bytes, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["20", "False"], done.stderr
