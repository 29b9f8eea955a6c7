# `make demo` shows what Moa does; `make test` proves it. Both set up what they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

LANG_OF_DEMO ?= en
DEMO_OUT ?= target/demo

# One debugging profile for everything but the phone's library. Cargo decides what is stale.
CARGO := cargo
KOTLIN := mvn --batch-mode --quiet --file bindings/kotlin/pom.xml

.PHONY: help
help: ## what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: need-rust ## the story of an alley on the terminal (LANG_OF_DEMO=ko for Korean)
	@$(CARGO) build --quiet --locked --package moa-world --bin world
	@target/debug/world demo --lang $(LANG_OF_DEMO) --out $(DEMO_OUT)

.PHONY: serve
serve: need-rust ## the backend on http://127.0.0.1:8080, with its data in ./moa-data
	@$(CARGO) run --quiet --locked --package moa-server --bin moa -- serve

.PHONY: test
test: lint test-rust test-kotlin ## every test

.PHONY: lint
lint: need-rust ## formatting and lints; a warning fails
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --locked --workspace --all-targets -- --deny warnings

.PHONY: test-rust
test-rust: need-rust need-zbar ## rules, wire, words, phone, ledger, server, world
	$(CARGO) test --quiet --locked --workspace

.PHONY: test-kotlin
test-kotlin: need-rust need-kotlin ## the bindings from Kotlin, against the real server
	$(CARGO) build --quiet --locked --workspace
	$(KOTLIN) verify

.PHONY: deny
deny: ## licences, sources and banned crates of everything that comes in
	@command -v cargo-deny >/dev/null || $(CARGO) install --quiet --locked cargo-deny
	cargo deny check bans licenses sources

# Relocations packed, same code kept once, no unwinding tables for C: a third off what a phone downloads.
.PHONY: library
library: need-rust ## the phone's library as it is shipped: small, stripped
	CFLAGS="-fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections" \
	$(CARGO) rustc --locked --profile phone --package moa-bindings --crate-type cdylib -- \
	    -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-O2
	@ls -l target/phone/libmoa.so

.PHONY: need-rust need-zbar need-kotlin
need-rust:
	@command -v $(CARGO) >/dev/null || { echo "Moa needs Rust (see rust-toolchain.toml): https://rustup.rs" >&2; exit 1; }
	@scripts/need.sh cc:gcc
need-zbar:
	@scripts/need.sh zbarimg:zbar-tools
need-kotlin:
	@scripts/need.sh javac:openjdk-17-jdk-headless mvn:maven
