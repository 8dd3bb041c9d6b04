# phasegrid: `make demo` trains a real grid and draws its phase diagrams, `make test` tests it.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup tools build demo test lint bench clean

help:            ## this list
	@grep -E '^[a-z]+: .*##' Makefile | sed 's/:.*## /\t/' | expand -t 10

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

clean:           ## remove what was built, not libtorch
	cargo clean
