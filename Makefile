# The habits of the house. `make` alone tells what there is. Every target works on a fresh Debian with
# Go, as root or as somebody with sudo; what is missing is installed or named in one line.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED = 0

# Two packages at a time: each is parallel in itself, and two servers want a share too.
GOTEST  = go test -p 2
SERVERS = go run ./internal/testkit/cmd/servers --
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help tools build test short bench soak mysql lint golden clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## install what the tests need: PostgreSQL, MariaDB, Redis, Chromium, fonts, six npm packages
	@scripts/tools

build: ## one static binary: ./ombud
	go build -trimpath -o ombud ./cmd/ombud

test: tools ## everything, against real PostgreSQL, MariaDB, Redis and Chromium; nothing is left running
	@$(SERVERS) scripts/check

short: ## unit tests of PKG=./package/... alone, each with servers of its own
	$(GOTEST) -timeout 20m $(or $(PKG),./...)

bench: tools ## ratios against expert baselines, interleaved in one run; OMBUD_BENCH=full is the large one
	@OMBUD_BENCH=$${OMBUD_BENCH:-short} go test -count 1 -timeout 6h -run '^TestBench$$$$' -v ./internal/bench
	@cd test/opa && OMBUD_BENCH=short go test -count 1 -run '^TestAgainstOPA$$$$' -v . | grep -v '^=== '

soak: tools ## the full counts of every hostile test: hours
	@OMBUD_SOAK=1 $(SERVERS) $(GOTEST) -p 1 -count 1 -timeout 12h ./...

mysql: ## connector, traps, models, kills and hostile strings on a real MySQL, which is fetched from Debian unstable: three minutes
	@scripts/mysql $(GOTEST) -count 1 -timeout 60m ./connector/mysql ./internal/testkit/mariatest
	@scripts/mysql $(GOTEST) -count 1 -timeout 60m -skip 'Memory|/(sqlite|postgres)|/.*/(sqlite|postgres)' ./plan ./catalog

lint: ## gofmt, vet, staticcheck, house measures (file, function and import sizes)
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -count 1 ./internal/testkit/arch -run 'Sizes|Imports' -v

golden: ## write the expected outputs of the command line anew; read the diff before you commit it
	OMBUD_UPDATE=1 go test -count 1 ./cli/...

clean: ## remove what was built and downloaded here
	rm -rf ombud ombud-demo test/browser/node_modules test/iab/node_modules test/webhooks/node_modules
