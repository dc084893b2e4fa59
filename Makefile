PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-real test-fast coverage lint format docs report-check bench clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv with the exact versions of constraints.txt

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	-$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib  # on all cores, where pip compiles 17,000 files on one
	touch $@

demo: $(READY)  ## train the default network on the built-in data (three to nine minutes on two cores) and show its table
	$(BIN)/python -m repro name=demo
	$(BIN)/python -m repro.report sweeps_folder=examples/papers table=demo/table1 reports=outputs/reports
	@sed '1,2d;/^\*\*Bold/,$$d;s/&nbsp;/ /g;s/<br>/ /g' outputs/reports/paper/demo/table1.md

test: $(READY) lint  ## lint, types, and all tests but the real ones
	$(PYTEST) -m 'not real'

test-real: $(READY)  ## LaTeX, SLURM, a tracking server, faults of files, the wheel, compiled heads, ONNX, and all ablation tables in small
	REPRO_REAL=1 $(PYTEST) -m real

test-fast: $(READY)  ## the tests that take less than ten seconds each
	$(PYTEST) -m 'not slow and not real'

coverage: $(READY)  ## which lines the tests run, those of other processes included
	$(PYTEST) -m 'not real' --cov --cov-report=term

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## write the tables of heads, parameters and rates in README.md and docs/
	$(BIN)/python -m tools.heads
	$(BIN)/python -m tools.parameters
	$(BIN)/python -m tools.rates

report-check: $(READY)  ## fail if the committed tables are not what reports/runs.csv gives
	$(BIN)/python -m repro.report check=true

bench: $(READY)  ## time networks, pools, metrics, loaders, planning and reports
	for subject in training_step pooling local_attention nonlocal_attention cgnl dynamic_sampling confusion image_confusions loader tracking start_up planning report fetch; do $(BIN)/python -m tests.bench.$$subject || exit 1; done

clean:  ## remove what was built, keep outputs and data
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
