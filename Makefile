# The two most important commands are `make run` and `make test`. They install what they need.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/tools/bin
PORT ?= 8000
export PORT

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-bench setup-tools browser run smoke chaos test test-fast api-check lint format messages bench docs lock sbom audit clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "iqs: $(PYTHON) is not installed; install Python 3.11, or set PYTHON=… to another interpreter"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(TOOLS)/python: | $(BIN)/python
	@$(BIN)/python -m venv $(VENV)/tools

# dependencies/install.py lets pip take only files whose SHA-256 is in the lock file. `make run` serves pages as soon as
# the packages of the web pages are there, and installs those of the models meanwhile. All other commands need both.
$(VENV)/.web: requirements-web.lock dependencies/install.py | $(BIN)/python
	@echo "iqs: installing what the web pages need into $(VENV); this takes about half a minute …"
	@$(BIN)/python dependencies/install.py --no-compile requirements-web.lock
	@touch $@

$(VENV)/.runtime: requirements.lock requirements-cpu.lock requirements-cuda.lock $(VENV)/.web
	@echo "iqs: installing what the models need into $(VENV); this takes about a minute …"
	@$(BIN)/python dependencies/install.py requirements.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.runtime
	@$(BIN)/python dependencies/install.py requirements-bench.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.bench
	@$(BIN)/python dependencies/install.py requirements-dev.lock
	@touch $@

$(VENV)/.tools: requirements-tools.lock dependencies/install.py | $(TOOLS)/python
	@$(TOOLS)/python dependencies/install.py requirements-tools.lock
	@touch $@

setup: $(VENV)/.runtime ## Create .venv with the requirements of the app
setup-dev: $(VENV)/.dev
setup-bench: $(VENV)/.bench
setup-tools: $(VENV)/.tools

run: $(VENV)/.web ## Start IQS with its demo campaign at http://127.0.0.1:8000 (PORT=…)
	@$(BIN)/python manage.py quickstart --port $(PORT)

smoke: setup-dev ## Test the whole cycle in a temporary instance (PHOTOS=dir LABELS=csv)
	@$(BIN)/python manage.py smoke $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(LABELS),--labels $(LABELS))

chaos: setup-dev ## Test that no answer is lost: 50 annotators at once, then 50 killed servers (SEED=…)
	@$(BIN)/python -m tests.services.chaos $(if $(SEED),--seed $(SEED))

browser: setup-dev
	@$(BIN)/python -m tests.browser.chromium

test: setup-dev setup-tools browser ## Run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: setup-dev ## Run the tests that are fast and need no browser and no servers
	$(BIN)/python -m pytest -m "not slow and not browser and not services"

api-check: setup-dev ## Send thousands of odd requests to the API, made from its OpenAPI schema
	$(BIN)/python -m pytest tests/iqs_site/test_api_schema.py --hypothesis-profile=api-check

lint: setup-dev ## Check format, lint, types, imports and migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose
	$(BIN)/python manage.py makemigrations --check --dry-run

format: setup-dev ## Format the code and fix lint errors
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: setup-dev ## Bring the translations of the pages up to date, and compile them
	@$(BIN)/python -m translation

bench: setup-bench ## Run the benchmarks and update the tables of the README and docs (NAME=scoring DATA=dir TEST=dir TABLES=yes)
	@$(BIN)/python -m benchmarks $(NAME) $(if $(DATA),--data $(DATA)) $(if $(TEST),--test $(TEST)) $(if $(NAME),$(if $(TABLES),--tables),--tables)

docs: setup-dev ## Build the documentation in site/
	$(BIN)/mkdocs build --strict --quiet

lock: setup-tools ## Write the lock files after a change of requirements*.txt (UPGRADE=all, UPGRADE=name)
	@$(TOOLS)/python -m dependencies.lock $(UPGRADE)

sbom: setup setup-tools ## Write iqs.cdx.json, the list of the installed packages (CycloneDX)
	@$(TOOLS)/python -m dependencies.sbom $(BIN)/python iqs.cdx.json

audit: setup-tools ## Look for known vulnerabilities of the packages in the lock files (SERVICE=osv)
	@$(TOOLS)/python -m dependencies.audit $(SERVICE)

clean: ## Delete build and cache files; the data in var/ is kept
	rm -rf iqs.cdx.json site .mypy_cache .ruff_cache .pytest_cache .hypothesis
