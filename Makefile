# make run shows the bridge at work and make test proves it; each first installs what is missing, into .venv.
# A second call finds it there; a changed lock file installs again. make clean starts over.

PYTHON ?= python3
ARGS ?=
WORKERS ?= --numprocesses 2 --dist worksteal# of the tests; WORKERS= runs them one after the other
UPGRADE ?=

VENV := .venv
BIN := $(VENV)/bin
# A python that was asked for is taken or refused; otherwise the first that is new enough.
PYTHONS := $(if $(filter file,$(origin PYTHON)),$(PYTHON) python3.13 python3.12 python3.11,$(PYTHON))
UV := uv==0.13.8

export PATH := $(PATH):/usr/sbin# where Debian puts mosquitto
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.ONESHELL:
.SHELLFLAGS := -euc
.DELETE_ON_ERROR:
.PHONY: help run test test-all check reference bench lock format clean mosquitto

help: ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: $(VENV)/.run mosquitto ## show the bridge at work, on made-up providers and a broker of its own
	@exec $(BIN)/kwh2mqtt demo $(ARGS)

test: $(VENV)/.dev mosquitto ## run the tests (ARGS="-k curve" picks some)
	@$(BIN)/pytest -q $(WORKERS) $(ARGS)

test-all: $(VENV)/.dev mosquitto ## run the slow tests as well
	@$(BIN)/pytest -q $(WORKERS) -m "" $(ARGS)

check: $(VENV)/.dev ## lint, format and types
	@$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet || { echo "make format puts these right"; exit 1; }
	$(BIN)/mypy $(wildcard bridge tests bench)

format: $(VENV)/.dev ## put right what a tool can
	@$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

reference: $(VENV)/.dev ## write docs/topics.md anew, and the examples in it
	@$(BIN)/python -m tests.reference
	$(BIN)/kwh2mqtt schema --markdown >docs/topics.md

bench: $(VENV)/.dev mosquitto ## measure
	@$(BIN)/python -m bench $(ARGS)

# --universal writes markers, so that one file serves Python 3.11 to 3.13 and every machine;
# the versions that are locked stay unless UPGRADE=1.
COMPILE = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-build-options \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --group build pyproject.toml
lock: $(VENV)/pyvenv.cfg ## write the lock files anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@$(BIN)/python -m venv .venv-lock
	.venv-lock/bin/pip install --quiet $(UV)
	$(COMPILE) --output-file requirements.lock >/dev/null
	$(COMPILE) --extra demo --constraint requirements.lock --output-file requirements-demo.lock >/dev/null
	$(COMPILE) --extra dev --constraint requirements-demo.lock --output-file requirements-dev.lock >/dev/null

clean: ## remove what make made
	@rm -rf $(VENV) .venv-lock .hypothesis .mypy_cache .pytest_cache .ruff_cache .node-red build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define install
@echo "Installing $< into $(VENV) ..."
$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --requirement $<
$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
endef

# requirements.lock alone is for an installation that is to stay: it holds no broker, and has wheels for every machine.
$(VENV)/.run: requirements-demo.lock pyproject.toml bridge/__init__.py | $(VENV)/pyvenv.cfg
	$(install)
	touch $@

# The development lock holds all of the others, in the same versions.
$(VENV)/.dev: requirements-dev.lock pyproject.toml bridge/__init__.py | $(VENV)/pyvenv.cfg
	$(install)
	touch $(VENV)/.run $@

$(VENV)/pyvenv.cfg:
	@for python in $(PYTHONS) none; do
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
	done
	if [ "$$python" = none ]; then
	    echo "kwh2mqtt needs Python 3.11 or newer; none of these is: $(PYTHONS)" >&2
	    echo "Install one, or name it: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2
	    exit 1
	fi
	# Debian keeps a part of venv in a package of its own.
	"$$python" -c 'import ensurepip' 2>/dev/null || scripts/apt-install python3-venv
	"$$python" -m venv $(VENV)

mosquitto:
	@command -v mosquitto >/dev/null || scripts/apt-install mosquitto mosquitto-clients ||
	    echo "Going on without mosquitto: the demo uses nats-server, which speaks MQTT 3.1.1 only." >&2
