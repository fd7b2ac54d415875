# The two commands of the README, each from a fresh clone: make demo, make test.
BIN := .venv/bin

.PHONY: setup test lint demo clean

setup:
	@tools/setup.sh

demo: setup
	$(BIN)/trimix pipeline preset=demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -q

clean:
	rm -rf .venv .link runs datasets
