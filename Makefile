# One command to run the platform, one to test it. For everything else, use cargo directly.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SECONDS_ARG := $(if $(filter command line environment,$(origin SECONDS)),--seconds $(SECONDS))
PROFILE_DIR := target/debug

.PHONY: help up demo test test-long lint bench bench-api chaos fuzz-api clean prerequisites build

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

prerequisites:
	@scripts/prerequisites

build: prerequisites
	cargo build --locked --workspace --bins

up: build ## install missing dependencies, build, run the platform until Ctrl-C
	$(PROFILE_DIR)/argusiq up

demo: build ## like up, with a sample organisation and 20 simulated devices (SECONDS=60 stops after 60 s)
	$(PROFILE_DIR)/argusiq up --demo $(SECONDS_ARG)

test: prerequisites ## run every test against real servers
	cargo build --locked --workspace --bins
	$(PROFILE_DIR)/argusiq-stack run -- cargo test --locked --workspace --no-fail-fast

test-long: prerequisites ## compare the platform with the reference platform over many random histories (CASES=400)
	ARGUSIQ_REFERENCE_CASES=$(or $(CASES),400) \
		cargo test --locked --package argusiq --test e2e reference_platform -- --nocapture

lint: prerequisites ## formatting, clippy, rustdoc; licences, bans and advisories if cargo-deny is installed
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items --quiet
	@scripts/check-dependencies

bench: prerequisites ## measure rates, latencies and CPU per message; writes the table to docs/benchmarks.md
	cargo build --locked --release --workspace --bins
	target/release/argusiq-simulator bench

bench-api: prerequisites ## measure the API with 100,000 devices and 1,000,000 audit events; writes the table to docs/benchmarks.md
	cargo build --locked --release --workspace --bins
	target/release/argusiq-simulator bench-api

fuzz-api: prerequisites ## fuzz the API with valid and invalid requests, for longer than `make test` (EXAMPLES=100)
	cargo build --locked --workspace --bins
	ARGUSIQ_FUZZ_EXAMPLES=$(or $(EXAMPLES),100) $(PROFILE_DIR)/argusiq-stack run -- \
		cargo test --locked --package argusiq --test e2e fuzzed_api

chaos: prerequisites ## kill, pause and restart everything under load (MINUTES=10), then compare what was acknowledged with what is stored
	cargo build --locked --workspace --bins
	$(PROFILE_DIR)/argusiq-simulator chaos --minutes $(or $(MINUTES),10)

clean: ## remove the build output and the local data
	cargo clean
	rm -rf .argusiq
