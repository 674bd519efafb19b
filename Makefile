# One command to run it, one to test it. Everything else cargo says by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SECONDS_ARG := $(if $(filter command line environment,$(origin SECONDS)),--seconds $(SECONDS))
PROFILE_DIR := target/debug

.PHONY: help up demo test lint bench bench-api chaos fuzz-api clean prerequisites build

help: ## what can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

prerequisites:
	@scripts/prerequisites

build: prerequisites
	cargo build --locked --workspace --bins

up: build ## install what is missing, build, run the platform until Ctrl-C
	$(PROFILE_DIR)/argusiq up

demo: build ## the same with a sample organisation and 20 simulated devices (SECONDS=60 stops by itself)
	$(PROFILE_DIR)/argusiq up --demo $(SECONDS_ARG)

test: prerequisites ## every test, against real servers
	cargo build --locked --workspace --bins
	$(PROFILE_DIR)/argusiq-stack run -- cargo test --locked --workspace --no-fail-fast

lint: prerequisites ## formatting, clippy, and licences and fences where cargo-deny is installed
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny --locked check bans licenses sources; \
	else echo "cargo-deny is not installed: licences, bans and sources were not checked"; fi

bench: prerequisites ## rates, latencies, CPU per message; the table goes to docs/benchmarks.md
	cargo build --locked --release --workspace --bins
	target/release/argusiq-simulator bench

bench-api: prerequisites ## the API with 100,000 devices and 1,000,000 audit events; the table goes to docs/benchmarks.md
	cargo build --locked --release --workspace --bins
	target/release/argusiq-simulator bench-api

fuzz-api: prerequisites ## whatever the API's document allows and does not, for longer than `make test` (EXAMPLES=100)
	cargo build --locked --workspace --bins
	ARGUSIQ_FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(PROFILE_DIR)/argusiq-stack run -- \
		cargo test --locked --package argusiq --test e2e fuzzed_api

chaos: prerequisites ## kill, pause and restart everything under load (MINUTES=10), then compare
	cargo build --locked --workspace --bins
	$(PROFILE_DIR)/argusiq-simulator chaos --minutes $(or $(MINUTES),10)

clean: ## remove what was built and the local data
	cargo clean
	rm -rf .argusiq
