# Every target makes what it needs in .venv, from python3 >= 3.11, gcc, make and git alone; the second call needs no network.
VENV := .venv
BIN := $(VENV)/bin
MADE_FROM := pyproject.toml tools/venv.sh tools/hatch_build.py tools/fast.py tools/bpf.sh $(wildcard src/tulpen/kernel/bpf/*.bpf.c)

.PHONY: help run test fuzz lint format bench bpf fast test-fast docs clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

$(VENV)/.base: $(MADE_FROM)
	@tools/venv.sh $(VENV) .
	@touch $@

$(VENV)/.dev: $(MADE_FROM)
	@tools/venv.sh $(VENV) ".[dev]"
	@touch $@ $(VENV)/.base

$(VENV)/.bench: $(MADE_FROM)
	@tools/venv.sh $(VENV) ".[bench]"
	@touch $@ $(VENV)/.base

$(VENV)/.docs: $(MADE_FROM)
	@tools/venv.sh $(VENV) ".[docs]"
	@touch $@ $(VENV)/.base

run: $(VENV)/.base  ## show a real client under two dozen TCP failures (ARGS='...' for more)
	@$(BIN)/tulpen break $(ARGS) || [ $$? -eq 1 ] # 1: it found something, as it should

test: $(VENV)/.dev  ## run the tests (ARGS='-k name' for some)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup $(ARGS)

build/fast/.made: $(VENV)/.dev tools/fast.py $(shell find src -name '*.py')
	$(BIN)/python tools/fast.py --optimize $${OPTIMIZE:-3} build/fast
	@touch $@

fast: build/fast/.made  ## compile the engine and the reader of captures with mypyc, into build/fast (OPTIMIZE=0 for a quick build of slower code)
	@echo "PYTHONPATH=build/fast $(BIN)/tulpen ..., or $(BIN)/python -m benchmarks"

test-fast: build/fast/.made  ## the tests of the engine and of captures on what is compiled
	PYTHONPATH=build/fast TULPEN_FAST=1 $(BIN)/python -m pytest tests/test_build.py tests/wire tests/tcp tests/host $(wildcard tests/rfc*) tests/properties tests/capture -n auto --maxprocesses 4 --dist loadgroup $(ARGS)

fuzz: $(VENV)/.dev  ## the tests that draw their examples, with new ones
	TULPEN_HYPOTHESIS=fuzz $(BIN)/python -m pytest tests/wire tests/tcp tests/host tests/link tests/show tests/drill tests/kernel tests/doctor/test_anything.py tests/properties $(ARGS)

lint: $(VENV)/.dev  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev  ## put the style right where that can be done by a tool
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.bench  ## measure beside every peer that is installed (ARGS='--quick', ARGS='bulk', ARGS='--help')
	$(BIN)/python -m benchmarks $(ARGS)

bpf:  ## build the programs for the kernel (needs clang; installing tulpen does it too)
	@tools/bpf.sh

# How the tests of the conformance page ended; those that fail (1) are shown there.
docs/_generated/tests.xml: $(VENV)/.dev $(shell find src tests -name '*.py')
	@mkdir -p $(@D)
	@$(BIN)/python -m pytest -q -p no:cacheprovider --junitxml=$@ $$($(BIN)/python -m tests.conformance) || [ $$? -eq 1 ]

docs: $(VENV)/.docs docs/_generated/tests.xml  ## build the documentation in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -n -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:  ## remove everything that was made
	rm -rf $(VENV) build dist src/tulpen/kernel/bpf/*.bpf.o docs/_build docs/_generated .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
