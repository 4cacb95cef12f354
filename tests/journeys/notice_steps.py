"""A notice in two languages, as its author and its approver work on it in the browser."""

import re

from playwright.sync_api import Page, expect

from breachdesk.embedded.story import words

TITLE = "Customer notice"
# One fault of each kind: what is typed, in which group of the panel it stands, and how submission refuses it.
STOPS = {
    "The law": ("", "The law\\."),
    "True": ("\n\nYour passport number was copied as well.", "not true of"),
    "Not a scam": ("\n\nAct now, or your account will be closed within 24 hours.", "Not a scam\\."),
    "Works": ("\n\nYour shoe size is ((shoe size)).", "\\(\\(shoe size\\)\\) is not a field"),
}


def begin(page: Page, reference: str) -> None:
    page.goto(f"/incidents/{reference}/notices/")
    page.get_by_role("link", name=re.compile("Write a notice|Write the first notice")).first.click()
    page.get_by_label("Name of the notice").fill(TITLE)
    page.get_by_role("button", name="Begin the draft").click()


def type_and_keep(page: Page, subject: str, body: str) -> None:
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Message", exact=True).fill(body)
    page.get_by_role("button", name="Keep the draft").click()
    expect(page.locator("body")).to_contain_text("The draft is kept")


def be_stopped_by_each_check(page: Page) -> None:
    """The panel names each fault while it is typed; whoever submits all the same is refused with every sentence."""
    subject, body = words.notice_text("en")
    page.get_by_label("Subject").fill(subject)
    faulty = body
    for group, (added, _) in STOPS.items():
        faulty = faulty + added if added else faulty.replace(" ((covers what could happen))", "")
        page.get_by_label("Message", exact=True).fill(faulty)
        of_group = page.locator("#checks .check-group", has=page.get_by_role("heading", name=group, exact=True))
        expect(of_group).to_contain_text("1 to fix")
    page.get_by_role("button", name="Keep the draft").click()
    page.get_by_role("link", name="Ask for approval").first.click()
    page.get_by_role("button", name=re.compile("Ask to approve it")).first.click()
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    for _, refusal in STOPS.values():
        expect(page.locator("main")).to_contain_text(re.compile(refusal))
    page.get_by_role("link", name="Go back and look again").click()
    page.get_by_role("link", name="Go on writing").click()


def submit(page: Page) -> None:
    page.get_by_role("link", name="Ask for approval").first.click()
    page.get_by_role("button", name=re.compile("Ask to approve it")).first.click()
    expect(page.locator("body")).to_contain_text("Waiting for approval")


def write_in_two_languages(page: Page, reference: str) -> None:
    """Both before either is submitted: whoever reads French waits for the French one from when it is begun."""
    begin(page, reference)
    be_stopped_by_each_check(page)
    type_and_keep(page, *words.notice_text("en"))
    english = page.url
    page.goto(f"/incidents/{reference}/notices/")
    page.get_by_role("link", name="Add a language").click()
    page.get_by_label("Language").select_option("fr")
    page.get_by_role("button", name=re.compile("Begin|Add")).first.click()
    type_and_keep(page, *words.notice_text("fr"))
    submit(page)
    page.goto(english)
    submit(page)


def open_edition(page: Page, reference: str, language: str) -> None:
    page.goto(f"/incidents/{reference}/notices/")
    page.get_by_role("link", name=language, exact=True).first.click()


def read_and_approve(page: Page, reference: str, language: str) -> None:
    """Every rendering that must be read first is opened; until then nobody can say yes."""
    open_edition(page, reference, language)
    page.get_by_role("link", name="Read and decide").first.click()
    expect(page.get_by_role("heading", name=re.compile("May this go to"))).to_be_visible()
    review = page.url
    expect(page.get_by_role("link", name=re.compile("Approve for"))).to_have_count(0)
    to_open = page.get_by_role("button", name=re.compile("^Open ?: "))
    for number in range(to_open.count()):  # the page of each has the buttons of all
        with page.expect_navigation():
            to_open.nth(number).click()
    page.goto(review)
    page.get_by_role("link", name=re.compile("Approve for")).click()
    page.get_by_role("button", name=re.compile("Approve")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Approved for")


def change_what_was_approved(page: Page, reference: str, language: str) -> None:
    """One character more, and the yes is void."""
    open_edition(page, reference, language)
    page.goto(page.url.rstrip("/") + "/edit/")
    expect(page.locator("body")).to_contain_text("It is approved.")
    body = page.get_by_label("Message", exact=True)
    body.fill(body.input_value() + " Thank you.")
    page.get_by_role("button", name="Keep the draft").click()
    open_edition(page, reference, language)
    expect(page.get_by_role("heading", level=1)).to_contain_text("A draft: nobody is asked yet")
    page.goto(page.url.rstrip("/") + "/edit/")
    submit(page)


def start(page: Page, reference: str, language: str) -> None:
    open_edition(page, reference, language)
    page.get_by_role("link", name=re.compile("Start sending")).first.click()
    page.get_by_role("button", name=re.compile("Send to")).first.click()
    expect(page.locator("body")).to_contain_text("Finished", timeout=60_000)
