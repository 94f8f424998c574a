# Serval's commands. Each works on a fresh machine that has the Rust toolchain: what the system lacks
# is installed first (see `system`).

CARGO ?= cargo
BENCH_PCAP ?= bench.pcap
# Modules that the macros of protocols and detectors declare, which `cargo fmt` does not follow.
LISTED := $(wildcard analyzers/src/protocols/*/mod.rs analyzers/src/services/mod.rs \
	analyzers/src/detectors/*.rs analyzers/src/detectors/*/mod.rs)
PREFIX ?= /usr/local
FUZZ_TARGET ?= path
FUZZ_SECONDS ?= 3600

.PHONY: demo test check bench fuzz record system pages install install-hunt deb

## demo: replay the recorded captures and print the summary
demo: system
	$(CARGO) run --quiet --package sensor --bin serval -- replay pcaps

## test: everything that must hold
test: system
	$(CARGO) build --quiet --package sensor --bin serval
	$(CARGO) test --workspace --quiet

## check: formatting, lints, then the tests
check: system
	$(CARGO) fmt --check
	rustfmt --edition 2024 --check $(LISTED)
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) check --quiet --manifest-path fuzz/Cargo.toml --target-dir target
	$(MAKE) test

## bench: time a replay beside the floor and, where installed, Suricata (BENCH_PCAP=file)
bench: system
	$(CARGO) build --profile dist --bin serval
	tools/bench/compare target/dist/serval $(BENCH_PCAP)

## fuzz: look for inputs that break decoding, flows or analyzers (FUZZ_TARGET, FUZZ_SECONDS)
fuzz:
	@tools/install-system-packages fuzz
	command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	$(CARGO) run --manifest-path fuzz/Cargo.toml --target-dir target --example seeds -- pcaps fuzz/corpus
	cd fuzz && $(CARGO) fuzz run -s none $(FUZZ_TARGET) -- -dict=words.dict -max_len=16384 -timeout=5 \
		-rss_limit_mb=2048 -max_total_time=$(FUZZ_SECONDS)

## record: record the captures in pcaps/ anew (root; see tools/record/README.md)
record:
	tools/record/record all

## pages: man pages and completions, into target/pages
pages: system
	$(CARGO) run --quiet -p sensor --example pages -- target/pages

## install: the program, its pages and its service (PREFIX=/usr/local, DESTDIR=)
install: pages
	$(CARGO) build --profile dist --locked --bin serval
	install -D -m 755 target/dist/serval $(DESTDIR)$(PREFIX)/bin/serval
	install -D -m 644 serval.toml $(DESTDIR)$(PREFIX)/share/doc/serval/serval.toml
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 target/pages/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -D -m 644 target/pages/completions/serval.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/serval
	install -D -m 644 target/pages/completions/_serval \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_serval
	install -D -m 644 target/pages/completions/serval.fish \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/serval.fish
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's,/usr/bin/serval,$(PREFIX)/bin/serval,' packaging/serval.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/serval.service

## install-hunt: serval-hunt, which `serval hunt` starts (PREFIX, DESTDIR)
install-hunt: system
	$(CARGO) build --release --locked --package hunt --bin serval-hunt
	install -D -m 755 target/release/serval-hunt $(DESTDIR)$(PREFIX)/bin/serval-hunt

## deb: a Debian package, into target/debian
deb: pages
	command -v cargo-deb >/dev/null || $(CARGO) install --locked cargo-deb
	$(CARGO) deb -p sensor --profile dist

# libpcap compiles filter expressions and opens interfaces; cc and pkg-config are for crates that
# build a little C.
system:
	@tools/install-system-packages
