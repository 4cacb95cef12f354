# make demo, make test, make check, make bench, make faults: all there is to remember. PYTHON=python3.13 takes another Python.
PYTHON ?= python3
VENV = $(if $(filter python3,$(PYTHON)),.venv,.venv-$(notdir $(PYTHON)))
RUN = $(VENV)/bin/python
PYTEST_ARGS =

.PHONY: demo test check bench faults lock python

demo: python
	@$(PYTHON) breachdesk/embedded/install.py $(VENV) requirements-embedded.lock
	@exec $(RUN) -m breachdesk.embedded

test: python
	@$(PYTHON) breachdesk/embedded/install.py $(VENV) requirements-dev.lock
	@exec $(RUN) -m pytest -n 4 --dist worksteal $(PYTEST_ARGS)

check: python
	@$(PYTHON) breachdesk/embedded/install.py $(VENV) requirements-dev.lock
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m breachdesk.embedded.production manage.py makemigrations --check --dry-run
	$(RUN) -m breachdesk.embedded.production manage.py check --deploy --fail-level WARNING
	$(RUN) -m pytest tests/test_structure.py

bench: python
	@$(PYTHON) breachdesk/embedded/install.py $(VENV) requirements-dev.lock
	$(RUN) -m tests.bench.import_people
	$(RUN) -m tests.bench.send
	$(RUN) -m tests.bench.send_whole
	$(RUN) -m tests.bench.slow_host
	$(RUN) -m tests.bench.trail
	$(RUN) -m tests.bench.people_page
	$(RUN) -m tests.bench.delivery_pages
	$(RUN) -m tests.bench.obligations
	$(RUN) -m tests.bench.filing_pdf
	$(RUN) -m tests.bench.letters
	$(RUN) -m tests.bench.rendering

faults: python
	@$(PYTHON) breachdesk/embedded/install.py $(VENV) requirements-dev.lock
	$(RUN) -m tests.faults.trail 120
	$(RUN) -m tests.faults.imports 100
	$(RUN) -m tests.faults.canaries 500
	$(RUN) -m tests.faults.forms
	EXAMPLES=500 $(RUN) -m pytest -n 0 tests/notifications/test_delivery_by_chance.py
	$(RUN) -m tests.faults.broken
	$(RUN) -m tests.faults.sending 50 --people 5000 --keep

LOCK = $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock" pyproject.toml

lock: python
	@$(PYTHON) breachdesk/embedded/install.py $(VENV) requirements-dev.lock
	$(LOCK) -o requirements.lock
	$(LOCK) --extra embedded -o requirements-embedded.lock
	$(LOCK) --extra dev -o requirements-dev.lock

# In words that any Python understands, however old.
python:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("BreachDesk needs Python 3.11 or newer and \
	$(PYTHON) is " + sys.version.split()[0] + ": name another, as in make demo PYTHON=python3.12")'
