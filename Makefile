# Every target does its own set-up: Debian's packages (installed when root, else named), the virtual
# environment .venv, the build. A second run skips what is done.
#
#   make demo          simulated cameras, recorded for real; the page, and a live table of them
#   make test          all tests; TEST="tests/store -k lease" for some
#   make lint          format, lint and types of everything
#   make page-lint     the same of the page's scripts, and their tests without a browser
#   make screenshots   pictures of the main pages into docs/guide/images/
#   make native-test   C tests and fuzz replay under ASan and UBSan
#   make bench-record  the program of that name in bench/, with BENCH="its options"
#   make build         the extensions, in place

SHELL = /bin/sh
VENV ?= .venv
# The system's Python where it is new enough: a service user can read it, and a pyenv's in somebody's
# home it cannot.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
RUN = $(VENV)/bin
DONE = $(VENV)/done

NATIVE = setup.py pyproject.toml $(wildcard src/vonggac/_native/*.pyx src/vonggac/_native/*.pxd \
	native/src/*.c native/src/*.h native/include/vg/*.h)

# The tools that check the page (web/package.json). Nothing of them is shipped.
NODE_TOOLS = web/node_modules/.package-lock.json

.PHONY: all build demo test lint page-lint screenshots native-test clean
all: build

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "Please install Python 3.11 or newer (Debian: apt-get install python3)." >&2; exit 1; }
	@.ci/packages "$(PYTHON)" build
	"$(PYTHON)" -m venv $(VENV)

$(DONE)/tools: $(VENV)/bin/python pyproject.toml
	$(RUN)/python -m pip install -q --disable-pip-version-check --upgrade pip
	$(RUN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	print(*p["dependencies"], *p["optional-dependencies"]["test"], \
	*(d for d in p["optional-dependencies"]["dev"] if not d.startswith("vonggac")), sep="\n")' \
	    > $(VENV)/requirements.txt
	$(RUN)/python -m pip install -q --disable-pip-version-check -r $(VENV)/requirements.txt
	@mkdir -p $(DONE) && touch $@

$(DONE)/build: $(DONE)/tools $(NATIVE) .ci/packages
	@.ci/packages "$(PYTHON)" build
	@# setuptools warns of every editable installation that it is one.
	PYTHONWARNINGS=ignore $(RUN)/python -m pip install -q --disable-pip-version-check \
	    --no-build-isolation --no-deps -e .
	@touch $@

$(DONE)/test-packages: .ci/packages
	@mkdir -p $(DONE)
	@if .ci/packages "$(PYTHON)" test; then touch $@; else echo "Tests that need them will skip."; fi

$(DONE)/web-packages: .ci/packages
	@mkdir -p $(DONE)
	@if .ci/packages "$(PYTHON)" web; then touch $@; else echo "The tests in a browser will skip."; fi

$(NODE_TOOLS): web/package.json web/package-lock.json web/.npmrc | $(DONE)/web-packages
	@if ! command -v npm >/dev/null; then :; \
	elif (cd web && npm ci --silent); then touch $@; \
	else echo "npm ci failed: the tests in a browser will skip."; fi

build: $(DONE)/build

demo: build
	@$(RUN)/vonggac demo $(DEMO)

test: build $(DONE)/test-packages $(NODE_TOOLS)
	$(RUN)/python -m pytest $(TEST)

lint: build
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	PATH=$(abspath $(RUN)):$$PATH cython-lint src/vonggac/_native
	$(MAKE) -C native format CLANG_FORMAT=$(abspath $(RUN))/clang-format

page-lint: $(NODE_TOOLS)
	cd web && npm run --silent lint

screenshots: build $(NODE_TOOLS)
	$(RUN)/python tests/web/browser/screenshots.py docs/guide/images

native-test: $(VENV)/bin/python
	$(MAKE) -C native all test fuzz

bench-web: $(NODE_TOOLS)

bench-%: build
	$(RUN)/python bench/$*.py $(BENCH)

clean:
	rm -rf $(VENV) build dist native/build src/vonggac/_native/*.so
