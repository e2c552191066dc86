# One door for people and for CI. `make` alone lists the targets.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: help install run test lint check chaos bench bench-list docs lock clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The stamp is older than the lock when dependencies changed: then, and only then, install again.
$(BIN)/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

install: $(BIN)/.installed ## make .venv and install the locked packages

run: install ## the whole thing on loopback, with a real Traefik (ARGS=--once: prove it and exit)
	$(BIN)/routebook demo $(ARGS)

test: install ## every test, the ones on the real Traefik included (ARGS=... goes to pytest)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: install ## format, lint, types, import contracts, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate -q provider registry

check: lint test ## everything that must hold before a commit

chaos: install ## the whole chaos and fuzz suites: hundreds of kills, takes many minutes
	CHAOS=whole $(BIN)/python -m pytest --timeout 3600 tests/chaos tests/fuzz $(ARGS)

bench: install ## every benchmark, beside its floor (ARGS=--quick: in five minutes; ARGS="--json FILE")
	$(BIN)/python benchmarks/suite.py $(ARGS)

bench-list: install ## what is measured, and the floor of each
	$(BIN)/python benchmarks/suite.py --list

docs: install ## write docs/cli.md anew, from the program
	COLUMNS=200 $(BIN)/python scripts/cli_page.py > docs/cli.md

lock: install ## write requirements.lock again: hashes, no URLs
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra demo --extra fast --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
	  -o requirements.lock

clean: ## remove what was built
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
