# Each target makes its own virtual environment; all they need is python3.11 and make.
PYTHON ?= python3.11
DEV := .venv/ready
LIGHT := .venv-demo/ready

.PHONY: help demo test lint docs benchmark clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(LIGHT) ## bring a 16x16 portrait back to 64x64: writes srez-demo.png (no TensorFlow)
	.venv-demo/bin/srez demo

test: $(DEV) ## run the fast tests
	.venv/bin/pytest

lint: $(DEV) ## check style, types and formatting
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright --pythonpath .venv/bin/python

docs: $(DEV) ## write the command-line reference anew
	.venv/bin/python -m typer srez.cli utils docs --name srez --title "The srez command" --output docs/cli.md

benchmark: $(DEV) ## time faces against srez's generator
	.venv/bin/python benchmarks/faces_speed.py

clean: ## remove the virtual environments
	rm -rf .venv .venv-demo

$(DEV): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

$(LIGHT): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install --quiet -c constraints.txt -e .
	touch $@
