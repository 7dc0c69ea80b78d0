# "make" lists the targets. Whatever they need beyond Go, Node 20 and Python 3.11 they install into this
# folder (node_modules, .tools) through the ordinary package clients; "make clean" removes it again.

GO        ?= go
NPM       ?= npm
PYTHON    ?= python3
MVN       ?= mvn
ARGS      ?=
TESTFLAGS ?=
FUZZTIME  ?= 60s

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
CYCLONEDX   := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

MAVEN_COPY  := org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies

# What is installed of others, each by its hash.
PINNED := tools/pinned

ENGINE := node_modules/.package-lock.json
LINT   := .tools/lint
SAM    := .tools/sam
CHECK  := .tools/checkov
STATES := .tools/states
DYNAMODB_LOCAL := .tools/dynamodb-local
CLIENT_PYTHON := .tools/clients
UV     := .tools/uv
CLIENTS := testdata/clients
SAM_RUN := SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam
RENDERED := internal/dev/template/testdata/rendered.json
# The same with parameters as CloudFormation hands them to the translator: texts, and all that is optional turned on.
CONFIGURED := internal/dev/template/testdata/rendered_configured.json
CONFIGURATION := UsagePlans=true DomainName=api.example.com DomainCertificateArn=arn:aws:acm:us-east-1:123456789012:certificate/a1b2c3 \
	OidcIssuer=https://login.example.com OidcAudience=https://api.example.com OidcClientId=partnerview-dashboard \
	AuthorizerTtlSeconds=5 AuthorizerConcurrency=200 FunctionConcurrency=100 WafRatePerAddress=10000 CreateDashboard=true \
	ExpectImportHours=26 KeepWarm=5 CreateGatewayLoggingRole=true AlarmTopicArn=arn:aws:sns:us-east-1:123456789012:alarms \
	PermissionsBoundaryArn=arn:aws:iam::123456789012:policy/boundary
# What interpreters of state machines that are not ours make of the template's, and of what else ours can do.
OUTCOMES := internal/dev/local/states/testdata/outcomes.json
INTERPRET := $(STATES)/bin/python scripts/states.py $(RENDERED) $(dir $(OUTCOMES))
RENDER := $(SAM)/bin/python scripts/render.py template.yaml
MAX_ZIPPED := 6000000
# Nobody waits for the start of this one.
MAX_ZIPPED_IMPORT := 12000000
BUILD_GOARCH ?= arm64

# One target build-<logical id> for each function of template.yaml; a test compares the two.
FUNCTIONS := AuthorizerFunction DashboardFunction GetCustomerFunction GetMeFunction GetSummaryFunction GetUsageFunction ImportUsageFunction ListCustomersFunction

# All is compiled as functions are, without C and by one flag, so that each package is compiled once for what runs, is tested, linted
# and measured on this machine. The race detector alone needs C.
export CGO_ENABLED ?= 0
export GOFLAGS ?= -trimpath

# Where Python keeps what it has compiled, of our scripts and of what is installed.
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/build/pycache

FUNCTIONFLAGS := -trimpath -buildvcs=false -tags lambda.norpc -ldflags="-s -w"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-product test-tools compiled quick check format vet staticcheck tidy vuln lint validate rendered states sam-build deploy-check build clients pins release sbom costs bench bench-scale bench-import proof proof-gateway proof-stack proof-supply proof-engine proof-iam proof-leaks proof-load proof-faults proof-long fuzz model screenshots clean $(FUNCTIONS:%=build-%)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: $(if $(DYNAMODB_ENDPOINT),,$(ENGINE)) ## the whole product on this machine; ARGS="--help" tells its options
	@$(GO) build $(FUNCTIONFLAGS) -o build/local ./cmd/local && exec build/local $(ARGS)

# One package at a time: some start the whole product, some a browser, and on a small or a busy machine they would
# take each other's time. LIMITS are the product's; the tools keep these.
SINGLY := -p 1 -timeout 60m
LIMITS := $(SINGLY)

RACE = $(filter -race,$(TESTFLAGS))
# A program under the race detector waits for a second when it ends, for what others still do: for a test's, a tenth is enough.
WITH_C = $(RACE:-race=CGO_ENABLED=1 GORACE=atexit_sleep_ms=100)
# What tests themselves build is compiled already without C.
EXEC = $(RACE:-race=-exec "env CGO_ENABLED=0")

test: test-product test-tools ## all tests; TESTFLAGS="-run Name" adds flags

# With make -j2, both at a time. A make that a test calls has no part in this one's jobs.
test-product: $(ENGINE) compiled
	env -u MAKEFLAGS -u MFLAGS $(WITH_C) $(GO) test $(LIMITS) $(EXEC) $(TESTFLAGS) ./...

test-tools: $(ENGINE) compiled
	env -u MAKEFLAGS -u MFLAGS $(WITH_C) $(GO) -C tools test $(SINGLY) $(EXEC) $(TESTFLAGS) ./...

# What the tests need, with all processors, and nothing linked: "go build" would link each program for nobody.
compiled:
	$(WITH_C) $(GO) list -export -deps -test $(RACE) ./... >/dev/null
	$(WITH_C) $(GO) -C tools list -export -deps -test $(RACE) ./... >/dev/null

quick: $(ENGINE) ## all tests but those that start the whole product or a browser, kill what loads, or take long
	$(WITH_C) $(GO) test -short $(EXEC) $(TESTFLAGS) $(filter-out $(WHOLE:%=%%),$(shell $(GO) list ./...))

# Packages whose tests start the whole product or a browser.
WHOLE := partnerview/cmd/local partnerview/internal/e2e partnerview/internal/testkit/browser

# What CI runs. -race needs a C compiler. What go test would vet, vet has.
check: override TESTFLAGS += -race -shuffle=on -vet=off
check: format vet staticcheck tidy lint test ## formatting, linters, and all tests with -race, shuffled

format:
	@files=$$(gofmt -l *.go cmd functions internal tools unlinked); test -z "$$files" || { echo "not formatted; run gofmt -w on: $$files" >&2; exit 1; }

vet:
	$(GO) vet ./...
	$(GO) -C tools vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...
	$(GO) -C tools run $(STATICCHECK) ./...

vuln: ## known vulnerabilities of what is linked, where their database can be reached
	@GO="$(GO)" scripts/vuln.sh $(GOVULNCHECK:golang.org/x/vuln/cmd/govulncheck@%=%)

tidy:
	$(GO) mod tidy -diff
	$(GO) -C tools mod tidy -diff

lint: $(LINT)/installed
	$(LINT)/bin/cfn-lint template.yaml

validate: $(SAM)/installed ## the template, as the SAM CLI and its linter see it
	$(SAM_RUN) validate --lint --region us-east-1

rendered: $(SAM)/installed ## what CloudFormation gets of template.yaml, for the tests; after each change of it
	@$(RENDER) >$(RENDERED)
	@$(RENDER) $(CONFIGURATION) >$(CONFIGURED)

states: $(STATES)/installed ## what moto and asl-validator make of the state machine, for the tests; after each change of it
	@$(INTERPRET) >$(OUTCOMES)

# What is deployed, built as "sam deploy" takes it. A zip is compressed as gzip is.
sam-build: $(SAM)/installed
	BUILD_GOARCH=arm64 $(SAM_RUN) build
	@for f in $(FUNCTIONS); do \
		size=$$(gzip -9 -c .aws-sam/build/$$f/bootstrap | wc -c) || exit 1; \
		printf '%-22s %8d bytes zipped\n' $$f $$size; \
		most=$(MAX_ZIPPED); test $$f != ImportUsageFunction || most=$(MAX_ZIPPED_IMPORT); \
		test $$size -le $$most || { echo "$$f is larger than $$most bytes: it would start late" >&2; exit 1; }; \
	done

deploy-check: lint validate sam-build $(CHECK)/installed $(STATES)/installed ## all that can be checked of a deployment without an account
	@$(RENDER) | cmp - $(RENDERED) && $(RENDER) $(CONFIGURATION) | cmp - $(CONFIGURED) || { echo "what is rendered is not of this template.yaml: make rendered" >&2; exit 1; }
	@mkdir -p build && $(INTERPRET) >build/outcomes.json && cmp build/outcomes.json $(OUTCOMES) || { echo "the state machine does not run as $(OUTCOMES) has it: make states" >&2; exit 1; }
	$(GO) test ./internal/dev/template ./internal/dev/local/states
	$(CHECK)/bin/checkov --config-file .checkov.yaml --file template.yaml
	# SAM makes the stage of the API and takes the API's Metadata, which says why no answer is cached, not along.
	$(CHECK)/bin/checkov --config-file .checkov.yaml --skip-check CKV_AWS_120 --file $(RENDERED)
	$(CHECK)/bin/checkov --config-file .checkov.yaml --skip-check CKV_AWS_120 --file $(CONFIGURED)

build: $(FUNCTIONS:%=build-%) ## the functions' binaries for Lambda, into build/

# "sam build" calls these too, with ARTIFACTS_DIR set. BUILD_GOARCH is for trying on this machine what sam build
# makes, with make run ARGS="--build-dir .aws-sam/build"; what is deployed must be for arm64. GetUsageFunction is functions/getusage.
$(FUNCTIONS:%=build-%): build-%Function:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(BUILD_GOARCH) $(GO) build $(FUNCTIONFLAGS) \
		-o $(or $(ARTIFACTS_DIR),build/$*Function)/bootstrap ./functions/$(shell echo $* | tr A-Z a-z)

# Needs Java for one of the generators, a JRE of 11 or later.
clients: $(ENGINE) $(CLIENT_PYTHON)/installed $(CLIENTS)/typescript/node_modules/.installed ## openapi.yaml as generators, a linter and schemathesis read it
	@$(GO) build $(FUNCTIONFLAGS) -o build/local ./cmd/local
	$(GO) -C tools build -o ../build/clients ./clients && build/clients $(ARGS)

release: ## partnerctl for Linux, macOS and Windows, with checksums, into build/release; VERSION=v1.2.0 names it, PLATFORMS="linux/arm64" builds some
	@GO="$(GO)" scripts/release.sh build/release $(PLATFORMS)

sbom: ## what the functions and partnerctl are made of, each module with its licence, as CycloneDX has it, into build/sbom
	@$(GO) -C tools build -o ../build/supply ./supply && build/supply sbom $(CYCLONEDX)

costs: ## the table of docs/deploy.md: what a month costs
	@$(GO) -C tools run ./costs

bench: ## cold starts, answers by memory size and a warm page, on a quiet machine; ARGS=-check holds them against recorded ones
	$(GO) -C tools build -o ../build/bench ./bench && build/bench $(ARGS)

bench-scale: $(ENGINE) ## what answers cost as logs and partners grow; ARGS="-records 1000000" takes ten times as long
	$(GO) -C tools build -o ../build/benchscale ./benchscale && build/benchscale $(ARGS)

bench-import: $(ENGINE) ## a million records into the engine, killed, restarted and compared; ARGS="-lines 50000 -kills 5"; with -inbox by its function
	$(GO) -C tools build -o ../build/benchimport ./benchimport && build/benchimport $(ARGS)

proof: ## all targets proof-NAME in turn, one line each; ARGS="engine faults" for some
	$(GO) -C tools build -o ../build/prove ./proof && build/prove $(ARGS)

# SEED=1 draws the same requests again, as it was printed; REQUESTS=5000 draws as many.
proof-gateway: $(ENGINE) $(SAM)/installed ## AWS SAM's gateway and Lambda's emulator beside ours, asked the same; and hostile events
	@$(MAKE) --silent build BUILD_GOARCH=$(shell $(GO) env GOARCH)
	@$(GO) build $(FUNCTIONFLAGS) -o build/local ./cmd/local && $(GO) build -o build/partnerctl ./cmd/partnerctl
	@$(SAM)/bin/python scripts/gateway $(SEED:%=--seed %) $(REQUESTS:%=--requests %)

proof-stack: $(STATES)/installed ## the rendered stack in moto, and partnerctl --stack on it
	@$(GO) build -o build/partnerctl ./cmd/partnerctl
	@$(STATES)/bin/python scripts/stack.py $(RENDERED) build/partnerctl

proof-supply: $(SAM)/installed ## all programs built again in another folder, their zips, and what they are made of
	@$(GO) -C tools build -o ../build/supply ./supply && build/supply prove $(CYCLONEDX) $(SAM)/bin/python

# Ten minutes of a busy machine, four of one that has nothing else to do.
proof-engine: $(ENGINE) $(DYNAMODB_LOCAL)/installed ## the tests of what reads and writes tables, on Amazon's own engine; ARGS=-long leaves none out
	$(GO) -C tools build -o ../build/proofengine ./proofengine && build/proofengine $(ARGS)

# ARGS=-long has all tests of the product sent through it: some minutes more.
RECORDED := TestAnImportsRightsAreWhatItAsksFor|TestEveryRequestToTheTablesIsWithinItsRole|TestThePolicyIsWhatTheCommandsCall
proof-iam: $(ENGINE) .tools/iam/installed .tools/parliament/installed ## what functions and commands send, judged by an evaluator of IAM that is not ours
	@rm -rf build/iam && mkdir -p build/iam
	PARTNERVIEW_RECORD=$(CURDIR)/build/iam $(GO) test -count=1 -run '^($(if $(filter -long,$(ARGS)),.*,$(RECORDED)))$$' ./internal/e2e ./internal/inbox ./cmd/partnerctl
	@$(GO) -C tools build -o ../build/judge ./iam && build/judge

proof-load: $(ENGINE) $(DYNAMODB_LOCAL)/installed ## requests of 200 partners while the database fails, on both engines; ARGS="-for 5m" takes longer
	@$(GO) build $(FUNCTIONFLAGS) -o build/local ./cmd/local
	$(GO) -C tools build -o ../build/proofload ./proofload && build/proofload $(ARGS)

proof-leaks: $(ENGINE) ## a search for numbers, names and contents in all that the product emits; ARGS="-seed 1 -records 9000"
	$(GO) -C tools build -o ../build/leaks ./leaks && build/leaks $(ARGS)

proof-faults: $(ENGINE) ## each call to DynamoDB fails in each way, functions are killed, S3 fails, a disk is full; ARGS=-long for all pairs
	$(GO) -C tools build -o ../build/faults ./faults && build/faults $(ARGS)

# What fails ends it, once both engine and iam are run. Half a day of two processors.
proof-long: ## what make proof draws of, whole: ten minutes for each fuzz target, pairs of faults, ten minutes of load, a million records; and make release
	$(MAKE) release
	$(MAKE) -k proof-engine proof-iam ARGS=-long
	$(MAKE) proof-load ARGS="-for 10m"
	$(MAKE) proof-leaks ARGS="-records 20000"
	$(MAKE) bench-import
	$(MAKE) fuzz FUZZTIME=10m
	$(MAKE) proof-faults ARGS=-long

fuzz: $(ENGINE) ## each fuzz target for FUZZTIME (60s); SEEDS=only asks whether its seeds reach what it is for
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" scripts/fuzz.sh

# Without -race, under which it takes three times as long; a few runs of it are in make check.
model: $(ENGINE) ## 2,000 drawn runs that hold all totals to the sum over the records; RUNS=100, SEED=1 as it was printed
	$(GO) test -v -count=1 -timeout 40m -run '^TestTotalsAreTheSumOfTheRecords$$' ./internal/operator -rapid.checks=$(or $(RUNS),2000) $(SEED:%=-rapid.seed=%)

screenshots: $(ENGINE) ## a picture of each view of the dashboard, into build/screenshots; ARGS=firefox has it drawn by that
	$(GO) test ./internal/testkit/browser -count=1 -run '^TestEveryView(OfSingleSignOn)?$$/^$(or $(ARGS),chromium)$$' -args -screenshots $(CURDIR)/build/screenshots

clean: ## remove everything that the targets above made
	rm -rf build node_modules .tools .aws-sam $(CLIENTS)/typescript/node_modules $(CLIENTS)/*/generated

$(ENGINE): package.json package-lock.json .npmrc
	@command -v $(NPM) >/dev/null || { echo "The local database needs Node 20 or later: install it, or set DYNAMODB_ENDPOINT to one that runs already." >&2; exit 1; }
	$(NPM) ci --loglevel=error
	@touch $@

# What is on the list and nothing else (--no-deps), each by its hash, and as wheels: nothing is built, so that no code of a package
# runs before it is called. Then, whether the list has all that its packages ask for. uv takes a tenth of pip's time; it comes by pip,
# and asks the index that pip asks.
define VENV
$(UV)/bin/uv venv --quiet --clear --no-python-downloads --python "$$(command -v $(PYTHON))" $(@D)
@index=$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(UV)/bin/pip config get global.index-url 2>/dev/null)}}; \
	$(UV)/bin/uv pip install --quiet --python $(@D) $${index:+--default-index "$$index"} --require-hashes --only-binary :all: --no-deps --requirement $<
$(UV)/bin/uv pip check --quiet --python $(@D)
endef

$(UV)/installed: $(PINNED)/uv.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps --requirement $<
	@touch $@

.tools/%/installed: $(PINNED)/%.txt $(UV)/installed
	$(VENV)
	@touch $@

$(STATES)/installed: $(PINNED)/states.txt $(PINNED)/states/package-lock.json $(UV)/installed
	$(VENV)
	cp .npmrc $(PINNED)/states/package*.json $(@D)
	$(NPM) ci --prefix $(@D) --loglevel=error
	@touch $@

.tools/iam/installed: $(PINNED)/iam/package-lock.json
	@mkdir -p $(@D)
	cp .npmrc $(PINNED)/iam/package*.json $(@D)
	$(NPM) ci --prefix $(@D) --loglevel=error
	@touch $@

# For each system and processor and Python 3.11 and later. What is in a list already stays at its version.
COMPILE := $(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes --no-header

pins: $(UV)/installed ## tools/pinned: what its names bring, each by its hash; after each change of a name
	@for list in $(PINNED)/*.in; do $(COMPILE) $$list -o $${list%.in}.txt || exit 1; done
	@for package in $(PINNED)/*/package.json; do \
		cp .npmrc $${package%/*} && $(NPM) install --package-lock-only --prefix $${package%/*} --loglevel=error && rm $${package%/*}/.npmrc || exit 1; \
	done

# Needs a Java of 17 or later and Maven, which compares each file's checksum.
$(DYNAMODB_LOCAL)/installed: testdata/dynamodb-local/pom.xml Makefile
	@command -v $(MVN) >/dev/null || { echo "DynamoDB Local comes from Maven Central: install Maven, and a Java of 17 or later." >&2; exit 1; }
	@rm -rf $(DYNAMODB_LOCAL)
	$(MVN) --quiet --batch-mode -Dstyle.color=never --strict-checksums --file $< $(MAVEN_COPY) -DoutputDirectory=$(CURDIR)/$(DYNAMODB_LOCAL)/lib
	@touch $@

# The last line downloads openapi-generator, without running it: tools/clients compares its SHA-256 first. It also asks a
# search service for newer ones, and goes on where that cannot be reached.
$(CLIENTS)/typescript/node_modules/.installed: $(CLIENTS)/typescript/package-lock.json $(CLIENTS)/typescript/openapitools.json
	cd $(CLIENTS)/typescript && $(NPM) ci --loglevel=error
	cd $(CLIENTS)/typescript && node_modules/.bin/openapi-generator-cli version-manager set 7.23.0 >/dev/null 2>&1
	@touch $@
