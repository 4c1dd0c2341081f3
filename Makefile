# Everything installs into .venv of this checkout; nothing needs root, Docker or a Java of your own.
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: install demo test check bench chaos lock clean

install: $(INSTALLED)

$(INSTALLED): deploy/requirements/dev.txt pyproject.toml
	@echo "twoway: creating .venv with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "twoway: installing the pinned packages, about 700 MB on disk; one to three minutes the first time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
