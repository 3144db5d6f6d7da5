# Everything runs in .venv, which make builds from hashed constraints; `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo demo-check test check bench bench-gateway bench-policy bench-node faults lock clean

help:            ## this list
	@grep -E '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# Two stamps, so that the demo does not wait for the test tools.
$(VENV)/.runtime: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "crocevia needs Python 3.11 or later; set PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned runtime packages into $(VENV) ..."
	@$(PIP) install --require-hashes -r constraints.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime constraints-dev.txt
	@echo "installing the pinned development packages into $(VENV) ..."
	@$(PIP) install --require-hashes -r constraints-dev.txt
	@touch $@

demo: $(VENV)/.runtime           ## start the demo federation and print what to ask
	@$(BIN)/crocevia demo

demo-check: $(VENV)/.runtime     ## start it, ask, verify every answer and ledger, stop
	@$(BIN)/crocevia demo --check

test: $(VENV)/.dev               ## the whole test suite
	@$(BIN)/python -m pytest

check: $(VENV)/.dev              ## format, lint, types and import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: bench-policy bench-gateway bench-node   ## all benchmarks, with the peers that are installed

bench-policy: $(VENV)/.dev       ## compile, look up and decide, beside another engine
	@$(BIN)/python tests/bench/policy/bench_policy.py

bench-gateway: $(VENV)/.dev      ## the engine, beside gateways from npm where CROCEVIA_PEERS names their folder
	@$(BIN)/python tests/bench/gateway/run.py

bench-node: $(VENV)/.dev         ## the data plane, beside another in Python and one from npm where CROCEVIA_PEERS has it
	@$(BIN)/python tests/bench/node/run.py

faults: $(VENV)/.dev             ## faults and attackers: everything, or FAULTS="--quick" in some minutes; a table of what was lost
	@$(BIN)/python tests/faults/campaign.py $(FAULTS)

lock: $(VENV)/.dev               ## renew the constraints files (names, versions and hashes; no hosts)
	@$(BIN)/python -m pip --quiet install uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml tests/build.in --output-file constraints.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev --constraints constraints.txt pyproject.toml --output-file constraints-dev.txt

clean:           ## remove the environment and the demo's files
	@rm -rf $(VENV) .crocevia build dist
