from repro.sweep.plan.cost import estimate_lines
from repro.sweep.plan.estimate import Estimate, Sample, fit

HARDWARE = "Some processor with 2 threads, fp32"


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
