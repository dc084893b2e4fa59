from repro.experiments.memory import Memory
from repro.experiments.reserves import Reserve
from repro.store.outputs import Outputs
from repro.sweep.clusters.slurm.settings import SlurmSettings
from repro.sweep.plan import memory_lines as module
from repro.sweep.plan.devices import GIB, Device
from repro.sweep.plan.job import Job
from repro.sweep.plan.memory import Fitting, TooLarge, Way
from repro.sweep.plan.memory_lines import MESSAGES, fitting_lines, memory_lines
from tests.composed import composed

CARD = Device("A card", 12 * GIB)


def text(fitting):
    return " ".join(" ".join(fitting_lines(fitting)).split())


def large(*ways, title="row x, seed 0"):
    return TooLarge(title, 14 * GIB, ways)


def test_size_place_and_basis_are_told():
    told = text(Fitting(CARD, Reserve(1.25, 4), ("row x, seed 0", 9.5 * GIB), (), {}))
    assert told == (
        "memory at most 9.5 GiB of the 12.0 GiB of A card: row x, seed 0 "
        "the tensors counted, times the 1.25 that 4 recorded runs took there at most"
    )
    told = text(Fitting(Device("", 12 * GIB), None, ("row x", 9.5 * GIB), (), {"row y": "no", "row z": "no"}))
    assert "12.0 GiB of a GPU" in told
    assert "15% of the device are taken to be needed beside the tensors counted: no run recorded there" in told
    assert told.endswith("not known of row y, and 1 more: no")


def test_what_does_not_fit_is_told_with_what_makes_it_fit():
    ways = Way(("runtime.recompute=blocks",), 5 * GIB), Way(("runtime.micro_batch=4",), 6 * GIB)
    for found, expected in (
        (large(*ways), "it fits with runtime.recompute=blocks (5.0 GiB) or runtime.micro_batch=4 (6.0 GiB)"),
        (large(Way(("precision=bf16",), 8 * GIB, is_same_run=False)), "precision=bf16 (8.0 GiB), which is another run"),
        (large(Way(("precision=bf16",), 13 * GIB, is_same_run=False)), "no setting makes it fit, the least is"),
        (large(), "nothing is known that would make it fit"),
    ):  # fmt: skip
        told = text(Fitting(CARD, None, ("row x, seed 0", 14 * GIB), (found,), {}))
        assert "row x, seed 0 does not fit: 14.0 GiB; " in told
        assert expected in told
    many = Fitting(CARD, None, ("row x", 14 * GIB), (large(),) * (MESSAGES + 2), {})
    assert text(many).endswith("and 2 more do not fit")


def test_the_gpu_is_that_of_the_machine_or_that_asked_of_slurm(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "memory_of", lambda configuration: Memory(3 * GIB, GIB))
    monkeypatch.setattr(module, "smallest_here", lambda: CARD)
    jobs = [Job("0" * 16, composed("head=fcn"))]

    def told(slurm=None, jobs=jobs):
        return " ".join(memory_lines(jobs, slurm, Outputs(tmp_path)))

    assert "12.0 GiB of A card" in told()
    assert "24.0 GiB of a GPU" in told(SlurmSettings(gpu_memory_gib=24.0))
    assert told(SlurmSettings()) == told(SlurmSettings(gpu_memory_gib=24.0, gpus_per_node=0)) == ""
    assert told(jobs=[Job("0" * 16, composed("head=fcn", "runtime.device=cpu"))]) == ""
    monkeypatch.setattr(module, "smallest_here", lambda: None)
    assert told() == ""
