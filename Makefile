# One environment, a few words. `make study` computes everything; `make test` proves it; `make demo` shows it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# numerical threads are the rules' business
export OMP_NUM_THREADS ?= 2
# the toy study first, which is the longest, and the units beside it; a file's tests stay together for what they share
TWO_AT_ONCE := --numprocesses 2 --dist loadfile --no-loadscope-reorder tests/workflow tests/physics tests/unit

.PHONY: env study demo test test-slow verify clean help

help:
	@echo "make env        .venv with the locked packages (the others make it first)"
	@echo "make study      the whole study: results/report/report.pdf (one to three hours on two cores)"
	@echo "make demo       one real micrograph restored, its columns found and fitted: demo/ (two minutes)"
	@echo "make test       style, units, physics, workflow, and the whole study at toy size"
	@echo "make test-slow  the long physics and fault tests"
	@echo "make verify     run the toy study twice and compare every table, byte for byte"
	@echo "make clean      delete everything derived"

env: $(VENV)/.ready

$(VENV)/.ready: envs/requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "emrestore needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r envs/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

study: env
	$(BIN)/snakemake --cores all

demo: env
	$(BIN)/python src/scripts/demo.py demo

test: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" $(TWO_AT_ONCE)

test-slow: env
	$(BIN)/python -m pytest -m slow

verify: env
	$(BIN)/python -m pytest -m slow tests/workflow -k byte_identical

clean:
	rm -rf results demo .snakemake
