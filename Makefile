# phasegrid: `make demo` trains a real grid and draws its phase diagrams, `make test` tests it.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup tools build demo test lint bench bench-analyze bench-memory bench-scaling clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' Makefile | sed 's/:.*## /\t/' | expand -t 15

tools:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs (1.90 or newer)" >&2; exit 1; }
	@command -v cc >/dev/null && command -v c++ >/dev/null || { echo "a C and C++ compiler is missing: install one (Debian, Ubuntu: apt install gcc g++)" >&2; exit 1; }

setup: tools     ## install libtorch into .libtorch (CUDA=1: with CUDA)
	@deploy/libtorch.sh

build: setup     ## build the two programs, optimised
	cargo build --locked --release -p phasegrid-cli -p phasegrid-trainer

demo: build      ## train about 1,000 small networks and draw their phase diagrams into demo/
	target/release/phasegrid run sweeps/demo.toml --out demo

test: setup      ## all tests
	cargo build --locked -p phasegrid-cli -p phasegrid-trainer
	@if cargo nextest --version >/dev/null 2>&1; then \
	  cargo nextest run --locked --workspace; \
	else \
	  cargo test --locked --workspace --lib --bins --tests; \
	fi
	cargo test --locked --workspace --doc --quiet

lint: setup      ## formatting and clippy
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	python3 -m compileall -q tests/bench/*.py

bench: build     ## time phasegrid and its peers, write docs/benchmarks.md (QUICK=1: try it out)
	tests/bench/setup.sh
	QUICK=$(QUICK) ROUNDS=$(ROUNDS) .bench/venv/bin/python tests/bench/run.py

bench-analyze: build ## time the analyzer on 10^6 trials beside pandas, Polars and DuckDB
	cargo build --locked --release -p phasegrid-cli -p phasegrid-trainer -p phasegrid-analyze --example million
	PYTHONPATH="$$(tests/interop/setup.sh .bench-analyze)" \
	  python3 tests/bench_analyze/bench.py --write docs/benchmarks-analyzer.md

bench-memory: build ## a trainer's memory over 1,000 units of mixed shapes
	PHASEGRID_MEMORY_UNITS=1000 cargo test --locked --release -p phasegrid-tests --test memory -- --nocapture

bench-scaling: build ## time against 10^2 to 10^5 trials, and what orchestration costs each
	python3 tests/bench_scaling.py --write docs/benchmarks-scaling.md

clean:           ## remove what was built, not libtorch
	cargo clean
