# Everything installs into .venv of this checkout. Nothing needs root, Docker or your own Java.
SHELL := /bin/sh
BIN := .venv/bin
INSTALLED := .venv/.installed
REQUIREMENTS := deploy/requirements
is_311 = import sys; sys.exit(sys.version_info[:2] != (3, 11))
PYTHON ?= $(shell for each in python3.11 python3 python; do \
	$$each -c '$(is_311)' 2>/dev/null && { command -v $$each; break; }; done)
STACK ?= local
SEED ?= 1
export STACK
# Else each process of a stack, and each process of the tests, would compile its sources again.
unexport PYTHONDONTWRITEBYTECODE

# Tests run in parallel. Tests that share a broker or a stack run in one process:
# tests/support/side_by_side.py.
WORKERS ?= auto
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 5 --dist loadscope
# Keeps the output of each parallel target together, if this make can do that.
WHOLE_OUTPUT = $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: install compiled demo test check lint bench chaos chaos-brokers chaos-sending chaos-delivery \
	chaos-accounts hostile upgrade rehearsal lock clean

install: compiled

compiled: $(INSTALLED)  ## compile the stages, if there is a C compiler
	@$(BIN)/python -m deploy.compile

$(INSTALLED): $(REQUIREMENTS)/dev.txt pyproject.toml deploy/install.py
	@test -n "$(PYTHON)" || { echo "twoway: needs Python 3.11: install python3.11 with its venv" \
		"module, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c '$(is_311)' || { echo "twoway: $(PYTHON) is not Python 3.11" >&2; exit 1; }
	@$(BIN)/python -c '$(is_311)' 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		echo "twoway: creating .venv with $$($(PYTHON) --version)"; \
		$(PYTHON) -m venv --clear .venv; }
	@$(BIN)/python deploy/install.py $(REQUIREMENTS)/dev.txt
	@touch $@

demo: $(INSTALLED)  ## start a stack, play a conversation through it, show the result
	@$(BIN)/twoway demo

test: compiled  ## run every test; STACK=docker: broker and ClickHouse in containers
	@$(PYTEST) $(TESTS)

check: $(INSTALLED)  ## everything that must pass before a commit
	@$(MAKE) --no-print-directory --jobs=2 $(WHOLE_OUTPUT) compiled lint
	@echo "== pytest" && $(PYTEST)

lint: $(INSTALLED)  ## the static part of the check
	@echo "== ruff check" && $(BIN)/ruff check .
	@echo "== ruff format" && $(BIN)/ruff format --check .
	@echo "== mypy" && $(BIN)/mypy
	@echo "== import-linter" && $(BIN)/lint-imports

bench: compiled  ## measure the figures of docs/measured.md on this machine
	@$(BIN)/python -m tests.bench

chaos: $(INSTALLED)  ## kill processes at random under load: make chaos SEED=7
	@$(BIN)/python -m tests.chaos --seed $(SEED)

chaos-brokers: $(INSTALLED)  ## the same with three brokers, which are lost: make chaos-brokers SEED=7
	@$(BIN)/python -m tests.chaos --brokers 3 --seed $(SEED)

chaos-sending: $(INSTALLED)  ## the same while commands are sent: make chaos-sending SEED=7
	@$(BIN)/python -m tests.chaos.sending --seed $(SEED)

chaos-delivery: $(INSTALLED)  ## the same while messages are handed on: make chaos-delivery SEED=7
	@$(BIN)/python -m tests.chaos.delivery --seed $(SEED)

chaos-accounts: $(INSTALLED)  ## the same while messages are held and paid: make chaos-accounts SEED=7
	@$(BIN)/python -m tests.chaos.accounts --seed $(SEED)

hostile: $(INSTALLED)  ## the long run of hostile input: make hostile SEED=7
	@$(BIN)/python -m tests.hostile --seed $(SEED)

OLD ?= main
upgrade: $(INSTALLED)  ## upgrade under load from a release of git, and go back: make upgrade OLD=main
	@$(BIN)/python -m tests.upgrade --old $(OLD)

rehearsal: $(INSTALLED)  ## back up a loaded installation, restore it elsewhere, compare the answers
	@$(BIN)/python -m tests.rehearsal

# uv resolves for every platform at once. It writes names, versions and hashes, but no addresses.
COMPILE = build/lock/bin/uv pip compile --quiet pyproject.toml --python-version 3.11 --universal \
	--generate-hashes --no-header --no-annotate
lock: $(INSTALLED)  ## pin the requirements of pyproject.toml and of the local broker again
	@test -x build/lock/bin/uv || { $(BIN)/python -m venv build/lock && \
		build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	$(COMPILE) --output-file $(REQUIREMENTS)/runtime.txt
	$(COMPILE) --extra local --extra otel --extra dev --output-file $(REQUIREMENTS)/dev.txt
	$(COMPILE) --extra image --constraint $(REQUIREMENTS)/dev.txt --output-file $(REQUIREMENTS)/image.txt
	cd deploy/examples/python && $(CURDIR)/build/lock/bin/uv pip compile --quiet requirements.in \
		--python-version 3.11 --universal --generate-hashes --no-header --no-annotate \
		--output-file requirements.txt
	-for each in deploy/examples/node tests/contract/npm; do \
		(cd $$each && npm install --package-lock-only --ignore-scripts --no-audit --no-fund) || exit; done
	$(BIN)/python -m pipeline.cli.local.jars

clean:  ## remove what was installed or built here; homes and their data stay
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
