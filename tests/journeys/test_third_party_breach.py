"""The product in one browser: four people sign in, one after the other, and the whole job is done."""

import re
from base64 import b64encode
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from breachdesk.embedded.invented_people import Expected, write_people
from breachdesk.embedded.story import words
from tests.desk.exporting import check
from tests.journeys import notice_steps
from tests.journeys.installation import Installation
from tests.journeys.listening import listen

pytestmark = pytest.mark.journey
BEGIN = re.compile(r"Begin the report to the ICO\s*:\s*Personal data breach report")
PEOPLE = 300
REFUSED = r"status of 409"  # a notice that a check stops
TITLE = "Delivery list copied at Larkfield Parcels"


def sign_in(browser: Browser, installation: Installation, role: str, *, expected: str = "(?!)") -> Page:
    page = browser.new_context(base_url=installation.address, timezone_id="Europe/London").new_page()
    listen(page, expected=expected)
    email, password = installation.sign_ins[role]
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def log_the_breach(page: Page) -> str:
    page.get_by_role("link", name="Log a breach").first.click()
    aware = datetime.now(ZoneInfo("Europe/London")) - timedelta(hours=5)
    page.get_by_label("Date", exact=True).first.fill(f"{aware:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).first.fill(f"{aware:%H:%M}")
    page.get_by_label("How did you become aware?").fill("Larkfield rang the service desk.")
    page.get_by_label("What happened", exact=True).fill("Our carrier Larkfield Parcels lost our delivery list.")
    page.get_by_label("Short title").fill(TITLE)
    page.get_by_text("At a company that works for us").click()
    page.get_by_label("Which company?").fill("Larkfield Parcels")
    for kind in ("Names", "Email addresses", "Postal addresses", "Phone numbers", "Orders and purchases"):
        page.get_by_text(kind, exact=True).click()
    page.get_by_text("Customer or loyalty numbers").click()
    page.get_by_text("Dates of birth").click()
    page.locator('[name="how_many"][value="not_known"]').check()
    page.get_by_role("button", name="Log it and start the clocks").click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    return re.search(r"/incidents/([^/]+)/", page.url).group(1)


# As a desktop lets go of a file over the page. Only a page itself can make what is dropped.
DROP = """async ([name, encoded]) => {
    const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
    const dropped = new DataTransfer();
    dropped.items.add(new File([bytes], name, { type: "text/csv" }));
    const over = { bubbles: true, cancelable: true, dataTransfer: dropped };
    document.querySelector("h1").dispatchEvent(new DragEvent("dragover", over));
    document.querySelector("h1").dispatchEvent(new DragEvent("drop", over));
}"""


def load_the_people(page: Page, reference: str, folder: Path) -> tuple[Path, Expected]:
    file = folder / "deliveries.csv"
    expected = write_people(file, PEOPLE, seed=7)
    page.goto(f"/incidents/{reference}/people/")
    page.evaluate(DROP, [file.name, b64encode(file.read_bytes()).decode()])
    expect(page.locator("[data-chosen]")).to_contain_text("deliveries.csv")
    page.get_by_role("button", name="Seal it and match its columns").press("Enter")
    match_the_columns(page)
    take_them_in(page)
    page.get_by_role("link", name="People", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{PEOPLE} people are affected")
    return file, expected


def match_the_columns(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        "What are the 13 columns of deliveries.csv?", timeout=60_000
    )
    expect(page.get_by_label("email becomes")).to_have_value("email")
    # Another encoding shows other rows, and back again: each time the table itself is new.
    for encoding in ("cp1252", "utf-8"):
        with page.expect_response(lambda answer: answer.request.method == "POST" and "/match/" in answer.url):
            page.get_by_label("Encoding").select_option(encoding)
        expect(page.locator('[name="shown"]')).to_have_value(re.compile(f'"encoding": "{encoding}"'))
    page.get_by_label("tier becomes").select_option("extra:tier")
    page.get_by_label("Keep these choices as").fill("Larkfield deliveries")
    page.get_by_role("button", name="Read all of it like this").click()


def take_them_in(page: Page) -> None:
    """Watches until the page itself says what would come in, explains whatever must be, and takes it in."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{PEOPLE} people would come in", timeout=60_000)
    for box in page.get_by_label("Why is that right?").all():
        box.fill("Larkfield confirmed it by telephone.")
    page.get_by_role("button", name=f"Take in {PEOPLE} people").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("came in with this file", timeout=60_000)


def write_approve_and_start(author: Page, approver: Page, reference: str) -> None:
    """Approved, changed by a character, approved anew; the other language waits for nobody."""
    notice_steps.write_in_two_languages(author, reference)
    notice_steps.read_and_approve(approver, reference, "English")
    notice_steps.change_what_was_approved(author, reference, "English")
    notice_steps.read_and_approve(approver, reference, "French")
    notice_steps.start(approver, reference, "French")
    notice_steps.read_and_approve(approver, reference, "English")
    notice_steps.start(approver, reference, "English")


def answer(box: Locator, given: object) -> None:
    match given:
        case dict():
            for name, text in given.items():
                box.locator(f'[name$="-{name}"]').fill(text)
        case list():
            for value in given:
                box.locator(f'input[value="{value}"]').check()
        case str():
            option = box.locator(f'input[value="{given}"]')
            if option.count():
                option.check()
            else:
                box.locator("textarea, input[type=text]").first.fill(given)


def file_the_report(page: Page, reference: str) -> Path:
    page.goto(f"/incidents/{reference}/filings/")
    with page.expect_navigation():
        page.get_by_role("button", name=BEGIN).click()
    for _ in range(6):
        page.get_by_role("button", name="Ask for sign-off").wait_for()
        missing = [box.get_attribute("id") for box in page.locator(".answer.missing").all()]
        if not missing:
            break
        for name in missing:
            answer(page.locator(f"#{name}"), words.ANSWERS[name.removeprefix("q-")])
        with page.expect_navigation():
            page.get_by_role("button", name="Save the answers").click()
    page.get_by_role("button", name="Ask for sign-off").click()
    page.get_by_role("button", name=re.compile("Sign off as")).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export PDF").click()
    return Path(download.value.path())


def test_the_whole_job_in_a_browser(browser: Browser, installation: Installation, tmp_path: Path) -> None:
    responder = sign_in(browser, installation, "Incident responder")
    reference = log_the_breach(responder)
    file, expected = load_the_people(responder, reference, tmp_path)
    before = len(installation.mail)
    author = sign_in(browser, installation, "Comms author", expected=REFUSED)
    approver = sign_in(browser, installation, "Comms approver")
    write_approve_and_start(author, approver, reference)

    check_the_mail(installation, file, expected)
    assert len(installation.mail) - before >= PEOPLE - expected.without_email
    dpo = sign_in(browser, installation, "Data protection officer")
    assert file_the_report(dpo, reference).read_bytes().startswith(b"%PDF-")
    assert "VALID" in installation.manage("verify_audit")
    bundle = export_the_bundle(dpo, reference, tmp_path / "bundle.zip")
    assert check(bundle)["verdict"] == "VALID"
    open_without_us(browser, bundle, tmp_path / "unpacked", reference)


def export_the_bundle(page: Page, reference: str, target: Path) -> Path:
    page.goto(f"/incidents/{reference}/trail/")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#standing")).to_contain_text("Verified:", timeout=20_000)
    page.get_by_role("link", name="Evidence bundle").click()
    page.get_by_label("Who is it for?").fill("The Information Commissioner")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make the bundle").click()
    download.value.save_as(target)
    return target


def open_without_us(browser: Browser, bundle: Path, folder: Path, reference: str) -> None:
    """The page that lies in the bundle, from the disk, in a browser that may ask nobody."""
    with ZipFile(bundle) as archive:
        archive.extractall(folder)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    page.wait_for_function("window.bundleVerdict", timeout=60_000)
    verdict = page.evaluate("window.bundleVerdict")
    assert (verdict["verdict"], verdict["reference"]) == ("VALID", reference), verdict
    expect(page.locator("body")).to_contain_text("approved the English edition")
    context.close()


def check_the_mail(installation: Installation, file: Path, expected: Expected) -> None:
    """Each valid person exactly once, the approved text of their language, no placeholder left."""
    subjects = {words.notice_text(language)[0]: language for language in ("en", "fr")}
    notices = [message for message in installation.mail.messages() if message.subject in subjects]
    assert len(notices) == expected.people - expected.without_email
    got = Counter(message.recipients for message in notices)
    assert sum(number > 1 for number in got.values()) <= expected.shared, "only households share an address"
    assert {subjects[message.subject] for message in notices} == {"en", "fr"}
    for message in notices:
        text = " ".join(message.plain.split())
        assert "((" not in text
        if subjects[message.subject] == "en":
            assert "Larkfield Parcels delivers our orders" in text
            assert "No passwords and no payment details were on it." in text
            assert "Thank you." in text, "the text that was approved last"
