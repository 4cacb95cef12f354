"""A file of affected people in a browser: what a script adds, and that all of it works without one."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from breachdesk.embedded.invented_people import write_people
from tests.journeys.installation import Installation
from tests.journeys.test_third_party_breach import log_the_breach, sign_in

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def page(browser_of_module: Browser, installation: Installation) -> Page:
    return sign_in(
        browser_of_module, installation, "Incident responder", expected="status of 422|htmx:(afterRequest|sendAbort)"
    )


@pytest.fixture
def people_page(page: Page) -> str:
    page.goto("/")
    return f"/incidents/{log_the_breach(page)}/people/"


def without_script(browser: Browser, page: Page, installation: Installation) -> Page:
    """The same colleague in a browser that runs no script."""
    context = browser.new_context(
        base_url=installation.address, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    return context.new_page()


@contextmanager
def slow_line(page: Page) -> Iterator[None]:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 60_000}
    session.send("Network.emulateNetworkConditions", limits)
    yield
    session.detach()


def test_what_is_sent_is_told_in_bytes_and_can_be_stopped(page: Page, people_page: str, tmp_path: Path) -> None:
    file = tmp_path / "deliveries.csv"
    write_people(file, 6_000, seed=3)
    page.goto(people_page)
    sent, button = page.locator("[data-sent]"), page.get_by_role("button", name="Seal it and match its columns")
    expect(sent).to_be_hidden()
    page.get_by_label("Drop the list of people").set_input_files(file)
    expect(page.locator("[data-chosen]")).to_contain_text(re.compile(r"deliveries\.csv, \d+\.\d\sKB"))

    with slow_line(page):
        button.click()
        expect(page.locator("[data-told]")).to_contain_text(re.compile(r"\d+\.\d\sKB of \d+\.\d\sKB sent"))
        expect(button).to_be_hidden()
        page.get_by_role("button", name="Stop").click()
        expect(sent).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Nobody is on the list yet")).to_be_visible()

    page.get_by_label("Drop the list of people").set_input_files(file)
    button.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("What are the 13 columns", timeout=60_000)


def test_a_refusal_stands_on_the_page_and_the_next_file_is_taken(page: Page, people_page: str, tmp_path: Path) -> None:
    empty, file = tmp_path / "empty.csv", tmp_path / "deliveries.csv"
    empty.write_bytes(b"")
    write_people(file, 20, seed=3)
    page.goto(people_page)
    field, button = page.get_by_label("Drop the list of people"), page.get_by_role("button", name="Seal it")
    field.set_input_files(empty)
    with page.expect_response(lambda answer: answer.status == 422):
        button.click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator(".error-summary")).to_contain_text("The file is empty.")
    field.set_input_files(file)
    expect(page.locator("[data-chosen]")).to_contain_text("deliveries.csv")
    button.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("What are the 13 columns", timeout=60_000)


def test_focus_stays_where_it_was_when_the_rows_are_shown_anew(page: Page, people_page: str, tmp_path: Path) -> None:
    file = tmp_path / "deliveries.csv"
    write_people(file, 20, seed=3)
    page.goto(people_page)
    page.get_by_label("Drop the list of people").set_input_files(file)
    page.get_by_role("button", name="Seal it").click()
    encoding = page.get_by_label("Encoding")
    encoding.focus()
    with page.expect_response(lambda answer: "/match/" in answer.url):
        encoding.select_option("cp1252")
    expect(page.locator('[name="shown"]')).to_have_value(re.compile('"encoding": "cp1252"'))
    expect(page.get_by_label("Encoding")).to_be_focused()


def test_all_of_it_works_without_a_script(
    browser_of_module: Browser, page: Page, installation: Installation, people_page: str, tmp_path: Path
) -> None:
    file = tmp_path / "deliveries.csv"
    expected = write_people(file, 40, seed=5)
    plain = without_script(browser_of_module, page, installation)
    plain.goto(people_page)
    plain.get_by_label("Drop the list of people").set_input_files(file)
    plain.get_by_role("button", name="Seal it and match its columns").click()
    plain.get_by_label("Encoding").select_option("cp1252")
    plain.get_by_role("button", name="Show the rows like this").click()
    plain.get_by_label("Encoding").select_option("utf-8")
    plain.get_by_role("button", name="Read all of it like this").click()
    expect(plain.locator("body")).to_contain_text("You changed how the file is read")
    plain.get_by_role("button", name="Read all of it like this").click()

    look_until(plain, f"{expected.people} people would come in")
    for box in plain.get_by_label("Why is that right?").all():
        box.fill("The carrier confirmed it.")
    plain.get_by_role("button", name="Take in 40 people").click()
    look_until(plain, "40 people came in with this file")


def look_until(page: Page, words: str) -> None:
    """Presses “Look again” until the page says so."""
    heading, again = page.get_by_role("heading", level=1), page.get_by_role("link", name="Look again")
    deadline = time.monotonic() + 120
    while words not in heading.inner_text():
        assert time.monotonic() < deadline, heading.inner_text()
        if again.count():
            again.click()
        else:
            page.wait_for_timeout(100)
