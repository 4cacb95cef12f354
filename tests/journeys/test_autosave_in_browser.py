"""A filing as it is typed: what the page keeps by itself, and what two at the same answer see of each other."""

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.installation import Installation
from tests.journeys.test_third_party_breach import log_the_breach, sign_in

pytestmark = pytest.mark.journey
MEANT = "status of 422|htmx:"


def test_an_answer_saves_itself_and_nothing_typed_is_lost(browser: Browser, installation: Installation) -> None:
    page = sign_in(browser, installation, "Incident responder", expected=MEANT)
    reference = log_the_breach(page)
    page = sign_in(browser, installation, "Data protection officer", expected=MEANT)
    page.goto(f"/incidents/{reference}/filings/")
    page.get_by_role("button", name="Begin the report to the ICO").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Report to the ICO")
    filing = page.url
    other = page.context.new_page()

    box = page.locator("#q-what_happened")
    box.get_by_role("textbox").first.fill("Half a sentence")
    expect(box.get_by_text("Not saved yet")).to_be_visible()
    other.goto(filing)
    again = other.locator("#q-what_happened")
    expect(again.get_by_role("textbox").first).to_have_value("Half a sentence")
    expect(again.get_by_text("Not saved yet")).to_be_visible()

    before = page.locator("#progress").inner_text()
    box.get_by_role("textbox").first.fill("A whole sentence")
    page.locator("#q-preventive_measures").get_by_role("textbox").first.fill("A contract.")
    expect(box.get_by_text("By hand,")).to_be_visible()
    expect(box.get_by_text("Not saved yet")).to_have_count(0)
    page.locator("#q-what_happened").get_by_role("textbox").first.focus()
    expect(page.locator("#progress")).not_to_have_text(before)

    again.get_by_role("textbox").first.fill("Words over a page that is behind")
    other.locator("#q-preventive_measures").get_by_role("textbox").first.focus()
    expect(again.get_by_text("changed this answer while you were typing")).to_be_visible()
    expect(again.get_by_role("textbox").first).to_have_value("Words over a page that is behind")
    again.get_by_role("button", name="Throw mine away").click()
    expect(again.get_by_role("textbox").first).to_have_value("A whole sentence")
