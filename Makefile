# `make demo` and `make test` need nothing but a Swift toolchain: what else is missing, `setup` installs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SOURCES := Sources Plugins Tests Package.swift
PROTO := Sources/ConclaveProtocol/Messages
SEEDS ?= 1-200
PEER_SEEDS ?= 1-20
SECONDS_EACH ?= 600
WEEKS ?= 10
DOORS ?= decode tree welcome group-info handle restore staged bundle successor outside
# Messages to begin with: of DIR, or of the official vectors where they are, and of our own.
SEED_DIRS = $(or $(DIR),$(wildcard ../shared/mls-vectors)) fixtures/mls

.PHONY: help setup demo test test-fast echo-bot test-plugins test-disk-full clocks vectors own-vectors mls-peer peers simulate honest-weeks retry-storm foreign attacks fuzz fixtures bench-archive bench-client bench-stores bench-mls format lint proto docs

help:
	@echo "make demo                     a story of three people and a network that comes and goes, by real processes"
	@echo "make test                     every test: the fast ones side by side, then the rest one at a time"
	@echo "make test-fast                the tests that start no process; some minutes"
	@echo "make echo-bot                 a bot that embeds the library Waxwing, as a package of its own, against waxwingd"
	@echo "make test-plugins             the end-to-end tests with every sort of store and of event feed"
	@echo "make test-disk-full           every call of some commands fails in turn on a full disk; takes half an hour"
	@echo "make clocks                   a whole story under every wrong clock, and one that is set in the middle"
	@echo "make vectors DIR=FOLDER       the official MLS test vectors of a folder"
	@echo "make own-vectors              writes our own MLS test vectors into fixtures/mls again"
	@echo "make mls-peer                 builds the line-driven MLS peer and prints where it is"
	@echo "make peers PEERS=ONE:TWO      lets two such peers of any make live in one group; ours with itself by default"
	@echo "make simulate SEEDS=1-200     long random lives of clients under faults, one per seed"
	@echo "make honest-weeks WEEKS=10    weeks of a room where nobody lies: whom messages wait for is counted; SEEDS=1-20"
	@echo "make retry-storm              every command against a server in trouble, a minute for each kind, requests counted"
	@echo "make foreign SEEDS=1-20       as many stories of Waxwing's clients beside one of another make, by real processes"
	@echo "make attacks                  every attack by a lying server or member, in all variants; takes a quarter of an hour"
	@echo "make fuzz SECONDS_EACH=600    tries each door of the MLS engine for so long, led by coverage"
	@echo "make fixtures                 records the sessions of fixtures/ again"
	@echo "make bench-client             what catching up and sending cost, next to their floors"
	@echo "make bench-archive            what export, check and import cost, next to zstd and age; ARGS=\"--rows 1000000\""
	@echo "make bench-stores             what both stores cost, next to bare SQLite and bare fsync"
	@echo "make bench-mls                what the MLS engine's operations cost, next to the floor of their primitives"
	@echo "make docs                     the libraries' documentation, made by docc into .build/docs"
	@echo "make format, make lint        formats the code, checks the format"
	@echo "make proto                    writes the wire messages' code anew from conclave.proto"
	@echo "make setup                    installs the Debian packages that are missing"

setup:
	@.ci/setup

demo: setup
	@.ci/build waxwing waxwingd demo
	@"$$(swift build --show-bin-path)/demo"

test: setup
	@.ci/build tests
	@.ci/test fast
	@$(MAKE) --no-print-directory echo-bot
	@.ci/test rest

test-fast: setup
	@.ci/build tests
	@.ci/test fast

# A program of somebody else's that embeds the library: a package of its own, built from outside.
echo-bot: setup
	@.ci/build waxwing waxwingd
	@.ci/build --disable-index-store --package-path Tests/Embedding/EchoBot --scratch-path .build-embedding EchoBot
	@Tests/Embedding/story .build-embedding/debug/EchoBot "$$(swift build --show-bin-path)"

test-plugins: setup
	@.ci/build tests
	@for store in sqlite files; do for transport in sse poll; do \
		echo "$$store, $$transport"; \
		WAXWING_STORE=$$store WAXWING_TRANSPORT=$$transport swift test --skip-build --no-parallel --filter EndToEndTests; \
	done; done

test-disk-full: setup
	@.ci/build tests
	WAXWING_DISK_FAULTS=all swift test --skip-build --no-parallel --filter EndToEndTests.EndToEnd.DiskFullTests

clocks: setup
	@.ci/build tests
	WAXWING_CLOCKS=all swift test --skip-build --no-parallel --filter EndToEndTests.EndToEnd.ClockTests

vectors: setup
	@test -n "$(DIR)" || { echo "usage: make vectors DIR=FOLDER" >&2; exit 2; }
	@.ci/build -c release mls-vectors
	@"$$(swift build -c release --show-bin-path)/mls-vectors" "$(DIR)"

own-vectors: setup
	@.ci/build -c release own-vectors
	@"$$(swift build -c release --show-bin-path)/own-vectors" fixtures/mls

mls-peer: setup
	@.ci/build -c release mls-peer
	@echo "$$(swift build -c release --show-bin-path)/mls-peer"

# PEERS=/path/one:/path/two
peers: setup
	@.ci/build tests
	WAXWING_MLS_PEERS=$(PEERS) WAXWING_MLS_PEER_SEEDS=$(PEER_SEEDS) WAXWING_MLS_PEER_LIVES=all swift test --skip-build \
		--no-parallel --filter 'MLSPeerTests.(RandomLifeProcessTests|GroupLifeTests)'

simulate: setup
	@.ci/build tests
	WAXWING_SEEDS=$(SEEDS) swift test --skip-build --filter WaxwingCoreTests.ChaosTests

honest-weeks: SEEDS = 1-20
honest-weeks: setup
	@.ci/build tests
	WAXWING_HONEST_WEEKS=$(WEEKS) WAXWING_HONEST_SEEDS=$(SEEDS) swift test --skip-build --no-parallel --filter WaxwingCoreTests.HonestWeeksTests

# Every way a server can be in trouble, for a minute each: every command and `watch` against it, requests counted.
retry-storm: setup
	@.ci/build tests
	WAXWING_STORM=all WAXWING_STORM_SECONDS=60 swift test --skip-build --no-parallel --filter EndToEndTests.EndToEnd.RetryStormTests

foreign: SEEDS = 1-20
foreign: setup
	@.ci/build tests
	WAXWING_FOREIGN_SEEDS=$(SEEDS) swift test --skip-build --no-parallel --filter EndToEndTests.EndToEnd.ForeignClientTests

attacks: setup
	@.ci/build tests
	WAXWING_ATTACKS=all swift test --skip-build --no-parallel \
		--filter 'EndToEndTests.EndToEnd.(AttackTests|CopiedProfileTests|NamingTests)'

# Apart from the other builds: every function of the engine counts what it reaches. The corpus stays there and grows from run to run.
# An input that breaks something is left in .build-fuzz as crash-, timeout- or oom-.
fuzz: export WAXWING_LIBFUZZER := 1
fuzz: setup
	@.ci/build -c release --scratch-path .build-fuzz mls-fuzz
	@for door in $(DOORS); do \
		echo "$$door, $(SECONDS_EACH) seconds"; \
		ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no .build-fuzz/release/mls-fuzz $$door \
			--corpus .build-fuzz/corpus/$$door $(foreach folder,$(SEED_DIRS),--vectors "$(folder)") \
			-max_total_time=$(SECONDS_EACH) -max_len=65536 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=32 \
			-print_final_stats=1 -verbosity=0 -artifact_prefix=.build-fuzz/; \
	done

fixtures: setup
	@.ci/build tests
	WAXWING_RECORD=$(CURDIR)/fixtures swift test --skip-build --no-parallel --filter EndToEndTests.EndToEnd.Recordings

bench-client: setup
	@.ci/build -c release waxwing waxwingd bench-client
	@"$$(swift build -c release --show-bin-path)/bench-client"

# ARGS: --rows and --runs; --rows 1000000 is the history that has to go through in constant memory.
bench-archive: setup
	@.ci/build -c release waxwing bench-archive
	@"$$(swift build -c release --show-bin-path)/bench-archive" $(ARGS)

bench-stores: setup
	@.ci/build -c release bench-stores
	@"$$(swift build -c release --show-bin-path)/bench-stores" $(ARGS)

# ARGS: suites, sizes and rows, and where the JSON copy goes (.build/bench-mls.json); --help says more.
bench-mls: setup
	@.ci/build -c release bench-mls
	@"$$(swift build -c release --show-bin-path)/bench-mls" $(ARGS)

format:
	swift format -i -r $(SOURCES)

# Generated files say themselves that they are left out.
lint:
	swift format lint --strict -r $(SOURCES)

# Symbols come from the modules as they are built; articles from the .docc folders beside the code.
docs: setup
	@.ci/build waxwing waxwingd
	@.ci/docs
	@echo "to read it: python3 -m http.server -d .build/docs/Waxwing.doccarchive 8000, then http://localhost:8000/documentation"

proto:
	@.ci/setup protobuf-compiler
	@.ci/build protoc-gen-swift
	@protoc --plugin="$$(swift build --show-bin-path)/protoc-gen-swift" --proto_path=$(PROTO) \
		--swift_opt=Visibility=Package --swift_out=$(PROTO) conclave.proto
