"""The whole HTML of a message against what mail programs make of it, by the data of caniemail.com (caniemail.json).

Gmail, Outlook (Windows, Mac, web, phones), Apple Mail, Yahoo, Thunderbird and Samsung. What one of them does not know
must be harmless there, each with its reason; what one knows in part is used only in that part. What stands in comments
for Outlook on Windows alone is its own and is not looked at.
"""

import json
import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from breachdesk.incidents.kinds import KINDS
from notifications.rendering import MAX_BYTES, compiled_layout
from notifications.starters import LANGUAGES, STARTERS
from notifications.wording import Vocabulary, compile_message
from tests.notifications.noticing import CONSTANTS, draft
from tests.notifications.test_rendering import SKELETON, read, render, skeleton

CANIEMAIL = json.loads((Path(__file__).parent / "caniemail.json").read_text("utf-8"))["features"]
FEATURE_OF_ELEMENT = {
    "html": "html-doctype", "body": "html-body", "style": "html-style", "div": "html-div", "table": "html-table",
    "tbody": "html-table", "tr": "html-table", "td": "html-table", "p": "html-p", "h1": "html-h1-h6",
    "h2": "html-h1-h6", "h3": "html-h1-h6", "ul": "html-lists", "ol": "html-lists", "li": "html-lists",
    "b": "html-strong",
}  # fmt: skip
FEATURE_OF_ATTRIBUTE = {
    "lang": "html-lang", "dir": "html-dir", "role": "html-role", "aria-label": "html-aria-label",
    "aria-roledescription": "html-aria-label", "align": "html-align", "cellpadding": "html-cellpadding",
    "cellspacing": "html-cellspacing", "width": "html-width", "start": "html-lists",
}  # fmt: skip
FEATURE_OF_PROPERTY = {
    "border-left": "css-border", "border-top": "css-border", "padding-top": "css-padding", "font-family": "css-font",
}  # fmt: skip
EVERYBODY_KNOWS = {
    "head",
    "title",
    "meta",
    "a",
    "br",
    "href",
    "class",
    "style",
    "type",
    "content",
    "name",
    "http-equiv",
}
EVERYBODY_KNOWS |= {"color", "xmlns", "xmlns:v", "xmlns:o", "border", "media"}
"""No entry of the data, because there is no program without them, or they say nothing to any."""
# Of a feature that some know in part: the values that all of them know.
KNOWN_VALUES = {
    "css-background": r"#[\da-f]{6} ?(!important)?",
    "css-border": r"0|[1-8]px solid #[\da-f]{6}",
    "css-direction": r"ltr|rtl",
    "css-display": r"block|inline-block",
    "css-font-size": r"\d+px",
    "css-line-height": r"[\d.]+|100%|0px",
    "css-margin": r"(?:(?:\d+px|0|auto) ?)+",
    "css-text-align": r"left|right|center",
    "css-text-decoration": r"none",
    "css-width": r"\d+(?:px|%) ?(!important)?",
}
IN_PART = {
    **dict.fromkeys(KNOWN_VALUES, "only with the values above"),
    "css-padding": "Outlook on Windows pads cells alone: the line beside the code then stands closer to it",
    "css-max-width": "Outlook on Windows gets 600 pixels by a table of its own, in a comment for it",
    "css-word-break": "a very long word may break earlier",
    "css-white-space": "the code may break at its hyphen",
    "css-word-spacing": "it only says normal",
    "css-important": "only in the style sheet, for the dark and for narrow screens",
    "css-at-media": "without it the message is one light column, which fits any width",
    "css-selector-class": "as css-at-media",
    "css-selector-descendant": "as css-at-media",
    "css-selector-type": "as css-at-media",
    "css-selector-grouping": "as css-at-media",
    "css-selector-id": "MJML's repair of an old Outlook, which is the one that knows it",
    "css-height": "MJML's rule for pictures, and there is none",
    "css-outline": "as css-height",
    "html-style": "every element has its style inline; the style sheet adds the dark",
    "html-body": "the element inside it repeats colour, language and direction",
    "html-dir": "no link has one; right-to-left is said of the whole message",
    "html-lang": "no cell has one",
    "html-lists": "no list is reversed and no item has a value",
    "html-role": "for screen readers: tables without it are read as tables of one cell",
    "html-aria-label": "for screen readers: without it they begin with the first words, which say as much",
    "html-align": "no picture and no table has one but the outer one, which Outlook on the Mac then puts left",
    "html-width": "of tables alone",
}
MISSING = {
    "css-at-media": IN_PART["css-at-media"],
    "css-at-media-prefers-color-scheme": "the message stays light, or the program darkens it by itself",
    "css-height": IN_PART["css-height"],
    "css-outline": IN_PART["css-outline"],
    "css-selector-class": IN_PART["css-at-media"],
    "css-selector-descendant": IN_PART["css-at-media"],
    "css-selector-grouping": IN_PART["css-at-media"],
    "css-selector-id": IN_PART["css-selector-id"],
    "css-selector-type": IN_PART["css-at-media"],
    "css-white-space": IN_PART["css-white-space"],
    "css-word-break": IN_PART["css-word-break"],
    "css-word-spacing": IN_PART["css-word-spacing"],
    "html-aria-label": IN_PART["html-aria-label"],
    "html-body": IN_PART["html-body"],
    "html-doctype": "the sizes are in pixels and nothing hangs on the mode of the box",
    "html-meta-color-scheme": "as css-at-media-prefers-color-scheme",
    "html-style": IN_PART["html-style"],
}
ALL_KINDS = tuple(KINDS)


class Used(HTMLParser):
    """Features of a page, with the values that its properties have, and the words that people see."""

    def __init__(self) -> None:
        super().__init__()
        self.features: dict[str, set[str]] = {}
        self.links: list[str] = []
        self.seen: list[str] = []
        self.inside: list[str] = []

    def use(self, feature: str, value: str = "") -> None:
        self.features.setdefault(feature, set()).add(value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside.append(tag)
        self.use(FEATURE_OF_ELEMENT.get(tag, "" if tag in EVERYBODY_KNOWS else f"<{tag}>"))
        for name, value in attrs:
            self.use(FEATURE_OF_ATTRIBUTE.get(name, "" if name in EVERYBODY_KNOWS else f"{tag}.{name}"))
            if name == "style":
                self.properties(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif (name, value) == ("name", "color-scheme"):
                self.use("html-meta-color-scheme")

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self.inside:
            self.sheet(data)
        elif "body" in self.inside:
            self.seen.append(data)

    def properties(self, declarations: str) -> None:
        for name, _, value in (one.strip().partition(":") for one in declarations.split(";") if one.strip()):
            known = name.startswith(("-", "mso-")) or name in EVERYBODY_KNOWS - {"border"}
            self.use("" if known else FEATURE_OF_PROPERTY.get(name, f"css-{name}"), value.strip())
            if "!important" in value:
                self.use("css-important")

    def sheet(self, rules: str) -> None:
        for condition in re.findall(r"@[\w-]+[^{]*", rules):
            self.use("css-at-media-prefers-color-scheme" if "prefers-color" in condition else "css-at-media")
        for selectors, declarations in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"@[\w-]+[^{]*\{", "", rules)):
            kinds = {r"\.": "class", r"#": "id", r"\S\s+\S": "descendant", r",": "grouping", r"\b[a-z]+\b": "type"}
            for mark, kind in kinds.items():
                if re.search(mark, selectors.strip()):
                    self.use(f"css-selector-{kind}")
            self.properties(declarations)


def used_in(page: str) -> Used:
    used = Used()
    used.feed(page)
    used.close()
    return used


def starter_message(starter: str, language: str) -> tuple[bytes, str, str]:
    subject, body = draft(language, starter)
    kinds = {key: kind.phrase_in(language) for key, kind in KINDS.items()}
    compiled = compile_message(subject, body, Vocabulary(CONSTANTS, kinds, ("halden-rowe.example",), language))
    made = type(SKELETON)(compiled, skeleton(language=language).layout)
    message = render({"first name": "Zoë", "full name": "Zoë O’Neill"}, made, "ana@example.com", *ALL_KINDS)
    return message, *read(message)[1:]


def unsupported(page: str) -> list[str]:
    """Each use of what some program does not know, or not with this value, and that has no reason to be harmless."""
    found = []
    for feature, values in used_in(page).features.items():
        if feature and feature not in CANIEMAIL:
            found.append(f"{feature}: nothing is known of it")
        results = {
            result[0] for one in CANIEMAIL.get(feature, {"results": {}})["results"].values() for result in one.values()
        }
        found += [f"{feature}: not everywhere"] if "n" in results and feature not in MISSING else []
        found += [f"{feature}: in part"] if "a" in results and feature not in IN_PART else []
        found += [f"{feature}: {value}" for value in values if not _is_known(feature, value)]
    return found


def _is_known(feature: str, value: str) -> bool:
    return not value or re.fullmatch(KNOWN_VALUES.get(feature, ".*"), value) is not None


EVERYTHING = (
    "Dear ((first name|customer)),\n\n# One\n\n## Two\n\n### Three\n\nWe lost **((data list))**.\\\nSee "
    "[our page](https://halden-rowe.example/a).\n\n- a\n- b\n\n3. c\n4. d\n\n((identity document??Renew it.))"
)


def test_all_that_a_message_can_hold_is_known_to_the_programs_people_read_mail_with() -> None:
    message = render({"first name": "Zoë"}, skeleton(EVERYTHING), "ana@example.com", "name", "identity_document")
    page = read(message)[2]
    assert unsupported(page) == []
    assert {"html-h1-h6", "html-lists", "html-strong", "css-border", "html-table"} <= set(used_in(page).features)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("margin:0 0 12px", "margin:0 0 -12px", "css-margin: 0 0 -12px"),
        ("margin:0 0 12px", "display:flex", "css-display: flex"),
        ("margin:0 0 12px", "gap:2px", "css-gap: nothing is known of it"),
        ("<b>", "<video>", "<video>: nothing is known of it"),
        ("font-size:25px", "font-size:1.5rem", "css-font-size: 1.5rem"),
    ],
)
def test_what_is_not_known_would_be_found(old: str, new: str, said: str) -> None:
    page = read(render({}, skeleton(EVERYTHING)))[2]
    assert unsupported(page.replace(old, new, 1)) == [said]


def test_every_exception_is_still_needed() -> None:
    features = {slug for slug in used_in(read(render({}, skeleton(EVERYTHING)))[2]).features if slug}
    assert set(CANIEMAIL) == features
    letters = {slug: {r[0] for one in CANIEMAIL[slug]["results"].values() for r in one.values()} for slug in features}
    assert {slug for slug in features if "n" in letters[slug]} == set(MISSING)
    assert {slug for slug in features if "a" in letters[slug]} <= set(IN_PART)


def test_both_parts_of_every_starter_say_the_same_and_fit_a_mailbox() -> None:
    for starter, language in product(STARTERS, LANGUAGES):
        message, text, page = starter_message(starter, language)
        used = used_in(page)
        assert unsupported(page) == []
        assert words_of(" ".join(used.seen)) == words_of(text), (starter, language)
        assert len(message) < MAX_BYTES == 30_000


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def test_nothing_leads_away_unseen() -> None:
    _, text, page = read(render({}, skeleton(EVERYTHING)))
    used = used_in(page)
    assert used.links == ["https://halden-rowe.example/a"]
    for part in (" ".join("".join(used.seen).split()), " ".join(text.split())):
        assert "our page (halden-rowe.example/a)" in part.replace("(https://", "(")
    outside = re.sub(r'<a href="https://halden-rowe\.example/a">|xmlns(:\w)?="[^"]*"', "", page)
    assert not re.search(r"https?:|url\(|@import|\bsrc=|<(?:img|link|script|iframe|form|input|object)", outside)
    assert not re.search(r"https?:", re.sub(r'xmlns(:\w)?="[^"]*"', "", compiled_layout()))
