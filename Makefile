# voipd. "make help" lists what there is.
#
# Needed: Go and a C compiler (SQLite is C). Go fetches every other tool by
# itself; what the laboratory needs it installs by itself, as root on Debian.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL: # fuzzers and benchmarks want the cores for themselves
export CGO_ENABLED := 1

# How long each fuzzer runs after its seeds.
FUZZTIME ?= 20s
# LAB=no leaves the laboratory out of make test.
LAB ?= yes
# Flags for the laboratory's tests, such as LABFLAGS='-only queue-'.
LABFLAGS ?=
# What make bench runs: a regular expression of benchmarks; its packages.
BENCH ?= .
# BIG=1 makes ten million records for the benchmark of the list instead of one: some
# 11 GB in TMPDIR, and an hour or more.
BIG ?=

# Flags for the two parts of make torture, on the fake PBX and on a real Asterisk.
TORTURE ?= -faults 500 -for 8m
TORTURE_REAL ?= -faults 150 -for 4m

# How long make load goes on.
LOAD ?= 10m

DESTDIR ?=
prefix ?= /usr/local
sysconfdir ?= /etc
unitdir ?= $(sysconfdir)/systemd/system

# Go takes the commit from git; where git cannot tell (no git, a checkout of
# somebody else's), it would refuse to build.
vcs := -buildvcs=$(shell git rev-parse --verify --quiet HEAD >/dev/null 2>&1 && echo true || echo false)
# Static: the binary runs on a PBX with an older C library. Names of hosts are
# then looked up by Go itself (hosts file and DNS).
static := -trimpath $(vcs) -tags netgo,osusergo,sqlite_omit_load_extension \
	-ldflags '-s -w -linkmode external -extldflags -static'

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: need ## a morning's calls on a built-in fake PBX, kept and served by the real daemon
	@scripts/demo.sh
	@bin/demo demo

.PHONY: centre-demo
centre-demo: need ## three offices' mornings, shipped to one centre on a PostgreSQL of its own
	@scripts/demo.sh
	@scripts/databases.sh
	@scripts/centre-demo.sh

.PHONY: test
test: vet unit fuzz ## everything: vet, unit tests with the race detector, fuzzers, a short torture, the laboratory
	@scripts/torture.sh fake -seed 1 -faults 40 -for 40s
	@LAB=$(LAB) scripts/lab.sh $(LABFLAGS)

.PHONY: vet
vet: need
	go vet ./...
	go vet -tags lab ./lab

.PHONY: unit
unit: need ## unit tests with the race detector; fuzz seeds are among them
	@scripts/databases.sh
	@scripts/audio.sh
	@scripts/node.sh
	@scripts/chromium.sh
	go test -race $$(go list ./... | grep -v '/record$$') | sed '/\[no test files\]/d'
	go test ./record # it has no goroutine (internal/arch), and goes over every capture thousands of times

.PHONY: fuzz
fuzz: need ## every fuzzer for FUZZTIME (20s)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: lab
lab: need ## the laboratory: real calls on a real Asterisk (root, Debian)
	@LAB=must scripts/lab.sh $(LABFLAGS)

.PHONY: lint
lint: need ## formatting, vet, staticcheck, modules, scripts, systemd files
	@scripts/lint.sh

.PHONY: bench
bench: need ## the figures of the README
	@BENCH_RECORDS=$(if $(BIG),10000000,1000000) scripts/bench.sh '$(BENCH)'

.PHONY: torture
torture: need ## calls while voipd is killed, the link cut, the disk filled ...: TORTURE='-seed 7 -faults 500 -for 8m'
	@scripts/torture.sh fake $(TORTURE)
	@scripts/torture.sh real $(TORTURE_REAL)

.PHONY: load
load: need ## 200 new calls a second beside 20,000 open ones for LOAD (10m) by AMI, then more than it can bear: lag and memory
	@go test -count=1 -timeout 40m -v -run '^TestLoad$$' ./internal/torture -load $(LOAD) | grep -E '^load:|load_test.go|^(---|FAIL|ok|panic)'

.PHONY: build
build: need ## bin/voipd, static
	@go build $(static) -o bin/voipd ./cmd/voipd
	@bin/voipd --version

.PHONY: install
install: build ## from source: binary, unit and an example configuration; respects DESTDIR and prefix
	install -D -m 0755 bin/voipd '$(DESTDIR)$(prefix)/bin/voipd'
	install -d '$(DESTDIR)$(unitdir)'
	sed 's|/usr/local/bin/voipd|$(prefix)/bin/voipd|' systemd/voipd.service > '$(DESTDIR)$(unitdir)/voipd.service'
	install -D -m 0644 systemd/voipd.sysusers.conf '$(DESTDIR)$(sysconfdir)/sysusers.d/voipd.conf'
	install -D -m 0644 systemd/voipd.tmpfiles.conf '$(DESTDIR)$(sysconfdir)/tmpfiles.d/voipd.conf'
	install -D -m 0644 config.example.toml '$(DESTDIR)$(prefix)/share/doc/voipd/config.example.toml'
	@scripts/install.sh '$(DESTDIR)' '$(sysconfdir)'

.PHONY: packages
packages: need ## bin/packages: .deb and .rpm for amd64 and arm64; the same source gives the same bytes
	@packaging/build.sh

.PHONY: release
release: need ## packages, checksums, what is in them (SBOM), and the notes of CHANGELOG.md
	@packaging/build.sh --release

.PHONY: clean
clean: ## what was built
	rm -rf bin

.PHONY: need
need:
	@command -v go >/dev/null || { echo 'make: Go is missing: see https://go.dev/doc/install' >&2; exit 1; }
	@command -v "$$(go env CC | cut -d' ' -f1)" >/dev/null || { echo 'make: a C compiler is missing (SQLite is C): apt-get install gcc libc6-dev' >&2; exit 1; }
