# Everything a contributor or an operator runs. Needs Go, make, git and a C
# compiler; tools are installed at pinned versions into build/tools.

BUILD    := build
TOOLS    := $(BUILD)/tools
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   := $(shell git rev-parse HEAD 2>/dev/null)
SDKVER   := github.com/cosmos/cosmos-sdk/version
LDFLAGS  := -X $(SDKVER).Name=sequencer -X $(SDKVER).AppName=sequencerd -X $(SDKVER).Version=$(VERSION) -X $(SDKVER).Commit=$(COMMIT)
SEEDS    ?= 1200
REALSEEDS ?= 10
MESSAGE  ?= Hello from four sequencers
NETWORK  ?= $(BUILD)/localnet
EXAMPLE  := testutil/examplechain

GOLANGCI := v2.5.0

# Three packages at a time: most tests keep one core busy, and some wait for others.
# Vetting is the linter's part; without tables for debuggers programs are linked sooner.
TEST     := go test -p 3 -count 1 -timeout 30m -vet off -ldflags -w
# Compiling, linking and short tests leave much behind: the collector may wait for more.
# Nodes of the end-to-end tests have the collector that an operator has.
BRISK    := GOGC=300
# What takes longest begins first, or one core would rest while the last of it ends.
LONGEST  := ./testutil/sim ./mpc/tss ./p2p

.PHONY: build install test test-example test-long test-race sim fuzz lint lint-deep proto proto-check localnet demo bench bench-publish clean

build:
	$(BRISK) go build -ldflags '$(LDFLAGS)' -o $(BUILD)/sequencerd ./app/sequencerd

# To $(go env GOPATH)/bin, or GOBIN.
install:
	go install -ldflags '$(LDFLAGS)' ./app/sequencerd

# Everything that runs in reasonable time, real processes and real cryptography
# included. The end-to-end tests come last and say what they measure, such as the 95th
# percentile of the time between blocks.
test: build
	packages=$$(go list ./...) && $(BRISK) $(TEST) $(LONGEST) $$(echo "$$packages" | grep -Ev '/(app/e2e|testutil/sim|mpc/tss|p2p)$$')
	$(MAKE) test-example
	SEQUENCERD_BINARY=$(CURDIR)/$(BUILD)/sequencerd $(TEST) -v ./app/e2e

# Another chain that imports ours, a Go module of its own: three of its nodes make a key
# and sign.
test-example:
	cd $(EXAMPLE) && $(TEST) ./...

# The end-to-end tests that take minutes each, and crashes at every write and message
# of a key's life, twice at each: it prints how many there were.
test-long: build
	CRASH_ALL=1 $(TEST) -run 'TestCrash|TestOldDatabaseIsPutBack' ./testutil/sim -v
	E2E_LONG=1 SEQUENCERD_BINARY=$(CURDIR)/$(BUILD)/sequencerd $(TEST) -timeout 60m -run 'TestReshare|TestAutoReshare|TestLostForGood|TestAnotherMachine|TestDiskThatIsBack|TestPutBackAndMoved|TestLifeOfAKey|TestBeginAChain|TestRollingRestart|TestSettlement|TestStateSync' ./app/e2e -v

# The race detector on what has goroutines of its own; -short leaves out the
# heavy cryptography, which the fake protocol and stored fixtures replace.
test-race:
	$(TEST) -race -short ./mpc/... ./p2p/... ./storage/... ./x/mpc/abci/... ./app/mpcnode/... ./app/localnet/... ./testutil/sim/... ./testutil/cluster/...

# The simulator on many seeds: SEEDS of networks without and SEEDS with a
# dishonest member in bad weather, a quarter of it with one in good weather, as many
# with one over a block that is taken back, and REALSEEDS with real shares, in 10 minutes on two cores. SIM_SEED=N runs one of them
# again. Worlds are small and short-lived: the collector may wait.
sim:
	$(BRISK) SIM_SEEDS=$(SEEDS) SIM_REAL_SEEDS=$(REALSEEDS) go test -count 1 -timeout 10m -run 'TestSeeds|TestStorms|TestRealStorms' ./testutil/sim -v

# Every fuzz target of the tree, each for FUZZTIME (1m) of new inputs. The folder of an
# input that one fails with is named at the end.
fuzz:
	.ci/fuzz

lint: $(TOOLS)/golangci-lint-$(GOLANGCI)
	$(BRISK) $(TOOLS)/golangci-lint-$(GOLANGCI) run ./...
	cd $(EXAMPLE) && $(BRISK) $(CURDIR)/$(TOOLS)/golangci-lint-$(GOLANGCI) run --config $(CURDIR)/.golangci.yml ./...

# The linter's slow checks, see .golangci-deep.yml.
lint-deep: $(TOOLS)/golangci-lint-$(GOLANGCI)
	$(TOOLS)/golangci-lint-$(GOLANGCI) run --config .golangci-deep.yml ./...
	cd $(EXAMPLE) && $(CURDIR)/$(TOOLS)/golangci-lint-$(GOLANGCI) run --config $(CURDIR)/.golangci-deep.yml ./...

$(TOOLS)/golangci-lint-$(GOLANGCI):
	GOBIN=$(CURDIR)/$(TOOLS) $(BRISK) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(TOOLS)/golangci-lint $@

proto:
	./proto/generate.sh

# Fails if the generated code is not what the .proto files say.
proto-check: proto
	@changed=$$(git status --porcelain -- '*.pb.go' '*.pb.gw.go' '*/openapi/openapi.json') || \
		{ echo "git cannot say whether generated code is up to date; run this in a clone of the repository"; exit 1; }; \
	test -z "$$changed" || \
		{ echo "$$changed"; echo "generated code is stale: run make proto and commit"; exit 1; }

localnet: build
	$(BUILD)/sequencerd localnet --validators 4 --output $(NETWORK)

# The message goes through the environment, unexpanded: neither make nor the shell
# reads what is in it. Under its own name make would hand it on expanded.
unexport MESSAGE
demo: export DEMO_MESSAGE = $(value MESSAGE)
demo: build
	go build -o $(BUILD)/demo ./app/demo
	$(BUILD)/demo -binary $(BUILD)/sequencerd -message "$$DEMO_MESSAGE"

# Ours against the bare library in the same process, against its generator of
# pre-parameters and OpenSSL's of safe primes; bytes and memory; latency on long ways in
# virtual time. One line for each bar as soon as it is there, tables at the end. Fails
# where a bar is too high. BENCH=TestBenchPresign runs a part, and the figures of the others
# stay as they are.
BENCH ?= TestBench
bench:
	go run ./testutil/figures -run '$(BENCH)' -out $(BUILD)/bench measure

# Takes over what was measured last into README.md and the documentation of package mpc.
# Refuses while a benchmark did not run to its end, did not reach its bar, or was measured
# on another machine than the others, or with changes that no commit has.
bench-publish:
	go run ./testutil/figures -out $(BUILD)/bench publish

clean:
	rm -rf $(BUILD)
