# Everything runs in .venv, which the first target that needs it makes. `make` prints the targets.
.DEFAULT_GOAL := help
.SILENT:
.PHONY: help demo serve doctor test check lint format install clean-data

PORT ?= 8000
WORKERS ?= 2
LLM ?=
export DOCS ?=
BIN := .venv/bin

# The first Python that is new enough and complete; PYTHON=… names another.
FIND_PYTHON = for python in "$(PYTHON)" python3.11 python3.12 python3.13 python3 python; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then echo "docintel: needs Python 3.11 or newer; \
	install it, or name it: make $@ PYTHON=/path/to/python3" >&2; exit 1; fi

help:  ## print the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## install, load the sample corpus and serve it; DOCS=folder PORT=8000 LLM=local
	$(FIND_PYTHON); "$$python" -m docintel.installing --llm "$(LLM)" && \
	  exec $(BIN)/python manage.py demo --port "$(PORT)" --workers "$(WORKERS)" \
	    --llm "$(LLM)" --docs "$$DOCS"

serve:  ## serve what is there: pages, worker and inference; PORT=8000 WORKERS=2 LLM=local
	$(FIND_PYTHON); "$$python" -m docintel.installing --llm "$(LLM)" && \
	  exec $(BIN)/python manage.py serve --port "$(PORT)" --workers "$(WORKERS)" --llm "$(LLM)"

doctor:  ## say what is right with this installation, and what to do about the rest
	$(FIND_PYTHON); "$$python" -m docintel.installing && exec $(BIN)/python manage.py doctor

test: lint  ## everything that CI runs: lint, types, import contracts, all tests
	$(BIN)/pytest -q -n auto --maxprocesses 4

check: test  ## the same

lint: install  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install:
	$(FIND_PYTHON); "$$python" -m docintel.installing --dev

clean-data:  ## remove the database, files and logs under var/, to start over
	$(FIND_PYTHON); "$$python" -m docintel.installing && \
	  exec $(BIN)/python manage.py clean_data
