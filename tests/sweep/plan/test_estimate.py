import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.sweep.plan.cost import duration, estimate_lines, size
from repro.sweep.plan.estimate import TOO_FAR, Estimate, Sample, estimate, fit
from tests.one_second_paper import row, write_table

HARDWARE = "Some processor with 2 threads, fp32"


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


def told(**changes):
    values = {
        "operations": 2e15, "seconds": 7200.0, "paces": {HARDWARE: fit([Sample(1e14 * n, n) for n in range(1, 7)])},
        "basis": {HARDWARE: ""}, "largest": 1e14, "kept_bytes": 3 * 10**9, "passing_bytes": 10**9, "unknown": {},
    }  # fmt: skip
    return "\n".join(estimate_lines(Estimate(**(values | changes)), 2))


def test_the_lines_name_the_basis():
    text = told()
    assert "2e+15 operations" in text
    assert "about 2.0 hours, 60 min with 2 at a time on Some processor" in text
    assert "from 6 recorded runs, half of them within a factor 1.0" in text
    assert "3 GB stay; 2 GB more while training" in text
    assert "7.2" not in text
    assert "extrapolated 10-fold" in told(largest=6e15)


def test_the_lines_say_what_is_lacking():
    text = told(seconds=None, paces={HARDWARE: None}, basis={HARDWARE: "3 runs recorded there, and it takes 5"})
    assert "no basis on Some processor with 2 threads, fp32: 3 runs recorded there, and it takes 5" in text
    assert "2e+15 operations" in text
    assert "without row 1: no idea" in told(unknown={f"row {number}": "no idea" for number in range(9)})
    assert "and without 6 more" in told(unknown={f"row {number}": "no idea" for number in range(9)})
    assert not told(operations=0.0)


def test_hours_of_a_gpu_are_called_so():
    assert "about 2.0 GPU hours" in told(paces={"NVIDIA H200, fp32": None}, basis={"NVIDIA H200, fp32": ""})


def test_units_suit_the_amount():
    assert [duration(value) for value in (59, 600, 7200, 86400 * 30)] == ["59 s", "10 min", "2.0 hours", "30 days"]
    assert [size(value) for value in (12, 4600, 5 * 10**6, 2 * 10**12)] == ["12 bytes", "4.6 kB", "5 MB", "2 TB"]


@pytest.mark.slow
def test_the_sixth_real_run_is_predicted_within_twice(tmp_path):
    from repro.store.record import Record
    from repro.store.run_folder import run_folders
    from repro.sweep.plan.plan import Plan
    from tests.one_second_paper import sweep
    from tests.sweep.planning import plan_for

    lengths = [8, 12, 16, 24, 32, 20]
    rows = [row(f"of {count}", f"schedule.length={count} steps") for count in lengths]
    outputs = tmp_path / "outputs"
    folder = write_table(tmp_path / "sweeps", rows[:5])
    assert sweep(folder, outputs, "submit=true") == 0
    folder = write_table(tmp_path / "sweeps", rows)
    plan: Plan = plan_for(folder, outputs)
    predicted = estimate(plan, outputs)
    assert predicted.seconds is not None
    assert sweep(folder, outputs, "submit=true") == 0
    records: list[Record] = [record for run in run_folders(outputs / "runs") for record in run.records()]
    (measured,) = [record.wall_seconds for record in records if record.steps == lengths[-1]]
    assert abs(math.log(predicted.seconds / measured)) <= math.log(2), (predicted.seconds, measured)


def test_too_far_is_no_basis(tmp_path, monkeypatch):
    from tests.sweep.planning import plan_for

    folder = write_table(tmp_path / "sweeps", [row("one")])
    plan = plan_for(folder, tmp_path / "outputs")
    whole = estimate(plan, tmp_path / "outputs")
    assert "0 runs recorded there" in next(iter(whole.basis.values()))
    for factor, lacking in ((0.5, ""), (2.0, "the largest job is 2e+03 times")):
        samples = [Sample(whole.operations / TOO_FAR / factor * share, share) for share in (0.6, 0.7, 0.8, 0.9, 1)]
        found = {next(iter(whole.basis)): samples}
        monkeypatch.setattr("repro.sweep.estimate.recorded_samples", lambda *_, found=found: found)
        anew = estimate(plan, tmp_path / "outputs")
        assert next(iter(anew.basis.values())).startswith(lacking)
        assert (anew.seconds is None) == bool(lacking)
