# `make` alone lists what can be done.

CARGO ?= cargo
PYTHON ?= python3
VENVS := target/venv

.PHONY: help demo test check advisories bench chaos fuzz bless image venvs

help:
	@echo 'make demo    build, start the simulator, run the real sync end to end, show what came out'
	@echo 'make test    install what the tests need, run all of them'
	@echo 'make check   what CI runs: formatting, lints, all tests, the demo'
	@echo 'make advisories  known vulnerabilities of dependencies, before a release'
	@echo 'make bench   CPU, time and memory beside the least that could do the work; builds a release'
	@echo 'make chaos   500 seeded runs with random faults, kills, grants and rotated keys; prints the seed of each failure'
	@echo 'make fuzz    ten minutes of each fuzz target; needs cargo-fuzz'
	@echo 'make image   the container image, by docker, podman or buildah; around the binary of the wheel if there is one'
	@echo 'make bless   rewrite what is generated: catalogs, manual page, completions, tables and pages of the docs, Meltano definitions'

demo:
	$(CARGO) build --workspace --locked
	demo/run.sh

test: venvs
	$(CARGO) test --workspace --locked

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check bans licenses sources; fi
	$(MAKE) test
	$(MAKE) demo

advisories:
	$(CARGO) deny check advisories

bench:
	$(CARGO) bench --locked --bench side_by_side

chaos:
	CHAOS_RUNS=500 $(CARGO) test --locked --test tests chaos:: -- --nocapture

# Without a sanitizer cargo-fuzz runs on stable Rust; there is no unsafe code of ours to watch.
fuzz:
	for target in page complaint crn state catalog config; do \
		$(CARGO) fuzz run -s none $$target -- -max_total_time=600 -timeout=10 -max_len=4096 || exit 1; \
	done

bless:
	$(MAKE) $(patsubst %,$(VENVS)/%/.installed,duckdb jsonl lint pipelinewise postgres sqlite)
	BLESS=1 $(CARGO) test --locked --test tests -- golden:: queries:: target_page::

# The script says what the variables ENGINE, IMAGE, BASE and BINARY choose.
image:
	integrations/docker/build.sh

# One virtual environment for each runtime that the tests use, from its pinned requirements. A line
# `# pip: …` in these gives pip further options.
venvs: $(patsubst tests/python/%.txt,$(VENVS)/%/.installed,$(wildcard tests/python/*.txt))

$(VENVS)/%/.installed: tests/python/%.txt
	rm -rf $(VENVS)/$*
	$(PYTHON) -m venv $(VENVS)/$*
	$(VENVS)/$*/bin/pip install --quiet --disable-pip-version-check $$(sed -n 's/^# pip: //p' $<) -r $<
	touch $@
