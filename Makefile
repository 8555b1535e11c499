# `make help` lists the targets. Each environment is made once, and again when its lock file changes.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 3000
DEVICE ?= auto
IMAGE ?= faussaire
ENGINE ?= $(notdir $(shell command -v podman || command -v docker || echo podman))

# BentoML takes an address and no name. An address of IPv6 may have brackets.
ADDRESS := $(PYTHON) -c "import socket, sys; print(sorted(socket.getaddrinfo(sys.argv[1].strip('[]'), None))[0][4][0])"

BIN := .venv/dev/bin
PIP := -m pip --disable-pip-version-check --quiet
LOCKED := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
LOCK := $(BIN)/uv pip compile pyproject.toml $(LOCKED)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve monitor test check format lint types layers pytest observe-test page-test exact-test clients-test faults bench-serve bench-check bench-train audit fuzz soak install lock models image image-gpu \
	image-training image-test python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/serve/installed ## serve models/ at http://127.0.0.1:3000 (HOST=, PORT=; FAUSSAIRE_OPEN=true for other machines)
	@# A server that starts wipes the workers' metrics in BENTOML_HOME, so this checkout has its own.
	@mkdir -p "$(CURDIR)/.bentoml"
	BENTOML_HOME="$(CURDIR)/.bentoml" BENTOML_DO_NOT_TRACK=True \
		.venv/serve/bin/bentoml serve . --host $$($(ADDRESS) '$(HOST)') --port $(PORT) --timeout-graceful-shutdown 20

monitor: .venv/dev/installed ## serve, with Prometheus at :9090 and Alertmanager at :9093 (HOST=, PORT=)
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python -m monitoring.local

test: check ## the same as check

check: format lint types layers pytest ## format, lint, types, layers and tests

format: .venv/dev/installed
	$(BIN)/ruff format --check

lint: .venv/dev/installed
	$(BIN)/ruff check

types: .venv/dev/installed
	$(BIN)/mypy

layers: .venv/dev/installed
	$(BIN)/lint-imports

pytest: .venv/dev/installed
	$(BIN)/python -m pytest

observe-test: .venv/dev/installed ## check metrics, rules, alerts and dashboard with a real Prometheus
	$(BIN)/python -m pytest tests/observability

page-test: .venv/dev/installed ## drive the playground in a real browser (needs chromium, node and npm)
	$(BIN)/python -m pytest tests/page

exact-test: .venv/dev/installed ## prove that every batch, runtime and optimisation draws the same pixels (needs node and npm)
	$(BIN)/python -m pytest tests/exact

faults: .venv/dev/installed ## see that the service and training bear kills, a full disk, lost models and the like (five minutes)
	$(BIN)/python -m pytest tests/faults

audit: .venv/audit/installed ## look for known holes in the packages of requirements/ (needs an index with data on them)
	.venv/audit/bin/python -m container.audit

clients-test: .venv/dev/installed .venv/clients/installed .venv/loaders/installed ## draw by clients of others: curl, Node, Java, two that are generated, and loaders of data sets (needs node and npm)
	$(BIN)/python -m pytest tests/clients

bench-serve: .venv/dev/installed .venv/serve/installed .venv/peers/installed ## compare the service with its peers (ten minutes, needs wrk)
	$(BIN)/python -m bench.compare
	$(BIN)/python -m bench.formats
	$(BIN)/python -m bench.load

bench-check: .venv/dev/installed .venv/serve/installed ## fail if a request costs twice what it did (a minute, needs wrk)
	$(BIN)/python -m bench.compare --peers-python .venv/serve/bin/python --only faussaire,bare --images 1 --check

bench-train: .venv/dev/installed ## compare training with a plain loop of the same networks (minutes, needs real MNIST in FAUSSAIRE_DATA_DIR)
	$(BIN)/python -m bench.train

fuzz: .venv/dev/installed .venv/clients/installed ## send 10,000 requests that are wrong in some way, by schemathesis and by raw bytes (minutes)
	$(BIN)/python -m pytest tests/fuzz

soak: .venv/dev/installed ## use and abuse a server for MINUTES= (10) and see that it stays as it was (needs wrk)
	$(BIN)/python -m bench.soak $(MINUTES)
	$(BIN)/python -m bench.soak 1 --leak

install: .venv/dev/installed ## make .venv/dev with the faussaire command

models: .venv/dev/installed ## train and export the generators of models/ again (DEVICE=)
	$(BIN)/faussaire train cgan --data mnist --epochs 32 --device $(DEVICE)
	$(BIN)/faussaire export runs/cgan-mnist-0 -o models/mnist-cgan.onnx
	$(BIN)/faussaire train cgan --data fashion-mnist --epochs 32 --device $(DEVICE)
	$(BIN)/faussaire export runs/cgan-fashion-mnist-0 -o models/fashion-cgan.onnx
	$(BIN)/faussaire train infogan --data mnist --epochs 32 --device $(DEVICE)
	$(BIN)/faussaire export runs/infogan-mnist-0 -o models/mnist-infogan.onnx
	$(BIN)/faussaire train infogan --data fashion-mnist --epochs 32 --device $(DEVICE)
	$(BIN)/faussaire export runs/infogan-fashion-mnist-0 -o models/fashion-infogan.onnx

# BentoML needs uv to build; without the locked uv on PATH it would install another.
image: .venv/dev/installed ## build the container image with podman or docker (IMAGE=, ENGINE=)
	@PATH="$(CURDIR)/$(BIN):$$PATH" container/build.sh bentofile.yaml $(IMAGE):latest

image-gpu: .venv/dev/installed ## build the container image with CUDA
	@PATH="$(CURDIR)/$(BIN):$$PATH" container/build.sh bentofile-gpu.yaml $(IMAGE):gpu

image-test: .venv/dev/installed ## build the image and run it as a cluster does (five minutes, needs podman and root)
	$(BIN)/python -m pytest tests/container

image-training: ## build the image that trains on a cluster, with podman or docker (ENGINE=)
	$(ENGINE) build --file k8s/training/Dockerfile --tag faussaire-training:latest .

# dev has all packages of the others, and they take its versions. Pinned versions stay;
# `make lock UPGRADE=--upgrade` takes the newest.
lock: .venv/dev/installed ## write requirements/*.txt from pyproject.toml (UPGRADE=--upgrade)
	$(LOCK) $(UPGRADE) --extra serve --extra train --extra dev --group sbom -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt -o requirements/client.txt
	$(LOCK) --extra serve -c requirements/dev.txt -o requirements/serve.txt
	$(LOCK) --extra serve-gpu -c requirements/dev.txt -o requirements/serve-gpu.txt
	$(BIN)/uv pip compile --group peers -c requirements/dev.txt -o requirements/peers.txt $(LOCKED)
	$(LOCK) --group audit -o requirements/audit.txt
	$(LOCK) --group clients -o requirements/clients.txt
	$(LOCK) --group loaders -o requirements/loaders.txt
	$(BIN)/uv pip compile --group sbom -c requirements/dev.txt -o requirements/sbom.txt $(LOCKED)
	$(LOCK) --extra train -c requirements/dev.txt -o requirements/train.txt

.venv/serve/installed: requirements/serve.txt | python
	@echo "Installing the packages that serve into .venv/serve: one minute, once."
	@$(PYTHON) -m venv --clear .venv/serve
	@.venv/serve/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

.venv/peers/installed: requirements/peers.txt | python
	@echo "Installing the service's peers into .venv/peers: one minute, once."
	@$(PYTHON) -m venv --clear .venv/peers
	@.venv/peers/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

.venv/audit/installed: requirements/audit.txt | python
	@echo "Installing pip-audit into .venv/audit: half a minute, once."
	@$(PYTHON) -m venv --clear .venv/audit
	@.venv/audit/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

.venv/clients/installed: requirements/clients.txt | python
	@echo "Installing a generator of clients into .venv/clients: a minute, once."
	@$(PYTHON) -m venv --clear .venv/clients
	@.venv/clients/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

.venv/loaders/installed: requirements/loaders.txt | python
	@echo "Installing loaders of data sets into .venv/loaders: a minute, once."
	@$(PYTHON) -m venv --clear .venv/loaders
	@.venv/loaders/bin/python $(PIP) install --require-hashes -r $<
	@touch $@

.venv/dev/installed: requirements/dev.txt pyproject.toml | python
	@echo "Installing the packages that train and test into .venv/dev: some minutes, once; torch is large."
	@test -x .venv/dev/bin/python || $(PYTHON) -m venv .venv/dev
	@.venv/dev/bin/python $(PIP) install --require-hashes -r requirements/dev.txt
	@.venv/dev/bin/python $(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: '$(PYTHON)' is not Python 3.11 or later; name one that is: make PYTHON=python3.11 ..." >&2; exit 1; }
