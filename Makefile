# The two commands of the README, each from a fresh clone: make demo, make test.
BIN := .venv/bin

.PHONY: setup test lint demo bench docs clean

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
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -q

# Hours; `trimix bench NAME` runs one. On an idle machine, from a commit.
bench: setup
	$(BIN)/trimix bench all

# The tables of docs/results from what the benchmarks left in bench.jsonl.
docs: setup
	$(BIN)/trimix bench render=true

clean:
	rm -rf .venv .link runs datasets
