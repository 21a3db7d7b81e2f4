# Everything runs in .venv, which the first target that needs it sets up from the locks; only Python 3.11 or newer and make must be there.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
READY := .venv/.ready
ARGS ?=

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python .venv
LOCKED = $(1) --require-hashes -r build.lock && $(1) --require-hashes --no-build-isolation -r requirements-dev.lock && \
	$(1) --no-deps --no-build-isolation -e .

# Where it is set, as in many images, each of hundreds of processes would compile the program anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint chaos bench bench-full run lock audit messages clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  %-16s %s\n' "$$name" "$$text"; done

setup: $(READY) ## set up .venv, or bring it up to date, and nothing else

demo: $(READY) ## play a day of outages against the real service, without an account (ARGS=--chat to type yourself)
	@$(BIN)/python -m bot demo $(ARGS)

# Meanwhile the tests are compiled, which else each of the four processes would do.
test: $(READY) ## lint, types, import contracts and all tests
	@$(BIN)/python -m pytest -qq --collect-only >/dev/null 2>&1 & $(MAKE) --no-print-directory lint; linted=$$?; wait; exit $$linted
	@echo '== tests'
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal $(ARGS)

lint: $(READY) ## ruff, mypy and the import contracts
	@echo '== lint'
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@echo '== types'
	@$(BIN)/mypy
	@echo '== import contracts'
	@$(BIN)/lint-imports --no-logo

chaos: $(READY) ## fifty storms, ten of them with the reader banned, and two hundred kills: is the archive complete, is every alert sent once; in a quarter of an hour
	@$(BIN)/python -m tests.chaos $(ARGS)

bench: $(READY) ## ratios against plain Telethon, other matchers and bare FTS5, in ten minutes
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-full: $(READY) ## the same with more samples, in a quarter of an hour
	@$(BIN)/python -m tests.benchmarks --full $(ARGS)

run: $(READY) ## run the service with the settings in .env
	@$(BIN)/python -m bot run

lock: $(READY) ## resolve the dependencies anew, with hashes
	@echo '== locking'
	@UV="$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --upgrade --custom-compile-command 'make lock'"; \
	eval $$UV pyproject.toml --output-file requirements.lock && \
	eval $$UV pyproject.toml --extra ukrainian --extra mcp --extra ots --group dev --output-file requirements-dev.lock && \
	for extra in ukrainian mcp ots; do \
		$(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")' $$extra | \
		eval $$UV - --constraint requirements-dev.lock --output-file $$extra.lock || exit 1; \
	done && \
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | eval $$UV - --output-file build.lock

# Not part of lint: it asks PyPI, which knows the advisories, and where PyPI is not reached (a mirror has none) it can tell nothing;
# --strict makes that a failure. What needs no network, tests/test_locks.py checks.
audit: $(READY) ## look for known vulnerabilities in the locks; asks PyPI
	@for lock in requirements-dev.lock build.lock; do $(BIN)/uv tool run pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r $$lock || exit 1; done

messages: $(READY) ## collect the texts for translation into bot/locales
	@$(BIN)/pybabel -q extract --no-location --sort-output --project channelwatch --version 1 --msgid-bugs-address none -w 110 -k N_ -o .messages.pot bot
	@$(BIN)/pybabel -q update -D channelwatch -i .messages.pot -d bot/locales -w 110 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@rm .messages.pot

clean: ## remove the environment and the caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info build

$(READY): pyproject.toml build.lock requirements-dev.lock
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed: install it (on Debian or Ubuntu: apt install python3 python3-venv)'; exit 1; }
	@echo '== setting up .venv (once, some ten seconds)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'This Python has no venv module: install it (on Debian or Ubuntu: apt install python3-venv)'; exit 1; }
	@$(PYTHON) -m venv .venv
	@awk '/^[^ ]/ { is_uv = /^uv==/ } is_uv' requirements-dev.lock | $(PIP) --require-hashes -r /dev/stdin
	@$(call LOCKED,$(UV)) || { echo 'uv, which does not read the settings of pip, cannot install here: pip does, in a minute'; $(call LOCKED,$(PIP)); }
	@touch $@
