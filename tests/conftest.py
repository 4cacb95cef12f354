import gc
import os
import shutil
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.template import Context, Template
from django.test import TransactionTestCase
from django.utils.safestring import SafeString
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests.audit.tsa import LocalTsa
from tests.services import Services
from tests.signing import Signing

if TYPE_CHECKING:
    from tests.journeys.chromium import OneChromium

# The same examples in every run, however busy the machine is; others by --hypothesis-profile default.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

STARTED_ONCE = ("installation", "one_chromium")
LONG = ("test_under_fire", "test_two_hosts", "test_two_processes", "test_one_domain")
NO_BROWSER = "The browser journeys need Chromium: install Debian's package chromium."


def pytest_collection_finish() -> None:
    """What thousands of collected tests hold stays to the end: the collector need not look through it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a whole installation comes first and together, then what needs a browser: one worker starts them.

    These take longest, and what waits long for a mail server comes next: the end of a run has no long test.
    """

    def place(item: pytest.Item) -> int:
        others = 8 if item.path.stem in LONG else 9
        return next((i for i, name in enumerate(STARTED_ONCE) if name in getattr(item, "fixturenames", ())), others)

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def _tell_of_pages_alone(django_test_environment: None) -> None:
    """Django's test client keeps a copy of all that each template is given: of each page, not of each box on it."""
    told = Template._render

    def render(template: Template, context: Context) -> SafeString:
        is_page = context.template is template and not str(template.name).startswith("django/forms/")
        return told(template, context) if is_page else template.nodelist.render(context)

    Template._render = render


@pytest.fixture(scope="session")
def _finish_database(django_db_modify_db_settings: None) -> Callable[[], None]:
    """From here on one parallel worker at a time makes its database; see tests/migrated.py."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return lambda: None
    from tests.migrated import MigratedOnce

    return MigratedOnce().finish


@pytest.fixture(scope="session")
def django_db_setup(
    _finish_database: Callable[[], None], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Generator[None]:
    """The roles are written once for all tests, and no event of it is in the trail; see tests/emptying.py."""
    from breachdesk.accounts.roles import write_roles
    from tests.emptying import Installed
    from tests.factories import unguarded

    _finish_database()
    with django_db_blocker.unblock():
        with unguarded():
            write_roles()
        installed = Installed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", installed.restore)
        yield


@pytest.fixture(scope="module")
def made_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """What a module's own fixtures make after this stays for all of its tests, each of which is undone by itself.

    For modules of which every test uses the database and none is transactional.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def committed_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """What a module makes is committed, as threads of the product need it, and the database is emptied at its end.

    For modules of which every test uses the database and none is transactional.
    """
    with django_db_blocker.unblock():
        yield
        TransactionTestCase._fixture_teardown()


@pytest.fixture
def superuser_sql(db):
    """What somebody can do who owns the database: the triggers do not fire for him."""

    def run(query, params=()):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(query, params)
            changed = cursor.rowcount
            cursor.execute("SET LOCAL session_replication_role = origin")
        assert changed, "nothing was tampered with"

    return run


@pytest.fixture
def signing(db, settings, tmp_path):
    """A signer with a key of its own; see tests/signing.py."""
    return Signing(settings, tmp_path)


@pytest.fixture
def local_tsa(tmp_path):
    """A time-stamping authority that runs beside the test."""
    with LocalTsa(tmp_path / "tsa") as tsa:
        yield tsa


@pytest.fixture
def start_service(db):
    """Starts a command that serves; see tests/services.py."""
    services = Services()
    yield services.start
    services.end()


@pytest.fixture(scope="session")
def one_chromium() -> "Generator[OneChromium]":
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        (pytest.fail if os.environ.get("REQUIRE_CHROMIUM") else pytest.skip)(NO_BROWSER)
    from tests.journeys.chromium import OneChromium

    one = OneChromium(path)
    yield one
    one.end()
