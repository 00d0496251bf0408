# Two commands matter: `make run` does the main job, `make test` proves it. Needs Python 3.11+, Node and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run install dev lint type test test-system soak bench record-days lock clean

run: $(VENV)/.run-installed
	@$(BIN)/ostiary serve

install: $(VENV)/.run-installed

dev: $(VENV)/.dev-installed

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

type: $(VENV)/.dev-installed
	$(BIN)/mypy

test: $(VENV)/.dev-installed tests/node_modules/.installed
	$(BIN)/pytest -n 2 --dist loadfile -m "not system and not soak" $(ARGS)

# A terminal and Prometheus' checker, from Debian; needs the right to install them where they are missing.
test-system: $(VENV)/.dev-installed tests/node_modules/.installed
	command -v tmux promtool >/dev/null || { apt-get update --quiet && apt-get install --quiet --yes tmux prometheus; }
	$(BIN)/pytest -m "system" --require-system $(ARGS)

soak: $(VENV)/.dev-installed tests/node_modules/.installed
	$(BIN)/pytest -m "soak" --timeout 0 $(ARGS)

bench: $(VENV)/.dev-installed tests/node_modules/.installed
	$(BIN)/python -m bench $(ARGS)

# Plays the scripts of the ordinary days with the real client; needs the right to mount (docs/ordinary-days.md).
record-days: $(VENV)/.dev-installed tests/node_modules/.installed
	$(BIN)/python -m tests.corpora.ordinary_days $(ARGS)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ostiary needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: $(BIN)/python requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.run-installed requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# Newer npm asks before it runs install scripts; the one that is needed (it puts the client's binary in place) runs by name.
tests/node_modules/.installed: tests/package-lock.json
	npm ci --prefix tests --ignore-scripts --no-audit --no-fund --loglevel=error
	node tests/node_modules/@anthropic-ai/claude-code/install.cjs
	@touch $@

# Refreshes the lock files from pyproject.toml; the only target that looks for newer versions.
lock: $(BIN)/python
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-header -o requirements/run.txt pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-header --extra dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-header -o requirements/build.txt requirements/build.in
	npm install --prefix tests --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean:
	rm -rf $(VENV) tests/node_modules .mypy_cache .ruff_cache .pytest_cache
