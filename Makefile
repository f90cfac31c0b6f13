# The only list of commands. What follows a command's ## is what `make` alone says of it.

PYTHON ?= python3.13 python3.12 python3.11 python3
ARGS ?=
BAHI_ROUNDS ?= 100

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help up test lint fix check bench torture docs

IN := .venv/bin
PYTEST := $(IN)/python -m pytest -n auto --dist worksteal
PIP := $(IN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

up: .venv/.installed ## start Bahi here (ARGS="--port 8080" and the like are handed on)
	@exec $(IN)/bahi up $(ARGS)

test: .venv/.installed-dev ## run every test, on SQLite and PostgreSQL (ARGS="-k money" for a few)
	@$(PYTEST) $(ARGS)

lint: .venv/.installed-dev ## look for faults without running anything: style, types, import rules
	@$(IN)/ruff check
	@$(IN)/ruff format --check
	@$(IN)/mypy
	@$(IN)/lint-imports

fix: .venv/.installed-dev ## format the code and repair what can be repaired by itself
	@$(IN)/ruff format
	@$(IN)/ruff check --fix

check: lint test ## all that CI runs

bench: .venv/.installed-dev ## measure, and print ratios against the machine's own floor
	@$(IN)/python -m bench $(ARGS)

torture: .venv/.installed-dev ## the long proofs (kills, lost connections), a hundred times as long
	@BAHI_ROUNDS=$(BAHI_ROUNDS) $(PYTEST) -m torture --timeout 86400 $(ARGS)

docs: .venv/.installed ## write the pages that are generated from the code
	@$(IN)/bahi docs

# What is installed, as stamps: a second start asks pip nothing. The dev extra includes the rest.

.venv/.installed: pyproject.toml constraints.txt | $(IN)/python
	@echo "Installing what Bahi needs into .venv: about a minute, this once."
	@$(PIP) --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | $(IN)/python
	@echo "Installing what Bahi's developers need into .venv: a minute or two, this once."
	@$(PIP) --editable '.[dev,parquet]'
	@touch .venv/.installed $@

$(IN)/python:
	$(if $(suitable),,$(error Bahi needs Python 3.11, 3.12 or 3.13 and finds none ($(seen)): \
	install one, or name it as in `make PYTHON=/path/to/python3.12`))
	$(if $(complete),,$(error $(firstword $(suitable)) lacks its venv module: \
	install it (on Debian and Ubuntu: apt install python3-venv) and try again))
	@$(firstword $(complete)) -m venv --clear .venv

among = $(strip $(foreach it,$1,$(if $(shell ($(it) -c '$2; print("yes")') 2>/dev/null),$(it))))
suitable = $(call among,$(PYTHON),import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit(1))
complete = $(call among,$(suitable),import ensurepip)
seen = $(or $(shell (python3 --version) 2>/dev/null),no python3)
