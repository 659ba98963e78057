# Short names for the commands of the README.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export OMP_WAIT_POLICY := PASSIVE

.PHONY: app check test miniatures screens slow bench peers gpu models chromium

app: $(READY)
	$(BIN)/glasshouse serve

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not long and not gpu and not browser and not notebook and not bench and not peers and not recipe"

test: check chromium
	$(BIN)/python -m pytest -q -n 2 -m "(long or recipe or notebook) and not slow"
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "browser and not slow"

slow: $(READY) chromium
	$(BIN)/python -m pytest -q -m slow

bench: $(READY) chromium
	$(BIN)/python -m pytest -q -s -m bench

# Other conformal libraries pin old packages, so they live apart; TorchCP is taken without what its other halves need.
peers:
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install -q -c constraints.txt -e ".[peers]" pytest
	$(VENV)-peers/bin/python -m pip install -q --no-deps puncc==0.9.3 torchcp==1.2.1
	$(VENV)-peers/bin/python -m pytest -q -s -m peers tests/benchmarks/test_conformal.py

gpu: $(READY)
	$(BIN)/python -m pytest -q -m gpu

models: $(READY)
	$(BIN)/python data/models/digits-logistic/recipe.py
	$(BIN)/python data/models/python-stdlib/recipe.py all

miniatures: $(READY) chromium
	$(BIN)/python data/miniatures/recipe.py
	$(BIN)/python data/manifest.py

# Every page, light and dark, projector and notebook width, on contact sheets in build/screens.
screens: $(READY) chromium
	$(BIN)/python tests/screens.py

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[dev]"
	touch $@

chromium:
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || command -v google-chrome >/dev/null || \
	(command -v apt-get >/dev/null && $$([ "$$(id -u)" = 0 ] || echo sudo) apt-get update -qq && \
	 $$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -y -qq chromium fonts-dejavu-core) || \
	(echo "The browser tests need Chromium: install it, or give its path as CHROMIUM=/path/to/chromium make test" >&2; exit 1)
