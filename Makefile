# Thin targets: each calls the flnft program of the package. `make help` lists them.
SHELL := /bin/bash
NAME ?= roblox10
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
FLNFT := $(BIN)/flnft
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.docs-installed
PORT ?= 8000
CHAIN_PORT ?= 8545
NPM_STAMP := contracts/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup scenario viz sweep paper bench test test-slow lint format types imports lock docs docs-serve image contracts chain-node clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make .venv from the locked versions (done by every other target when missing or stale)

$(STAMP): requirements.lock pyproject.toml scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup "$(VENV)"

scenario: $(STAMP) ## run a scenario: make scenario NAME=roblox10 [ARGS="--seed 3 --force"]
	@$(FLNFT) run $(NAME) $(ARGS)

viz: $(STAMP) ## open a scenario in the browser: make viz NAME=roblox10
	@$(FLNFT) viz $(NAME) $(ARGS)

sweep: $(STAMP) ## run a parameter sweep to CSV: make sweep NAME=budget-elasticity
	@$(FLNFT) sweep $(NAME) $(ARGS)

paper: $(STAMP) ## the paper's tables and figures, ours beside theirs: make paper [ARGS="fig5 --quick"]
	@$(FLNFT) paper $(ARGS)

bench: $(STAMP) ## measure speed, ours beside the peers, as ratios in one run
	@$(BIN)/python -m benchmarks $(ARGS)

test: $(STAMP) ## the whole test suite but the slow reproductions
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: $(STAMP) ## full reproductions on real MNIST and CIFAR-10 (half an hour on two cores with ARGS="-n 2"; needs FLNFT_DATA)
	@$(BIN)/python -m pytest -m slow --timeout 0 $(ARGS)

lint: $(STAMP) ## format and lint check, types, import direction
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(STAMP) ## format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

$(DOCS_STAMP): $(STAMP) requirements-docs.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.lock
	@touch $@

docs: $(DOCS_STAMP) ## build the documentation as a static site, build/docs/html; no warning or dead link is let pass
	@$(BIN)/python docs/site/build.py

docs-serve: docs ## show the documentation at http://localhost:8000 (PORT=...)
	@$(BIN)/python -m http.server --directory build/docs/html --bind localhost $(PORT)

image: ## build the Docker image `flnft`; where no Docker answers, look the Dockerfile over (hadolint)
	@if docker info > /dev/null 2>&1; then docker build --tag flnft $(ARGS) .; else hadolint Dockerfile; fi

$(NPM_STAMP): contracts/package-lock.json
	@command -v npm > /dev/null || { echo "make: Node.js 20 with npm is needed for contracts and nodes; install it" >&2; exit 2; }
	@npm ci --prefix contracts --silent

contracts: $(NPM_STAMP) ## compile the contracts into the package's artifacts (needs Node.js)
	@node contracts/compile.js

chain-node: $(NPM_STAMP) ## a chain to run on, http://127.0.0.1:8545 (CHAIN_PORT=...), for this machine alone (needs Node.js)
	@contracts/node_modules/.bin/anvil $$(cat contracts/anvil.options) --port $(CHAIN_PORT)

lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	@scripts/lock

clean: ## remove caches and build leftovers (keeps .venv and runs)
	@rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
