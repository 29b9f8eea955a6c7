# `make demo` shows what Moa does; `make test` proves it. Both set up what they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

LANG_OF_DEMO ?= en
DEMO_OUT ?= target/demo
FUZZ_SECONDS ?= 60
SOAK_SEEDS ?= 2000
SOAK_TOWNS ?= 20
BENCH_ACCRUALS ?= 6400

# The server's tests that `make test` runs on PostgreSQL too: the main job, people, what phones read, time.
ON_BOTH := --test main_job --test number --test sessions --test reads --test test_clock

# What `make replay` replays (a made-up town, unless told otherwise), and how: `REPLAY="--limit 5000 --seed 2"`.
DATA ?= tests/world/town
REPLAY ?=

# In CI nothing is built twice and nobody debugs: a third of the disk, and quicker to link.
ifdef CI
export CARGO_INCREMENTAL := 0
export CARGO_PROFILE_DEV_DEBUG := false
endif

# One debugging profile for everything but the phone's library. Cargo decides what is stale.
CARGO := cargo
KOTLIN := mvn --batch-mode --quiet --file bindings/kotlin/pom.xml
SCREENS := mvn --batch-mode --quiet --file pom.xml --also-make -Dcore.skipTests=true

# What `make desktop` opens: its data, the server it speaks to, its language.
DESKTOP_DATA ?= target/desktop
DESKTOP_SERVER ?= http://127.0.0.1:8080
DESKTOP_LANG ?= ko

.PHONY: help
help: ## what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: need-rust ## the story of an alley on the terminal (LANG_OF_DEMO=ko for Korean)
	@$(CARGO) build --quiet --locked --package moa-world --package moa-server --bin world --bin moa
	@target/debug/world demo --lang $(LANG_OF_DEMO) --out $(DEMO_OUT)

.PHONY: serve
serve: need-rust ## the backend on http://127.0.0.1:8080, with its data in ./moa-data
	@$(CARGO) run --quiet --locked --package moa-server --bin moa -- serve

.PHONY: replay
replay: need-rust ## a year of visits through real phones and a real server; DATA: a folder with venues.csv and visits.csv
	$(CARGO) build --quiet --locked --release --package moa-world --bin world
	target/release/world replay --venues $(DATA)/venues.csv --visits $(DATA)/visits.csv --json $(REPLAY)

.PHONY: test
test: lint test-rust test-kotlin ## every test

.PHONY: lint
lint: need-rust ## formatting and lints; a warning fails
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --locked --workspace --all-targets -- --deny warnings

.PHONY: test-rust
test-rust: need-rust need-zbar need-posters need-browser need-axe need-mail need-node need-postgres ## rules, wire, words, phone, ledger, server, world, turmoil, power cuts, decoders
	$(CARGO) test --quiet --locked --workspace
	MOA_TESTS_ON=postgres $(CARGO) test --quiet --locked --workspace $(ON_BOTH)

.PHONY: test-postgres
test-postgres: need-rust need-postgres need-zbar need-posters ## every test of the server over HTTP, on PostgreSQL
	MOA_TESTS_ON=postgres $(CARGO) test --quiet --locked --package moa-server

.PHONY: test-kotlin
test-kotlin: need-rust need-kotlin ## the bindings from Kotlin, against the real server
	$(CARGO) build --quiet --locked --workspace --all-targets  # with the tests' features: what test-rust built serves
	$(KOTLIN) verify

.PHONY: test-swift
test-swift: need-rust ## the bindings from Swift, against the real server; installs Swift on Debian (root, 2.6 GB)
	$(CARGO) build --quiet --locked --package moa-bindings --package moa-bindgen --package moa-panicking --package moa-server --package moa-world
	@scripts/test-swift.sh

.PHONY: test-api
test-api: need-rust need-python ## the running server against its own API document (schemathesis), a minute
	$(CARGO) build --quiet --locked --package moa-server --bin moa
	@tests/api/run.sh

.PHONY: fuzz
fuzz: need-rust need-nightly ## every way in for bytes of strangers under libFuzzer, FUZZ_SECONDS (60) each
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --quiet --locked cargo-fuzz
	@cargo +nightly fuzz build --fuzz-dir fuzz --sanitizer none  # ours forbids `unsafe`: nothing there for it to find, and it halves the speed
	@for target in $$(cargo +nightly fuzz list --fuzz-dir fuzz); do \
		mkdir -p fuzz/corpus.grown/$$target; \
		cargo +nightly fuzz run --fuzz-dir fuzz --sanitizer none $$target fuzz/corpus.grown/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=30 -print_final_stats=1; \
	done

.PHONY: soak soak-kills soak-kills-postgres soak-power soak-api soak-simulation soak-town soak-turmoil soak-growth
soak: soak-kills soak-kills-postgres soak-power soak-api soak-simulation soak-town soak-turmoil soak-growth fuzz ## what takes long: kills, power cuts, API, simulation, turmoil, growth, fuzzing
soak-kills: need-rust ## 300 kills under a mixed load
	$(CARGO) build --quiet --locked --package moa-server --bin moa
	MOA_KILLS=300 $(CARGO) test --quiet --locked --package moa-world --test killed -- --nocapture --skip postgres
soak-kills-postgres: need-rust need-postgres ## 100 kills of the server and of its PostgreSQL
	$(CARGO) build --quiet --locked --package moa-server --bin moa
	MOA_KILLS=100 $(CARGO) test --quiet --locked --package moa-world --test killed -- --nocapture postgres
soak-power: need-rust ## 100 power cuts under load
	MOA_POWER_CUTS=100 $(CARGO) test --quiet --locked --package moa-durability --test power -- --nocapture
soak-api: need-rust need-python ## the API document, ten minutes
	$(CARGO) build --quiet --locked --package moa-server --bin moa
	@tests/api/run.sh 1000 300
soak-simulation: need-rust ## many seeds of the simulation
	$(CARGO) run --quiet --locked --release --package moa-simulation -- --seeds $(SOAK_SEEDS)
soak-town: need-rust ## the big town: 3 groups, 12 shops, 200 phones, 30 days (SOAK_TOWNS seeds)
	$(CARGO) run --quiet --locked --release --package moa-simulation -- --seeds $(SOAK_TOWNS) --phones 200 --shops 12 --groups 3 --days 30
soak-turmoil: need-rust ## 200 seeds of the HTTP stack on a network that fails
	MOA_SEEDS=200 $(CARGO) test --quiet --locked --package moa-turmoil -- --nocapture

soak-growth: need-rust ## the same load on 0, 1 and 5 million lots, and a million lots that expire at once (release build)
	$(CARGO) build --quiet --locked --release --package moa-world --package moa-server --bin world --bin moa
	target/release/world bench --only growth --accruals $(BENCH_ACCRUALS)
	target/release/world bench --only sweep --expiring 1000000

.PHONY: test-screens
test-screens: need-rust need-kotlin need-zbar need-fonts ## the screens, against the real core and server
	$(CARGO) build --quiet --locked --package moa-bindings --package moa-bindgen --package moa-panicking --package moa-server --package moa-world
	$(SCREENS) --projects android/ui,android/desktop verify

.PHONY: test-android
test-android: need-rust need-kotlin need-aapt ## the app for Android: links, pickers, sharing, key store, on a JVM that stands in for a phone
	$(CARGO) build --quiet --locked --package moa-bindings --package moa-bindgen --package moa-panicking --package moa-server --package moa-world
	$(SCREENS) --projects android/app verify

.PHONY: desktop
desktop: need-rust need-kotlin need-fonts ## the screens in a window (after `make serve` elsewhere)
	$(CARGO) build --quiet --locked --package moa-bindings --package moa-bindgen --package moa-panicking
	$(SCREENS) --projects android/desktop -DskipTests package
	@mkdir -p $(DESKTOP_DATA)
	@java -Djna.library.path=target/debug -cp 'android/desktop/target/jvm/program/*' \
	    moa.desktop.MainKt $(DESKTOP_DATA) $(DESKTOP_SERVER) $(DESKTOP_LANG)

.PHONY: deny
deny: ## licences, sources and banned crates of everything that comes in
	@command -v cargo-deny >/dev/null || $(CARGO) install --quiet --locked cargo-deny
	cargo deny check bans licenses sources

.PHONY: bench
bench: need-rust need-postgres ## every figure of docs/measurements.md on this machine (release build; BENCH_ACCRUALS)
	$(CARGO) build --quiet --locked --release --package moa-world --package moa-server --bin world --bin moa
	@target/release/world bench --accruals $(BENCH_ACCRUALS)
	@$(MAKE) --no-print-directory library

# Relocations packed, same code kept once, no unwinding tables for C: a third off what a phone downloads.
.PHONY: library
library: need-rust ## the phone's library as it is shipped: small, stripped
	CFLAGS="-fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections" \
	$(CARGO) rustc --locked --profile phone --package moa-bindings --crate-type cdylib -- \
	    -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-O2
	@ls -l target/phone/libmoa.so

.PHONY: need-rust need-axe need-browser need-mail need-zbar need-posters need-kotlin need-aapt need-fonts need-python need-nightly need-postgres
need-rust:
	@command -v $(CARGO) >/dev/null || { echo "Moa needs Rust (see rust-toolchain.toml): https://rustup.rs" >&2; exit 1; }
	@scripts/need.sh cc:gcc
need-zbar:
	@scripts/need.sh zbarimg:zbar-tools
need-posters:
	@scripts/need.sh pdftotext:poppler-utils /usr/share/fonts/truetype/nanum/NanumGothic.ttf:fonts-nanum
need-kotlin:
	@scripts/need.sh javac:openjdk-17-jdk-headless mvn:maven
need-aapt:
	@scripts/need.sh aapt2:aapt unzip:unzip zip:zip
need-node:
	@scripts/need.sh node:nodejs openssl:openssl
need-postgres:
	@scripts/need-postgres.sh
need-browser:
	@scripts/need.sh chromium:chromium
need-axe:
	@scripts/need.sh npm:npm
	@[ -f target/axe/node_modules/axe-core/axe.min.js ] || npm install --silent --no-fund --no-audit --no-save --ignore-scripts --prefix target/axe axe-core@4.14.1
need-mail:
	@scripts/need.sh /usr/bin/python3:python3 /usr/lib/python3/dist-packages/aiosmtpd/smtp.py:python3-aiosmtpd
need-python:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || scripts/need.sh python3-venv:python3-venv
need-nightly: need-rust
	@rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
need-fonts:
	@scripts/need.sh /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fonts-noto-cjk
