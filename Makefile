# What people type. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install staticfiles run test lint format lock lock-images schema image image-0.1.0 image-next image-patroni image-pgbouncer image-prometheus up down e2e-docker e2e-docs e2e-browser screenshots chart doctor e2e-kubernetes bench bench-instructions bench-overload bench-growth bench-scaling bench-image bench-chart bench-lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/run ## make .venv with what the service runs on

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tasklists needs Python 3.11 or newer; name one with `make PYTHON=python3.13`.")'
	$(PYTHON) -m venv .venv

.venv/run: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	@touch $@ .venv/run

staticfiles: .venv/run ## collect the files of the browser's pages, as the image does
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0

run: .venv/run ## serve on http://localhost:5000 with SQLite, reloading when code changes
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py runserver

test: .venv/dev staticfiles ## the whole suite, on SQLite and PostgreSQL at the same time
	$(BIN)/python -m tests.databases $(TESTS)

lint: .venv/dev staticfiles ## style, types, migrations, configuration, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))') $(BIN)/python manage.py check --deploy --fail-level WARNING
	SECRET_KEY=unused $(BIN)/gunicorn --check-config --config server/gunicorn.conf.py
	$(BIN)/python -m tests.locks $(LOCK)

format: .venv/dev ## write code as lint wants it
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --custom-compile-command 'make lock'

lock: .venv/dev ## renew the versions in requirements.txt, requirements-dev.txt and e2e/kubernetes/patroni.txt
	$(LOCK) --upgrade requirements.in --output-file requirements.txt
	$(LOCK) --upgrade requirements-dev.in --output-file requirements-dev.txt
	$(LOCK) --upgrade e2e/kubernetes/patroni.in --output-file e2e/kubernetes/patroni.txt

BASE = $(shell sed -n 's/^ARG PYTHON=\([^@]*\).*/\1/p' Dockerfile)

lock-images: ## pin the Dockerfile's base image to the digest that its tag has in the registry now
	digest=$$(docker buildx imagetools inspect $(BASE) | sed -n 's/^Digest: *//p') && test -n "$$digest" && \
	sed -i.old "s|^ARG PYTHON=.*|ARG PYTHON=$(BASE)@$$digest|" Dockerfile && rm Dockerfile.old

schema: .venv/run ## write docs/openapi.yaml
	$(BIN)/python manage.py spectacular --file docs/openapi.yaml

REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

image: ## build the image app:latest
	docker build --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) --tag app:latest .

PREVIOUS := $(shell cat e2e/kubernetes/previous-commit.txt)

image-0.1.0: ## build app:0.1.0 from the last commit of that version, from which e2e-kubernetes upgrades
	@git cat-file -e $(PREVIOUS)^{commit} || { \
	  echo "This clone lacks commit $(PREVIOUS): get the history with \`git fetch --unshallow\`."; exit 1; } >&2
	git archive $(PREVIOUS) | docker build --build-arg VERSION=0.1.0 --build-arg REVISION=$(PREVIOUS) --tag app:0.1.0 -

image-next: ## build app:next, which is app:latest with another version, to which e2e-kubernetes upgrades
	docker build --tag app:next - < e2e/kubernetes/next.Dockerfile

image-pgbouncer: ## build app:pgbouncer, with which e2e-kubernetes tests a pooler
	docker build --tag app:pgbouncer - < e2e/kubernetes/pgbouncer.Dockerfile

image-prometheus: ## build app:prometheus, with which e2e-kubernetes tests the monitoring
	docker build --tag app:prometheus - < e2e/kubernetes/prometheus.Dockerfile

image-patroni: ## build app:patroni, the database that fails over in e2e-kubernetes
	docker build --tag app:patroni --file e2e/kubernetes/patroni.Dockerfile e2e/kubernetes

up: image ## serve on http://localhost:5000 with PostgreSQL, by Docker Compose
	docker compose up --detach --wait

down: ## stop what `make up` started; its data stays
	docker compose down

e2e-docker: .venv/dev ## the image and Compose on the Docker Engine that answers here
	$(BIN)/python -m pytest e2e/docker

e2e-docs: .venv/dev staticfiles ## type the documents' commands, on that Engine and the cluster of KUBECONFIG
	$(BIN)/python -m pytest $(or $(TESTS),e2e/docs)

e2e-browser: .venv/dev staticfiles ## the page in Chromium, on both databases
	$(BIN)/python -m tests.databases --no-cov $(or $(TESTS),e2e/browser)

screenshots: .venv/dev staticfiles ## take the pictures of the page in docs/
	SCREENSHOTS=1 $(BIN)/python -m pytest -m screenshot $(or $(TESTS),e2e/browser)

chart: .venv/dev ## lint, schema, documentation and unit tests of the chart, with its examples
	PYTHON=$(CURDIR)/$(BIN)/python chart/ci/check

doctor: ## find where the way to the service in the cluster is broken; with NAMESPACE=… and SERVICE=… if need be
	@chart/doctor $(if $(NAMESPACE),-n $(NAMESPACE)) $(SERVICE)

e2e-kubernetes: .venv/dev ## the chart on the cluster of KUBECONFIG, whose nodes have app:latest, app:0.1.0, app:next, app:patroni, app:pgbouncer and app:prometheus
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile $(or $(TESTS),e2e/kubernetes)

bench-image: .venv/dev image ## measure the image: size, start, memory, stop
	$(BIN)/python -m bench.image

bench-chart: .venv/dev ## seconds from install to ready, of an upgrade, an outage and a failover, on that cluster
	$(BIN)/python -m bench.kubernetes

bench-scaling: .venv/dev ## seconds to scale out and back, and what overload does, on that cluster; needs vegeta
	$(BIN)/python -m bench.scaling

PEERS := $(notdir $(wildcard bench/peers/*))

bench: .venv/dev staticfiles $(PEERS:%=bench/.venvs/%/made) bench/.venvs/service/made ## compare the speed with other stacks, 20 minutes; with QUICK=1 three
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(BESIDE),--beside $(BESIDE))

bench-instructions: .venv/dev staticfiles bench/.venvs/service/made ## count the instructions of a request, which shows what a small change does
	$(BIN)/python -m bench.instructions $(if $(FOLDER),--folder $(FOLDER)) $(if $(METRICS),--metrics)

bench-overload: .venv/dev staticfiles ## measure how the service answers under too much load, 6 minutes
	$(BIN)/python -m bench.overload $(if $(BESIDE),--beside $(BESIDE))

bench-growth: .venv/dev staticfiles bench/.venvs/service/made ## measure how requests slow down as the tables grow, up to 10 million rows, half an hour
	$(BIN)/python -m bench.growth $(if $(SIZES),--sizes $(SIZES)) $(if $(BESIDE),--beside $(BESIDE))

# An environment for each stack: what one doesn't have on its own takes no memory in it.
define environment
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	$(BIN)/uv pip install --quiet --python $(@D) --require-hashes $(patsubst %,--requirement %,$(filter %.txt,$^))
	@touch $@
endef

bench/.venvs/service/made: requirements.txt | .venv/dev
	$(environment)

# granian serves this service, which needs its own packages as well.
bench/.venvs/granian/made: requirements.txt

bench/.venvs/%/made: bench/peers/%/requirements.txt | .venv/dev
	$(environment)

bench-lock: .venv/dev ## renew the versions of the other stacks
	for peer in $(PEERS); do $(subst make lock,make bench-lock,$(LOCK)) --upgrade bench/peers/$$peer/requirements.in --output-file bench/peers/$$peer/requirements.txt || exit 1; done

clean: ## delete what the other targets made, but not the database
	rm -rf .venv staticfiles .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
