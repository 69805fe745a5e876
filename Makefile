# `make` alone lists what can be done.

CARGO ?= cargo
PYTHON ?= python3
VENVS := target/venv
WHEELS := target/wheels

.PHONY: help demo test check advisories bench floor chaos fuzz bless image venvs wheel has-rust has-python

help:
	@echo 'make demo    build, start the simulator, run the real sync end to end, show what came out'
	@echo 'make test    install what the tests need, run all of them'
	@echo 'make check   what CI runs: formatting, lints, all tests, the demo'
	@echo 'make wheel   the two commands as pip installs them, and the sources; builds a release'
	@echo 'make advisories  known vulnerabilities of dependencies, before a release'
	@echo 'make bench   CPU, time and memory beside the least that could do the work; builds a release'
	@echo 'make chaos   500 seeded runs with random faults, kills, grants and rotated keys; prints the seed of each failure'
	@echo 'make fuzz    ten minutes of each fuzz target; needs cargo-fuzz'
	@echo 'make image   the container image, by docker, podman or buildah; around the binary of the wheel if there is one'
	@echo 'make bless   rewrite what is generated: catalogs, manual page, completions, tables and pages of the docs, Meltano definitions'

# One line for each of them that is not there, before cargo or Python fail in many.
needs = $(if $(shell command -v $(1) 2>/dev/null),,$(error $(2)))

has-rust:
	@$(call needs,$(CARGO),$(CARGO) is missing: install Rust 1.89 or newer (https://rustup.rs))
	@$(call needs,$(CC),$(CC) is missing: install a C compiler (Debian: gcc and libc6-dev; macOS: xcode-select --install))

has-python:
	@$(call needs,$(PYTHON),$(PYTHON) is missing: install Python 3.10 or newer (Debian: python3 and python3-venv))

demo: has-rust
	$(CARGO) build --workspace --locked
	demo/run.sh

test: has-rust venvs wheel floor
	$(CARGO) test --workspace --locked

check: has-rust has-python
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; fi
	$(MAKE) test
	$(MAKE) demo

advisories: has-rust
	$(CARGO) deny check advisories

bench: has-rust wheel floor
	$(CARGO) run --locked --profile bench --package side_by_side

# With the release profile, as what is measured beside it.
floor: has-rust
	$(CARGO) build --locked --release --package floor

chaos: has-rust
	CHAOS_RUNS=500 $(CARGO) test --locked --test tests chaos:: -- --nocapture

# Without a sanitizer cargo-fuzz runs on stable Rust; there is no unsafe code of ours to watch.
fuzz: has-rust
	for target in page complaint crn state catalog config; do \
		$(CARGO) fuzz run -s none $$target -- -max_total_time=600 -timeout=10 -max_len=4096 || exit 1; \
	done

# The settings are compiled into the binary, which says what the rest is.
bless: has-rust $(patsubst %,$(VENVS)/%/.installed,duckdb jsonl lint pipelinewise postgres sqlite)
	BLESS=1 $(CARGO) test --locked --test tests -- golden::streams::the_settings
	BLESS=1 $(CARGO) test --locked --test tests -- golden:: queries:: target_page::

# The script says what the variables ENGINE, IMAGE, BASE and BINARY choose.
image:
	integrations/docker/build.sh

# One virtual environment for each runtime that the tests use, from its pinned requirements. A line
# `# pip: …` in these gives pip further options.
venvs: $(patsubst tests/python/%.txt,$(VENVS)/%/.installed,$(wildcard tests/python/*.txt))

$(VENVS)/%/.installed: tests/python/%.txt | has-python
	rm -rf $(VENVS)/$*
	$(PYTHON) -m venv $(VENVS)/$*
	$(VENVS)/$*/bin/pip install --quiet --disable-pip-version-check $$(sed -n 's/^# pip: //p' $<) -r $<
	touch $@

# Zig links for the old glibc that manylinux2014 promises. Elsewhere the wheel fits systems like this one.
MANYLINUX = $(if $(filter Linux-x86_64 Linux-aarch64,$(shell uname -s)-$(shell uname -m)),$\
	$(if $(shell getconf GNU_LIBC_VERSION 2>/dev/null),--zig --compatibility manylinux2014))

# Binaries name the source files of what may panic; nobody is to learn from them who built it, and where.
NAMELESS = --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(HOME)=~

wheel: has-rust $(WHEELS)/.built

$(WHEELS)/.built: $(VENVS)/wheel/.installed pyproject.toml Cargo.toml Cargo.lock README.md $(wildcard LICENSE-*) \
		$(shell find src schemas -type f)
	rm -rf $(WHEELS)
	PATH="$(abspath $(VENVS)/wheel/bin):$$PATH" RUSTFLAGS="$(NAMELESS) $$RUSTFLAGS" && export PATH RUSTFLAGS && \
		maturin build --release --locked $(MANYLINUX) --out $(WHEELS) && \
		maturin sdist --out $(WHEELS)
	$(PYTHON) -m zipfile -e $(WHEELS)/*.whl $(WHEELS)/unpacked
	install -m 755 $(WHEELS)/unpacked/*/scripts/tap-confluent-cloud $(WHEELS)
	touch $@
