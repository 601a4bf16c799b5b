# `make run` and `make test` need nothing but git, make and Python 3.11 or later with pip.
PYTHON ?= python3
ARGS ?=
# Most tests wait for processes most of the time. A file stays in one process: its tests share servers.
PYTEST := -m pytest -n 2 --dist loadfile
BIN := .venv/bin
ENVIRONMENT := $(PYTHON) scripts/environment.py
POSTGRESQL_15 := /usr/lib/postgresql/15/bin
LOCK := .uv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header
# Optional parts of a package that only its samples are used of.
LOCK_DEV := --no-emit-package numpy --no-emit-package scipy --no-emit-package pillow

# Shows the name of a step, and what it said only when it failed.
define step
	@printf '%-16s' '$(1)'; said=$$($(2) 2>&1) && echo ok || { echo FAILED; printf '%s\n' "$$said"; exit 1; }
endef

.PHONY: fuzz audit help run test lint types pytest pytest-15 test-matrix bench chaos lock clean python environment environment-dev
.DEFAULT_GOAL := help
.NOTPARALLEL:

help: ## Tell what there is
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-18s%s\n' "$$name" "$$text"; done

run: environment ## Start everything: PostgreSQL, web on port 8000 (PORT=...), a worker a pool
	@exec $(BIN)/python -m mediaproc.run --end-with-parent

test: lint types pytest pytest-15 ## Run all checks and tests (ARGS="-k name" goes to pytest)

lint: environment-dev ## Style and layers
	$(call step,ruff check,$(BIN)/ruff check)
	$(call step,ruff format,$(BIN)/ruff format --check)
	$(call step,layers,$(BIN)/lint-imports)

types: environment-dev ## mypy --strict
	$(call step,mypy,DEBUG=True $(BIN)/mypy)

pytest: environment-dev
	@$(BIN)/python $(PYTEST) $(ARGS)

# The oldest PostgreSQL that is supported runs the queue, where Debian's package of it is here.
pytest-15: environment-dev
	@if [ -d $(POSTGRESQL_15) ] && [ -z '$(ARGS)' ]; then \
	  EMBEDDED_POSTGRES_BIN=$(POSTGRESQL_15) TEST_POSTGRES_ROOT=.postgres-test-15 \
	  $(BIN)/python $(PYTEST) -q tests/integration/queue tests/integration/test_migrations.py; \
	elif [ -z '$(ARGS)' ]; then echo 'PostgreSQL 15: SKIPPED, there is no $(POSTGRESQL_15)'; fi

test-matrix: environment-dev ## The tests on the other Pythons, Djangos and PostgreSQLs that are here
	@$(BIN)/python scripts/matrix.py $(ARGS)

# Standard output is for the figures.
bench: python ## The engine's speed beside other job queues (ARGS="--quick --json")
	@$(ENVIRONMENT) requirements-dev.txt >&2
	@$(BIN)/python -m bench $(ARGS)

chaos: environment-dev ## Real faults against real workers (ARGS="--seed 7 --minutes 5", "--help")
	@$(BIN)/python -m tests.chaos $(ARGS)

fuzz: environment-dev ## Hostile requests by the OpenAPI document for ten minutes (FUZZ_SECONDS=...)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} FUZZ_SECONDS=$${FUZZ_SECONDS:-600} \
	  $(BIN)/python -m pytest -q tests/integration/api/test_fuzz.py

audit: environment-dev ## Known vulnerabilities of what is locked; SKIPPED where nobody can be asked
	@$(BIN)/python scripts/audit.py

lock: environment-dev ## Write requirements*.txt from requirements*.in (ARGS=--upgrade renews)
	$(LOCK) $(ARGS) requirements-uv.in -o requirements-uv.txt
	$(LOCK) $(ARGS) requirements.in -o requirements.txt
	$(LOCK) $(ARGS) -c requirements.txt requirements-local.in -o requirements-local.txt
	$(LOCK) $(ARGS) $(LOCK_DEV) -c requirements-local.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) $(ARGS) requirements-bench.in -o requirements-bench.txt

clean: ## Remove environments and caches; data in .postgres and media stay
	rm -rf .venv .venv-bench .venv-matrix bench/node/node_modules .uv .uv.pip .uv.unfinished .environment.lock
	rm -rf .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null || { echo 'mediaproc: there is no $(PYTHON). On Debian: apt-get install python3 python3-pip' >&2; exit 1; }

environment: python
	@$(ENVIRONMENT) requirements-local.txt

environment-dev: python
	@$(ENVIRONMENT) requirements-dev.txt
