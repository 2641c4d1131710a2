# The front door. CMake does the work; `make help` says what there is.
SAN     ?=
JOBS    ?= $(shell nproc)
SECONDS ?= 60
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   := build$(if $(SAN),-$(SAN))
# Leak checks need ptrace, which test machines often lack; they run where it works.
export ASAN_OPTIONS ?= detect_leaks=0
export TSAN_OPTIONS ?= second_deadlock_stack=1 suppressions=$(CURDIR)/tests/support/tsan.supp

.PHONY: all build deps deps-clients deps-lint configure test check interop demo bench bench-peers soak fuzz fmt lint install hooks clean help

all: build

help:
	@sed -n 's/^## //p' Makefile

## make build      everything, programs in build/bin (SAN=asan|tsan: in build-asan, build-tsan)
build: deps configure
	@ninja -C $(BUILD) -j$(JOBS) $(QUIET)

configure: $(BUILD)/build.ninja

$(BUILD)/build.ninja:
	@cmake -S . -B $(BUILD) -G Ninja -DMQ_SAN=$(SAN) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

## make deps       the Debian packages it takes; nothing to do when they are there
deps:
	@packaging/deps.sh packaging/debian-packages.txt

deps-clients: deps
	@command -v go >/dev/null && command -v npm >/dev/null && python3 -c 'import ensurepip' || packaging/deps.sh packaging/debian-packages-clients.txt

deps-lint: deps
	@packaging/deps.sh packaging/debian-packages-lint.txt

## make test       unit tests, then bats (SAN=asan|tsan for the same under a sanitizer)
test: build
	@tests/run.sh --build $(BUILD) unit bats crash

## make check      test and interop with the real broker; ends in "N passed, N failed"
check: build deps-clients
	@tests/run.sh --build $(BUILD) layers unit bats crash budget interop

## make interop    the reference broker and clients against ours, brought in from the package registries
interop: build deps-clients
	@tests/run.sh --build $(BUILD) interop

## make demo       a broker in a fresh directory, data in, data out, a look at the files
demo: build
	@tests/demo.sh $(CURDIR)/$(BUILD)/bin

## make bench      speed as ratios, one table
bench: build
	@bench/run.sh $(BUILD)

## make bench-peers   the same work on Apache RocketMQ, Kafka, Redis and NATS beside it (ARGS: see bench/peers/compare.py)
bench-peers: build
	@packaging/deps.sh packaging/debian-packages-bench.txt
	@bench/peers/compare.py $(BUILD) $(ARGS)

## make soak       the long crash and power-loss runs
soak: build
	@tests/soak/run.sh $(BUILD)

## make fuzz SECONDS=60   every fuzz target that long, with clang, ASan and UBSan
fuzz: deps-lint
	@CXX=clang++-14 cmake -S . -B build-fuzz -G Ninja -DMQ_FUZZ=ON -DMQ_PCH=OFF >/dev/null
	@ninja -C build-fuzz -j$(JOBS) fuzzers
	@tests/fuzz/run.sh build-fuzz $(SECONDS)

## make fmt        clang-format in place
fmt: deps
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

## make lint       format, clang-tidy, -Wthread-safety, layers, man pages, shell
lint: deps-lint
	@tests/lint.sh

## make install    programs, man pages, service files (PREFIX, DESTDIR)
install: build
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

## make hooks      check format and layers before each commit
hooks:
	@git config core.hooksPath .ci/hooks

clean:
	@rm -rf build build-asan build-tsan build-fuzz build-lint
