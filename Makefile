# Every target does its own set-up; nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help setup demo test check lint types contracts fast slow bench docs serve clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Gatewatch needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned dependencies into $(VENV) (first run: about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/.ready ## Make the virtual environment

demo: setup ## Real Envoy, sample shop, attackers; ends with what Gatewatch found (KEEP=1 leaves it running)
	@KEEP=$(KEEP) $(BIN)/python -m examples.demo

serve: setup ## Run Gatewatch on 127.0.0.1:8420
	@$(BIN)/gatewatch serve

check: lint types contracts ## Linters, types, import contracts

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports --no-logo

fast: setup ## The tests that take seconds
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not slow"

slow: setup ## The tests that run servers, kill processes or take long
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m slow

test: check fast slow ## All checks and all tests

bench: setup ## Measure against the limit in the same run; writes benchmarks/results
	@$(BIN)/python -m benchmarks

docs: setup ## Regenerate the reference pages and the picture in the README
	@$(BIN)/python -m scripts.generate_docs
	@$(BIN)/python -m scripts.report_picture

clean: ## Remove what set-up and tests made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .build
