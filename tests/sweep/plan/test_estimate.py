import math
from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.provenance import available_cores
from repro.store.outputs import Outputs
from repro.sweep.plan.estimate import TOO_FAR, Sample, estimate, fit, hardware_here, kind_of
from tests.one_second_paper import row, sweep, write_table
from tests.sweep.planning import plan_for
from tests.tiny_runs import tiniest


@given(
    constant=st.floats(0.5, 60),
    ratio=st.floats(1e-12, 1e-9),
    sizes=st.lists(st.floats(1e9, 1e13), min_size=6, max_size=20),
    noise=st.lists(st.floats(0.8, 1.25), min_size=20, max_size=20),
)
def test_after_five_runs_the_next_is_predicted_within_twice(constant, ratio, sizes, noise):
    truth = [constant + ratio * operations for operations in sizes]
    samples = [
        Sample(*pair) for pair in zip(sizes, (time * by for time, by in zip(truth, noise, strict=False)), strict=True)
    ]
    *known, last = samples
    pace = fit(known)
    low, high = min(item.operations for item in known), max(item.operations for item in known)
    if low <= last.operations <= high:
        assert 0.5 <= pace.seconds(last.operations) / truth[-1] <= 2
    assert pace.runs == len(known)
    assert pace.error < 1.6


def test_one_disturbed_run_does_not_move_the_pace():
    samples = [Sample(1e10 * size, 2 + size) for size in (1, 2, 4, 8, 16, 32)]
    disturbed = [*samples[:3], replace(samples[3], seconds=300), *samples[4:]]
    assert fit(disturbed).seconds(2e11) == pytest.approx(fit(samples).seconds(2e11), rel=0.05) == pytest.approx(22)


def test_four_runs_are_no_basis():
    samples = [Sample(1e10 * size, 2 + size) for size in (1, 2, 4, 8)]
    assert fit(samples) is None
    assert fit([*samples, Sample(0, 5), Sample(1e9, 0)]) is None


def test_runs_of_one_size_give_a_constant_and_a_ratio():
    pace = fit([Sample(1e10, seconds) for seconds in (1, 1.1, 1.2, 1.3, 9)])
    assert pace.seconds(1e10) == pytest.approx(1.2)


def test_runs_on_other_hardware_are_no_basis(tmp_path):
    processor = {"processor": "A processor", "threads": 2}
    assert kind_of(processor, "fp32") == "A processor with 2 threads, fp32"
    assert kind_of({**processor, "threads": 1}, "bf16") == "A processor with 1 thread, bf16"
    assert kind_of({**processor, "gpu": "A card"}, "fp32") == "A card, fp32"
    shared = tiniest(tmp_path, "runtime.threads=null", "runtime.device=cpu")
    for share in (1, available_cores(), 10 * available_cores()):
        threads = max(1, available_cores() // share)
        assert f" with {threads} thread" in hardware_here(shared, share)


@pytest.mark.real
def test_the_sixth_real_run_is_predicted_within_twice(tmp_path):
    lengths, last = [10, 20, 40, 60, 80], 50
    rows = [row(f"of {count}", f"schedule.length={count} steps") for count in lengths]
    outputs = tmp_path / "outputs"
    folder = write_table(tmp_path / "sweeps", rows)
    assert sweep(folder, outputs, "submit=true") == 0
    folder = write_table(tmp_path / "sweeps", [row("next", f"schedule.length={last} steps")])
    seeds = "seeds=[0,1,2]"  # of which the median is taken, lest something else on the machine decide
    plan = plan_for(folder, outputs, seeds)
    predicted = estimate(plan, Outputs(outputs))
    assert predicted.seconds is not None
    assert sweep(folder, outputs, "submit=true", seeds) == 0
    records = [record for run in Outputs(outputs).runs() for record in run.records()]
    measured = median(record.wall_seconds for record in records if record.steps == last)
    assert abs(math.log(predicted.seconds / 3 / measured)) <= math.log(2), (predicted.seconds, measured)


def test_too_far_is_no_basis(tmp_path, monkeypatch):
    outputs = Outputs(tmp_path / "outputs")
    plan = plan_for(write_table(tmp_path / "sweeps", [row("one")]), outputs.root)
    whole = estimate(plan, outputs)
    assert "0 runs recorded there" in next(iter(whole.basis.values()))
    assert whole.operations > 0
    assert whole.passing_bytes > 0
    for factor, lacking in ((0.5, ""), (2.0, "the largest job is 2e+03 times")):
        samples = [Sample(whole.operations / TOO_FAR / factor * share, share) for share in (0.6, 0.7, 0.8, 0.9, 1)]
        found = {next(iter(whole.basis)): samples}
        monkeypatch.setattr("repro.sweep.plan.estimate.recorded_samples", lambda *_, found=found: found)
        anew = estimate(plan, outputs)
        assert next(iter(anew.basis.values())).startswith(lacking)
        assert (anew.seconds is None) == bool(lacking)
