from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.chromium import OneChromium
from tests.journeys.installation import Installation, running_installation
from tests.journeys.listening import complaints


@pytest.fixture
def browser(one_chromium: OneChromium) -> Iterator[Browser]:
    with one_chromium.in_use() as browser:
        yield browser


@pytest.fixture(scope="module")
def browser_of_module(one_chromium: OneChromium) -> Iterator[Browser]:
    """For modules whose tests share a window, and of which none uses the database."""
    with one_chromium.in_use() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _no_complaints() -> Iterator[None]:
    """Those of a window that a module's tests share are told with its first test."""
    yield
    told = complaints.copy()
    complaints.clear()
    assert told == [], "the browser complains"


@pytest.fixture(scope="package")
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    # Where other tests need a migrated database anyway, it begins with a copy of theirs.
    if any(item.get_closest_marker("django_db") for item in request.session.items):
        request.getfixturevalue("django_db_setup")
    with running_installation(tmp_path_factory.mktemp("installation")) as installation:
        installation.manage("story", "--until", "organisation")
        yield installation
