"""With the Tab key alone, over pages as they are rendered: each stop is seen, named, large enough, and lets go again.

The pages are rendered first and then served to the browser from memory: no server and no process is needed for this.
"""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route

from notifications.actions import create_notice
from regulators import actions
from regulators.actions import NewAnswer
from regulators.sheet import sheet_of
from tests.factories import (
    LIST,
    make_edition,
    make_edition_being_sent,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_upload,
    make_user,
)
from tests.journeys.listening import listen

pytestmark = [pytest.mark.journey, pytest.mark.django_db]
STATIC = Path(__file__).parent.parent.parent / "breachdesk" / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
DESK = "http://desk.example"
MOST_STOPS = 250
# Made of what the others are made of: only looked at.
NOT_WALKED = ("/schedule/", "/coverage/", "/test/", "/hotline/", "/counts/")
LONG = "Rechtsschutzversicherungsgesellschaftskundenstammdatenbereinigungsexport"
# What is wrong with where the focus is now, in words; null once it has left the page.
LOOK = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const box = at.matches("[type=radio], [type=checkbox]") ? at.closest("label") || at : at;
    const hasRing = (one) => one && getComputedStyle(one).outlineStyle !== "none"
        && parseFloat(getComputedStyle(one).outlineWidth) > 1;
    const ringed = [at, at.closest("label"), at.closest(".finder")].some(hasRing);
    const { left, right, top: begins, bottom } = at.getBoundingClientRect();
    // Of a text longer than the window the browser shows the line that is written in: here its last one.
    const isLong = at.matches("textarea") && bottom - begins > innerHeight;
    const top = isLong ? bottom - 24 : begins;
    const height = at.matches("textarea") ? 24 : bottom - top;
    const seen = top >= -1 && left >= -1 && right <= innerWidth + 1 && top + Math.min(height, 99) <= innerHeight + 1;
    const there = document.elementFromPoint(left + Math.min((right - left) / 2, 30), top + Math.min(height, 99) / 2);
    const { offsetWidth: wide, offsetHeight: high } = box;
    const inText = at.matches("a") && getComputedStyle(at).display === "inline";
    const labels = [...(at.labels || [])].map((one) => one.textContent).join(" ");
    const name = (at.getAttribute("aria-label") || at.textContent || labels || at.title).trim();
    const wrong = [
        !ringed && "has no ring", !seen && "is out of sight", !name && "has no name",
        (!there || !(box.contains(there) || there.contains(box))) && "is covered",
        (high < 24 || (wide < 24 && !inText)) && `is ${wide} by ${high} px`,
    ].filter(Boolean);
    return wrong.length ? `${at.tagName} ${at.id || at.className} “${name.slice(0, 40)}” ${wrong.join(", ")}` : "";
}"""


@pytest.fixture
def pages() -> dict[str, bytes]:
    """By their address, as an officer who also hands in lists gets them."""
    make_organisation()
    user = make_user("dpo", "responder", "author", "approver", name=f"Hubertus {LONG}")
    incident = make_incident(title=LONG)
    make_people(incident, name=f"{LONG}.csv")
    upload = make_upload(incident, f"{LIST}HR-9,Ann,Bell,ann@example.com,,,GB,en,,\n", name=f"2026_{LONG}.csv", by=user)
    waiting = make_edition_in_review(make_edition(incident))
    draft = create_notice(incident, title=LONG, by=user).editions.get()
    filing = actions.open_filing(incident, "uk_ico", by=user)
    texts = {
        "preventive_measures": "Ein Satz. " * 500,
        "is_cyber_incident": "no",
        "reason_for_report": "meets_threshold",
    }
    texts |= {"organisation_size": "at_least_250", "first_breach_contact": "yes"}
    filing = actions.save_answers(filing, {key: NewAnswer(0, text) for key, text in texts.items()}, by=user)
    parts = sheet_of(filing, at=timezone.now()).parts
    assert any(part.asked and part.is_complete for part in parts), "The page should have a section that is folded."
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    case = [incident.reference]
    addresses = [
        filing.get_absolute_url(),
        reverse("people", args=case),
        reverse("upload-match", args=[*case, upload.pk]),
        reverse("people-counts", args=case),
        reverse("assessment", args=case),
        reverse("duty-state", args=[*case, "data.unreadable"]),
        reverse("edition-review", args=[*case, waiting.pk]),
        reverse("edition-edit", args=[*case, draft.pk]),
        reverse("edition-schedule", args=[*case, draft.pk]),
        reverse("edition-coverage", args=[*case, draft.pk]),
        reverse("edition-test", args=[*case, draft.pk]),
        reverse("notice-audience", args=[*case, draft.notice_id]),
        reverse("hotline", args=case),
        reverse("incident-detail", args=case),
        page_of_a_send(),
    ]
    return {address: client.get(address).content for address in addresses}


def page_of_a_send() -> str:
    edition = make_edition_being_sent()
    return reverse("send", args=[edition.notice.incident.reference, edition.pk])


def open_in(browser: Browser, pages: dict[str, bytes], scheme: str, width: int) -> Page:
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(DESK).partition("#")[0]
        file = STATIC / path.removeprefix("/static/")
        if path in pages:
            route.fulfill(body=pages[path], content_type="text/html; charset=utf-8")
        elif path.startswith("/static/"):
            route.fulfill(body=file.read_bytes(), content_type=KINDS[file.suffix])
        else:
            route.fulfill(status=204)

    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}, "reduced_motion": "reduce"}
    page = browser.new_context(**look).new_page()
    listen(page)
    page.route("**/*", serve)
    return page


def walk(page: Page) -> list[str]:
    """What is wrong with each stop, in order; it ends where the focus leaves the page."""
    wrong: list[str] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(LOOK)
        if found is None:
            return wrong
        wrong += [found] if found else []
    return [f"After {MOST_STOPS} stops the focus is still on the page.", *wrong]


def test_each_stop_of_the_tab_key_is_seen(pages: dict[str, bytes], browser: Browser) -> None:
    wrong: list[str] = []
    report, *others = [one for one in pages if not one.endswith(NOT_WALKED)]
    *others, case, send = others
    # The report has by far the most stops; on a phone the bar with its button lies over it.
    for scheme, width, walked in (("light", 1440, others), ("dark", 390, [report, others[0], case, send])):
        page = open_in(browser, pages, scheme, width)
        for address in pages:
            page.goto(f"{DESK}{address}")
            page.evaluate("document.querySelectorAll('details.folded').forEach((one) => { one.open = true; })")
            sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found = [f"It scrolls sideways by {sideways} pixels."] if sideways else []
            found += walk(page) if address in walked else []
            wrong += [f"{address}, {scheme}, {width} px: {one}" for one in found]
    assert not wrong, "\n".join(["", *wrong])

    page = open_in(browser, pages, "light", 1440)
    page.goto(f"{DESK}{next(iter(pages))}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    page.locator(".account summary").press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Change your password"
    page.keyboard.press("Escape")
    assert page.locator(".account").get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.locator(".account").get_attribute("open") is None, "an open menu would lie over what has the focus"
