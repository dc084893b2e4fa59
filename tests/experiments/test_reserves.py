from types import SimpleNamespace

from repro.experiments import reserves as module
from repro.experiments.memory import Memory
from repro.experiments.reserves import LEAST_BYTES, Reserve, Sample, recorded_memory, reserves
from repro.store.outputs import Outputs
from tests.composed import composed

GIB = 2**30


def test_the_most_that_any_run_took_beyond_its_tensors_counts_by_hardware():
    samples = [Sample("A", 4 * GIB, 5 * GIB), Sample("A", 2 * GIB, 3 * GIB), Sample("B", 8 * GIB, 9 * GIB)]
    assert reserves(samples) == {"A": Reserve(1.5, 2), "B": Reserve(1.125, 1)}


def test_without_records_and_from_small_runs_there_is_no_basis():
    assert reserves([]) == {}
    assert reserves([Sample("A", LEAST_BYTES - 1, 10 * LEAST_BYTES)]) == {}


def test_records_say_what_a_gpu_held(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "memory_of", lambda item: asked.append(item) or Memory(2 * GIB, 1))
    configuration = composed("head=fcn")
    monkeypatch.setattr(module.Configuration, "from_yaml", lambda text, path: configuration)
    gpu = {"hardware": {"gpu": "A card"}, "memory": {"reserved_bytes": 3 * GIB}}
    found = {
        "gpu": gpu,
        "again": {**gpu, "layout": {"recomputed": True}},
        "cpu": {"hardware": {"processor": "A processor"}, "memory": {"resident_bytes": GIB}},
        "older": {"hardware": {"gpu": "A card"}},
        "without training": None,
    }
    folders = [folder(name, training) for name, training in found.items()]
    monkeypatch.setattr(Outputs, "measured_runs", lambda self: iter(folders))
    assert list(recorded_memory(Outputs("anywhere"))) == [Sample("A card", 2 * GIB, 3 * GIB)] * 2
    assert [item.leaves["runtime.recompute"] for item in asked] == ["none", "blocks"]


def folder(name, training):
    """A stand-in for a run's folder with one record."""
    record = SimpleNamespace(provenance={} if training is None else {"training": training})
    return SimpleNamespace(config_path=name, read_config=lambda: "", read_record=lambda evaluation_id: record)
