# `make` lists the targets. Each line "## text" begins a group, and each line "name: ... ## text" describes a target.

RUNS ?= 100
PARALLELISM ?= $(shell getconf _NPROCESSORS_ONLN)
TESTS ?=
N ?= 1000
SEED ?= 1
TABLE ?=
TRACE ?=
RUN ?=
TEST ?=
ARGS ?=
PLATFORMS = windows/amd64 darwin/arm64 wasip1/wasm
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
VULNDB ?= golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018
SCRIPTS = go-test-many.sh use-in-course.sh each-module.sh .ci/run .ci/test-scripts

comma = ,
# quote is its argument as one word for the shell.
quote = '$(subst ','\'',$(1))'
# fail prints its argument, which the shell expands to one word, and ends the recipe.
fail = { printf 'make: %s\n' $(1) >&2; exit 2; }
# number fails unless the variable with this name is a whole number.
number = @case $(call quote,$($(1))) in ''|*[!0-9]*) $(call fail,$(call quote,$(1) must be a whole number$(comma) not '$($(1))')) ;; esac
# positive fails unless the variable with this name is a whole number and not 0.
positive = @case $(call quote,$($(1))) in *[!0-9]*) false ;; *[1-9]*) ;; *) false ;; esac || \
	$(call fail,$(call quote,$(1) must be a whole number from 1 on$(comma) not '$($(1))'))
# some_test fails if the variable with this name matches no test of raft. What follows a slash chooses subtests.
some_test = @tests=$(call quote,$($(1))); test -z "$$tests" || go test -list "$${tests%%/*}" ./raft | grep -q '^Test' || \
	$(call fail,$(call quote,$(1)='$($(1))' matches no test of raft))

.DEFAULT_GOAL := help
.PHONY: help demo kv-demo picture test test-real many chaos explore choices mutants bench compare replay cluster torture vuln lint

help:
	@awk -F ':.*## ' '/^## / { printf "\n%s:\n", substr($$0, 4) } \
		/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## begin
demo: ## watch five servers agree on a text while they are cut off, crashed and restarted
	go run ./cmd/raft-demo

kv-demo: ## watch clients of a key/value service while its servers are cut off, crashed and restarted
	cd kvraft && go run ./cmd/kv-demo

picture: ## draw the run of one test of raft as a page to open in a browser: TEST=TestFigure82C; ARGS=-clock=real
	@go test -list $(call quote,^($(firstword $(subst /, ,$(TEST))))$$) ./raft | grep -q '^Test' || \
		$(call fail,$(call quote,TEST must be the name of a test of raft$(comma) not '$(TEST)'))
	@mkdir -p pictures && log=$$(mktemp) && trap 'rm -f "$$log"' EXIT && status=0 && \
		{ go test -count=1 -v -run $(call quote,^$(subst /,$$/^,$(TEST))$$) ./raft -args -picture="$$PWD/pictures" $(ARGS) >"$$log" 2>&1 || status=$$?; } && \
		cat "$$log" && { sed -n 's/^ *picture: \(.*\.html\)$$/\1/p' "$$log" | tail -n 1 | grep . || \
		{ echo 'make: the test has written no page' >&2; status=2; }; } && exit $$status

## test
test: ## run go vet and the tests of every module, Lab 2 in virtual time among them, in at most five minutes
	./each-module.sh go vet ./...
	./each-module.sh test
	go test -timeout 30s -run TestExplore ./raft
	./.ci/test-scripts

test-real: ## run Lab 2 in real time, as the course grades it; TESTS=2B runs only a part
	$(call some_test,TESTS)
	go test -count=1 -timeout 20m -run $(call quote,$(or $(TESTS),2[ABCD])) ./raft -args -clock=real

lint: ## run gofmt, go vet (also for other systems and for 32 bits), staticcheck and shellcheck
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || \
		{ printf 'gofmt would change:\n%s\n' "$$unformatted" >&2; exit 1; }
	./each-module.sh go vet ./...
	./each-module.sh env GOARCH=386 CGO_ENABLED=0 go vet ./...
	for platform in $(PLATFORMS); do \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0 go vet ./... || exit; \
	done
	cd engine && GOOS=windows CGO_ENABLED=0 go vet ./... && GOOS=darwin CGO_ENABLED=0 go vet ./...
	./each-module.sh go run $(STATICCHECK) ./...
	@command -v shellcheck >/dev/null || \
		{ echo 'make lint needs shellcheck (apt-get install shellcheck, brew install shellcheck)' >&2; exit 1; }
	shellcheck -x $(SCRIPTS)

vuln: ## look for known vulnerabilities in what engine uses; VULNDB=golang.org/x/vulndb@latest takes the newest list of them
	cd engine && export GOTOOLCHAIN=$$(sed -n 's/^toolchain //p' go.mod) && \
		list=$$(go mod download -json $(call quote,$(VULNDB)) | sed -n 's/^.*"Dir": "\(.*\)",$$/\1/p') && \
		test -d "$$list/data/osv" && go run $(GOVULNCHECK) -db "file://$$list/data/osv" ./...

## find bugs
many: ## run raft's tests many times with the race detector; RUNS=100 PARALLELISM=2 TESTS=2B
	$(call positive,RUNS)
	$(call positive,PARALLELISM)
	RACE=1 ./go-test-many.sh $(RUNS) $(PARALLELISM) $(call quote,$(TESTS))

chaos: ## cause random faults in random clusters; N=1000 seeds from SEED=1 on
	$(call number,SEED)
	$(call positive,N)
	cd raft && go test -count=1 -run TestChaos -timeout 2h -chaos.seed=$(SEED) -chaos.seeds=$(N)

explore: ## try every schedule within limits, then random ones, ten minutes in all; TRACE='...' plays only that schedule
	cd raft && go test -count=1 -run '^TestExplore$$' -timeout 1h $(if $(TRACE),-explore.trace=$(call quote,$(TRACE)),-explore)

mutants: ## plant classic mistakes in raft and print which test finds each; ARGS=-explore uses only the explorer
	go run ./cmd/mutants $(ARGS)

## measure
bench: ## run the benchmarks of labgob, labrpc and raft
	go test -run '^$$' -bench . -benchmem ./labgob ./labrpc ./raft

choices: ## measure each option of Make; TABLE=Link runs only a table
	@names=$$(sed -n 's/^\tname: *"\([^"]*\)",$$/\1/p' raft/choices*_test.go) && \
		printf '%s\n' "$$names" | grep -qE -e $(call quote,$(TABLE)) || \
		$(call fail,"$$(echo TABLE must be one of $$names)"$(call quote,$(comma) not '$(TABLE)'))
	cd raft && go test -count=1 -timeout 2h -run $(call quote,TestChoices$(addprefix /,$(TABLE))) -choices

## beyond
replay: ## run Lab 2 from SEED=1, the same way every time; RUN=TestFigure82C runs only a part
	$(call number,SEED)
	cd replay && go run . -seed $(SEED) $(if $(RUN),-run $(call quote,$(RUN)))

compare: ## run the same workloads on this Raft, etcd's and hashicorp's; ARGS=-h explains
	cd compare && go run . $(ARGS)

cluster: ## start three servers of a replicated key/value service in ./data, and say what to type; Ctrl-C stops them
	cd engine && go build -o ../data/ ./cmd/kvd ./cmd/kvctl ./cmd/kvcluster
	./data/kvcluster -data data

torture: ## crash servers of engine, cut their power and their network, under load, for twenty minutes; SEED=1
	$(call number,SEED)
	cd engine && go test -count=1 -timeout 2h -v -run '^Test(Chaos|Crash|Power|Power_mutants|Damage_isRefused|Torn)$$' . \
		-chaos.seed=$(SEED) -chaos.steps=500 -crash.seed=$(SEED) -crash.rounds=300 -power.rounds=100 -power.mutants -damage.each=100
	cd engine && go test -count=1 -timeout 2h -v -run '^TestTorture$$' ./cmd/kvd -torture.seed=$(SEED) -torture.rounds=100
	cd engine && go test -count=1 -timeout 2h -v -run '^TestTorture$$' ./cmd/kvd -torture.seed=$$(($(SEED) + 1)) -torture.rounds=100 -kvd.race
