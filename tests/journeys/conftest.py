from collections.abc import Iterator

import pytest

from tests.journeys.chromium import OneChromium
from tests.journeys.installation import Installation, running_installation
from tests.journeys.listening import complaints


@pytest.fixture
def browser(one_chromium: OneChromium) -> Iterator[object]:
    with one_chromium.in_use() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _no_complaints() -> Iterator[None]:
    complaints.clear()
    yield
    assert complaints == [], "the browser complains"


@pytest.fixture(scope="package")
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    # Where other tests need a migrated database anyway, it begins with a copy of theirs.
    if any(item.get_closest_marker("django_db") for item in request.session.items):
        request.getfixturevalue("django_db_setup")
    with running_installation(tmp_path_factory.mktemp("installation")) as installation:
        installation.manage("story", "--until", "organisation")
        yield installation
