import os
import shutil
from collections.abc import Iterator

import pytest

from tests.journeys.installation import Installation, running_installation
from tests.journeys.listening import complaints

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
NO_BROWSER = "The browser journeys need Chromium: install Debian's package chromium."


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None and os.environ.get("REQUIRE_CHROMIUM"):
        pytest.fail(NO_BROWSER)
    if path is None:
        pytest.skip(NO_BROWSER)
    return path


# Playwright keeps an event loop running in this thread, in which no other test could start its own: so not for longer.
@pytest.fixture
def browser(chromium: str) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _no_complaints() -> Iterator[None]:
    complaints.clear()
    yield
    assert complaints == [], "the browser complains"


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running_installation(tmp_path_factory.mktemp("installation")) as installation:
        installation.manage("story", "--until", "organisation")
        yield installation
