"""The page inside a bundle, opened from a file as a regulator opens it: no network, no server, no product."""

import json
import socket
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.verifier import PAGE
from tests.audit.forge import sealed, zipped
from tests.audit.verifier.cases import Files, Told, exported, told, with_line

pytestmark = pytest.mark.journey

VERDICT = """async () => {
    for (let i = 0; i < 400 && !window.bundleVerdict; i += 1) await new Promise((done) => setTimeout(done, 25));
    return window.bundleVerdict;
}"""
TRY_TO_FETCH = """async (address) => {
    const image = new Image();
    const seen = new Promise((done) => {
        image.onerror = () => done("refused");
        image.onload = () => done("loaded");
    });
    image.src = address;
    return [await seen, await fetch(address).then(() => "loaded", () => "refused")];
}"""
HOSTILE = (
    "<script>window.wasRun = 1</script>",
    "<img src=x onerror='window.wasRun=1'>",
    "</script><script>window.wasRun = 1</script>",
    "abc\u202edcba\u2066\u200f",
    "W" * 3000,
    "javascript:window.wasRun=1",
    "{sentence} {0} %s ${1}",
    "__proto__",
    "constructor",
    "<!--",
)


class Reader:
    """A page that was opened from a file, and everything it asked for or complained about."""

    def __init__(self, page: Any) -> None:
        self.page, self.requests, self.complaints = page, [], []
        self.listening = {
            "request": lambda request: self.requests.append(request.url),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "console": lambda message: self.complaints.append(message.text),
        }
        for what, listener in self.listening.items():
            page.on(what, listener)

    def let_go(self) -> None:
        """The page is the next test's."""
        for what, listener in self.listening.items():
            self.page.remove_listener(what, listener)

    def open(self, path: Path) -> dict[str, Any]:
        self.page.goto(path.as_uri())
        return self.verdict()

    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(VERDICT)
        return found

    def text(self, selector: str = "body") -> str:
        return " ".join(self.page.locator(selector).inner_text().split())


# A browser tells of an opened element a moment later, and only then is it filled.
OPEN_ALL = """async () => {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
    await new Promise((done) => setTimeout(done, 100));
}"""


WINDOW: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def same_page(browser_of_module: Browser) -> Page:
    """A window of its own costs more than most of these tests, and a page that was left leaves nothing in it."""
    return browser_of_module.new_page(viewport=WINDOW)


def reading(page: Page) -> Iterator[Reader]:
    reader = Reader(page)
    yield reader
    reader.let_go()
    assert reader.complaints == []
    assert [url for url in reader.requests if not url.startswith("file:")] == []


@pytest.fixture
def reader(same_page: Page) -> Iterator[Reader]:
    same_page.goto("about:blank")
    same_page.set_viewport_size(WINDOW)
    yield from reading(same_page)


@pytest.fixture
def older_reader(browser_of_module: Browser) -> Iterator[Reader]:
    """In a window of its own, out of which a test takes what an older browser does not have."""
    page = browser_of_module.new_page(viewport=WINDOW)
    yield from reading(page)
    page.close()


def page_of(files: Files, folder: Path) -> Path:
    """index.html as it lies in a bundle of these files."""
    path = folder / "index.html"
    path.write_bytes(sealed(files, PAGE.read_bytes())["index.html"])
    return path


def zip_of(files: Files, folder: Path) -> Path:
    path = folder / "bundle.zip"
    path.write_bytes(zipped(sealed(files, PAGE.read_bytes())))
    return path


@pytest.fixture
def open_story(reader: Reader, tmp_path: Path) -> Callable[[Told], dict[str, Any]]:
    return lambda story: reader.open(page_of(exported(story), tmp_path))


def named(story: Told) -> Told:
    story.forge.sections = {
        "incident": {"v": 1, "status": "open", "title": "Loyalty records copied"},
        "notices": {
            "v": 1,
            "notices": [{"title": "To our members", "language": "en", "body": "Dear member,\n\nsorry."}],
        },
        "people_of_record": {"v": 1, "users": [{"id": story.author, "name": "Maja Lindqvist", "roles": ["author"]}]},
    }
    return story


def test_it_shows_what_happened_and_that_nothing_was_changed(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]]
) -> None:
    verdict = open_story(named(told()))
    assert verdict["verdict"] == "VALID"
    assert "VALID" in reader.text("#verdict")
    assert reader.text("h1") == "Loyalty records copied"
    history = reader.text("#history")
    assert "Maja Lindqvist began the English edition, revision 1" in history
    assert "Colleague " in history
    assert "Monday, 2 November 2026" in history or "Monday 2 November 2026" in history
    assert verdict["keys"][0] == reader.text(".print")
    assert reader.requests == [reader.page.url]


def test_an_event_opens_and_shows_its_values_and_its_proof(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]]
) -> None:
    open_story(told())
    event = reader.page.locator("#history details.event").first
    event.locator("summary").focus()
    reader.page.keyboard.press("Enter")
    event.get_by_text("Loyalty records copied from a provider").first.wait_for()
    said = " ".join(event.inner_text().split())
    assert "Loyalty records copied from a provider" in said
    assert "lead to the root that was signed" in said
    assert "Entry 1 of the log, 1 of the incident" in said


def test_a_changed_value_shows_what_stood_there_before(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]]
) -> None:
    story = told(until="submitted")
    story.step("saved", 3, private={"subject": "Your details were taken", "body": "Dear customer,\n\nwe are sorry."})
    assert open_story(story)["verdict"] == "VALID"
    reader.page.evaluate("() => document.querySelectorAll('.event').forEach((event) => { event.open = true; })")
    reader.page.locator(".diff").first.wait_for()
    assert "somebody copied your record." in reader.text(".diff .was")
    assert "we are sorry." in reader.text(".diff .now")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Dear customer,\n\nsomebody copied your record.", "Word for word what entry #"),
        ("Dear customer,\n\nall is well.", "Not the words that entry #"),
    ],
)
def test_the_words_of_a_notice_are_compared_with_what_was_recorded(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]], body: str, words: str
) -> None:
    story = told()
    edition = {"id": story.edition, "language": "en", "revision": 1, "subject": "Your details were taken", "body": body}
    story.forge.sections = {"notices": {"v": 1, "notices": [{"editions": [edition | {"digest": story.digest}]}]}}
    open_story(story)
    assert words in reader.text("#section-notices")
    assert "The log holds it in entries #" in reader.text("#section-notices")


@pytest.mark.parametrize("is_same", [True, False])
def test_a_signed_form_is_shown_and_compared_with_its_hash(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]], is_same: bool
) -> None:
    question = {"number": "1.1", "label": "What has happened?", "text": "Records were copied."}
    form = canonical(
        {"form": {"title": "Report"}, "sections": [{"number": 1, "title": "Breach", "questions": [question]}]}
    )
    digest = base64url(sha256(form).digest())
    story = told()
    data = {"form": "uk_ico", "number": 1, "digest": digest}
    story.forge.append("filing.signed_off", incident=story.forge.incident, by=story.approver, data=data)
    version = {
        "number": 1,
        "digest": digest,
        "content": form.decode().replace("copied", "copied" if is_same else "lost"),
    }
    story.forge.sections = {"filings": {"v": 1, "filings": [{"form": "uk_ico", "versions": [version]}]}}
    open_story(story)
    said = reader.text("#section-filings")
    assert "1.1 What has happened?" in said
    assert ("The log holds the hash of this very text" in said) is is_same
    assert ("This text is not the one its hash was made of" in said) is not is_same


def test_batches_are_one_line_until_somebody_opens_it(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]]
) -> None:
    story = told()
    for _ in range(4):
        story.forge.settle(story.edition, [story.forge.row()])
    open_story(story)
    fold = reader.page.locator(".fold")
    assert "settled 5 batches: 6 handed over, 1 refused" in " ".join(fold.inner_text().split())
    fold.locator("summary").first.click()
    fold.locator(".event").first.wait_for()
    assert fold.locator(".event").count() == 5


def test_sealed_and_erased_values_say_why_they_are_not_there(
    reader: Reader, open_story: Callable[[Told], dict[str, Any]]
) -> None:
    story = told()
    story.forge.erase(story.marks["opened"], "title")
    open_story(story)
    reader.page.locator("#history summary").first.click()
    reader.page.get_by_text("Erased. The log holds only a commitment").first.wait_for()
    assert "Erased. The log holds only a commitment" in reader.text("#history")


def test_a_changed_entry_is_named_and_nothing_is_called_proved(reader: Reader, tmp_path: Path) -> None:
    changed = with_line(exported(told()), "private.jsonl", 0, value="Nothing much")
    verdict = reader.open(page_of(changed, tmp_path))
    assert (verdict["verdict"], verdict["rule"], verdict["n"]) == ("INVALID", 7, 1)
    assert "Rule 7, entry 1" in reader.text("#verdict")
    assert "Fault at entry 1" in reader.text("#checks")
    assert reader.text("h1") == "BD-2026-0007: this record is not proved"
    assert "It is not proved" in reader.text("#history")
    assert reader.page.locator("#proved").count() == 0
    assert reader.page.locator(".event[data-faulty]").count() == 1


def test_a_zip_that_is_picked_says_the_same_as_the_data_inside(reader: Reader, tmp_path: Path) -> None:
    files = exported(told())
    inside = reader.open(page_of(files, tmp_path))
    reader.page.goto(PAGE.as_uri())
    assert "VALID" not in reader.text()
    assert not reader.page.locator("#verdict").is_visible()
    assert not reader.page.locator("#body").is_visible()
    reader.page.locator("#pick").set_input_files(zip_of(files, tmp_path))
    picked = reader.verdict()
    assert {**inside, "notes": []} == {**picked, "notes": []}
    assert picked["verdict"] == "VALID"


def test_a_file_that_is_no_bundle_gets_a_sentence(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "photo.zip").write_bytes(b"\x89PNG not a bundle at all, and long enough")
    reader.page.goto(PAGE.as_uri())
    reader.page.locator("#pick").set_input_files(tmp_path / "photo.zip")
    assert (reader.verdict()["verdict"], reader.verdict()["rule"]) == ("INVALID", 0)
    assert reader.text("h1") == "This file is not a bundle"


def test_a_trust_file_and_a_kept_note_are_taken(reader: Reader, tmp_path: Path) -> None:
    story = told()
    files = exported(story)
    reader.open(page_of(files, tmp_path))
    (tmp_path / "trust.json").write_bytes(files["trust.json"])
    reader.page.locator("#pick-trust").set_input_files(tmp_path / "trust.json")
    assert not any("the bundle itself names" in note for note in reader.verdict()["notes"])
    reader.page.locator("#paste").fill(story.forge.note(3))
    reader.page.get_by_role("button", name="Check this note").click()
    assert "of size 3, has no proof in this bundle" in reader.verdict()["missing"][0]


def test_the_trust_file_of_somebody_else_makes_it_invalid(reader: Reader, tmp_path: Path) -> None:
    story = told()
    reader.open(page_of(exported(story), tmp_path))
    story.forge.all_keys = [story.forge.new_key()]
    other = story.forge.trust()
    (tmp_path / "trust.json").write_text(json.dumps(other, sort_keys=True, separators=(",", ":")))
    reader.page.locator("#pick-trust").set_input_files(tmp_path / "trust.json")
    assert (reader.verdict()["verdict"], reader.verdict()["rule"]) == ("INVALID", 1)


def test_a_browser_without_ed25519_says_which_one_has_it(older_reader: Reader, tmp_path: Path) -> None:
    older_reader.page.add_init_script(
        "SubtleCrypto.prototype.importKey = async () => { throw new DOMException('no', 'NotSupportedError'); };"
    )
    verdict = older_reader.open(page_of(exported(told()), tmp_path))
    assert verdict["verdict"] == "INCOMPLETE"
    assert "Firefox 129" in verdict["missing"][0]
    assert "Form only, not the signatures" in older_reader.page.locator("#checks").text_content()


def test_a_browser_without_ed25519_still_finds_a_change(older_reader: Reader, tmp_path: Path) -> None:
    older_reader.page.add_init_script("SubtleCrypto.prototype.importKey = async () => { throw new Error('no'); };")
    changed = with_line(exported(told()), "private.jsonl", 0, value="Nothing much")
    assert older_reader.open(page_of(changed, tmp_path))["rule"] == 7


def test_a_browser_without_hashes_says_so(older_reader: Reader, tmp_path: Path) -> None:
    older_reader.page.add_init_script("Object.defineProperty(window, 'crypto', { value: {} });")
    assert older_reader.open(page_of(exported(told()), tmp_path))["verdict"] == "INCOMPLETE"
    assert "no way to compute hashes" in older_reader.text("#verdict")


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_text(reader: Reader, tmp_path: Path, words: str) -> None:
    story = told(until="submitted")
    story.step("saved", 3, private={"subject": words, "body": f"{words}\n{words}"})
    story.forge.sections = {
        "incident": {"v": 1, "title": words, "status": words, "more": {words: [words, {words: words}]}},
        "notices": {"v": 1, "notices": [{"title": words, "body": words, "content": words, "digest": words}]},
        "people_of_record": {"v": 1, "users": [{"id": story.author, "name": words}]},
    }
    assert reader.open(page_of(exported(story), tmp_path))["verdict"] == "VALID"
    reader.page.evaluate(OPEN_ALL)
    assert reader.page.evaluate("() => window.wasRun") is None
    assert reader.page.locator("main img, main script").count() == 0
    if words.isascii():
        assert words in reader.page.locator("h1").text_content()
    else:
        assert "U+202E" in reader.text("h1")
        assert "\u202e" not in reader.page.locator("body").inner_text()


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_wider_than_the_screen(reader: Reader, tmp_path: Path, width: int) -> None:
    story = named(told())
    story.forge.sections["incident"]["title"] = "W" * 400
    reader.page.set_viewport_size({"width": width, "height": 900})
    reader.open(page_of(exported(story), tmp_path))
    reader.page.evaluate(OPEN_ALL)
    assert reader.page.evaluate("() => document.documentElement.scrollWidth") == width


def test_it_can_fetch_nothing(reader: Reader, tmp_path: Path) -> None:
    """Its own policy forbids it, whoever asks: nobody knocks at the door that is open here."""
    reader.open(page_of(exported(told()), tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        tried = reader.page.evaluate(TRY_TO_FETCH, f"http://127.0.0.1:{door.getsockname()[1]}/")
        with pytest.raises(BlockingIOError):
            door.accept()
    assert tried == ["refused", "refused"]
    assert any("Content Security Policy" in text for text in reader.complaints)
    reader.complaints.clear()
    reader.requests.clear()


def test_every_control_has_a_name_and_every_heading_its_level(reader: Reader, tmp_path: Path) -> None:
    reader.open(page_of(exported(named(told())), tmp_path))
    levels = reader.page.evaluate(
        "() => [...document.querySelectorAll('main :is(h1, h2, h3, h4, h5, h6)')].map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    nameless = "() => [...document.querySelectorAll('input, textarea')].filter((one) => !one.labels.length).length"
    assert reader.page.evaluate(nameless) == 0
    ids = reader.page.evaluate("() => [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
