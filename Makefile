# `make` lists the targets: every line "name: ... ## what it does" below is one.

RUNS ?= 100
PARALLELISM ?= $(shell getconf _NPROCESSORS_ONLN)
TESTS ?=
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
SCRIPTS = go-test-many.sh each-module.sh .ci/run .ci/test-scripts

.DEFAULT_GOAL := help
.PHONY: help demo test test-real many chaos explore choices mutants bench compare replay lint

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## watch five servers agree on a text while they are cut off, crashed and restarted
	go run ./cmd/raft-demo

test: ## vet, then the tests of every module, five minutes at most (Lab 2 in virtual time), and the explorer
	./each-module.sh go vet ./...
	./each-module.sh test
	go test -timeout 30s -run TestExplore ./raft
	./.ci/test-scripts

test-real: ## Lab 2 on the wall clock, as the course grades it; TESTS=2B picks a part
	go test -count=1 -timeout 20m -run '$(or $(TESTS),2[ABCD])' ./raft -args -clock=real

many: ## the tests of raft over and over, with the race detector; RUNS=100 PARALLELISM=2 TESTS=2B
	RACE=1 ./go-test-many.sh '$(RUNS)' '$(PARALLELISM)' '$(TESTS)'

chaos: ## random faults on random clusters, N=1000 seeds from SEED=1
	cd raft && go test -count=1 -run TestChaos -timeout 2h -chaos.seed=$(or $(SEED),1) -chaos.seeds=$(or $(N),1000)

choices: ## measure what each option of Make buys; TABLE=Link picks a table
	cd raft && go test -count=1 -timeout 2h -run 'TestChoices$(addprefix /,$(TABLE))' -choices

explore: ## every schedule within bounds, then random ones, ten minutes in all; TRACE='...' plays one
	cd raft && go test -count=1 -run '^TestExplore$$' -timeout 1h $(if $(TRACE),-explore.trace='$(TRACE)',-explore)

mutants: ## plant classic mistakes in raft: which test catches each? ARGS=-explore asks only the explorer
	go run ./cmd/mutants $(ARGS)

bench: ## benchmarks of the three packages
	go test -run '^$$' -bench . -benchmem ./labgob ./labrpc ./raft

compare: ## the same workload on this Raft, etcd's and hashicorp's; ARGS='-h' explains
	cd compare && go run . $(ARGS)

replay: ## Lab 2 from a seed, the same every time; SEED=7 RUN=TestFigure82C
	cd replay && go run . -seed $(or $(SEED),1) $(if $(RUN),-run '$(RUN)')

lint: ## gofmt, go vet (for 32 bits, too), staticcheck and shellcheck find nothing
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || \
		{ printf 'gofmt would change:\n%s\n' "$$unformatted" >&2; exit 1; }
	./each-module.sh go vet ./...
	./each-module.sh env GOARCH=386 CGO_ENABLED=0 go vet ./...
	./each-module.sh go run $(STATICCHECK) ./...
	@command -v shellcheck >/dev/null || \
		{ echo 'make lint needs shellcheck (apt-get install shellcheck, brew install shellcheck)' >&2; exit 1; }
	shellcheck $(SCRIPTS)
