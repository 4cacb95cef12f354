"""An address as it shows in a window, and the approved words without anything that only works on a screen."""

import re
from datetime import date

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from breachdesk.accounts.models import Organisation
from breachdesk.pdf import STATIC
from notifications.letter_pages import (
    WINDOWS,
    WORDS,
    NoRoom,
    Stationery,
    address_lines,
    body_of,
    day_in,
    foreign_frame,
    page_of,
    width_of,
)
from notifications.rendering import Layout, Skeleton
from notifications.wording import Vocabulary, compile_message

UK, DIN, US = WINDOWS["uk"], WINDOWS["din"], WINDOWS["us"]
HOME = {"given_name": "Ben", "family_name": "Low", "street": "2 Mill Lane", "city": "Leeds", "postcode": "LS1 9ZZ"}


@pytest.mark.parametrize(
    ("window", "personal", "lines"),
    [
        (UK, {"country": "GB"}, ["Ben Low", "2 Mill Lane", "LEEDS", "LS1 9ZZ"]),
        (
            UK,
            {"country": "DE", "postcode": "50667", "city": "Köln"},
            ["Ben Low", "2 Mill Lane", "50667 Köln", "GERMANY"],
        ),
        (DIN, {"country": "DE", "postcode": "50667", "city": "Köln"}, ["Ben Low", "2 Mill Lane", "50667 Köln"]),
        (DIN, {"country": "GB"}, ["Ben Low", "2 Mill Lane", "LEEDS", "LS1 9ZZ", "UNITED KINGDOM"]),
        (US, {"country": "US", "state": "CA", "postcode": "94601"}, ["Ben Low", "2 Mill Lane", "Leeds CA 94601"]),
        (UK, {"country": "GB", "post_country": "France"}, ["Ben Low", "2 Mill Lane", "LS1 9ZZ Leeds", "FRANCE"]),
        (UK, {}, ["Ben Low", "2 Mill Lane", "LEEDS", "LS1 9ZZ"]),
        (
            US,
            {"country": "US", "street_2": "Apt 3", "state": "NY"},
            ["Ben Low", "2 Mill Lane", "Apt 3", "Leeds NY LS1 9ZZ"],
        ),
        (
            US,
            {"country": "CA", "street_2": "Apt 3", "state": "ON"},
            ["Ben Low", "2 Mill Lane, Apt 3", "Leeds ON LS1 9ZZ", "CANADA"],
        ),
    ],
)
def test_an_address_as_its_post_wants_it(window, personal, lines):
    assert address_lines(HOME | personal, window) == lines


@pytest.mark.parametrize(
    ("personal", "why"),
    [
        ({"city": "", "postcode": ""}, "a name or a town"),
        ({"given_name": "", "family_name": ""}, "a name or a town"),
        ({"street": "W" * 40}, "longer than the window"),
        ({"country": "GB", "street_2": "Flat 3"}, "more than the 4 lines"),
    ],
)
def test_what_would_not_show_whole_is_refused(personal, why):
    with pytest.raises(NoRoom, match=why):
        address_lines(HOME | personal, US)


@pytest.mark.parametrize("face", ["text-400.woff2", "text-ext-400.woff2"])
def test_a_line_counts_rather_too_wide_than_too_narrow(face):
    font = TTFont(STATIC / "print" / face)
    size = font["head"].unitsPerEm
    advances = {chr(code): font["hmtx"][glyph][0] / size for code, glyph in font.getBestCmap().items()}
    assert [sign for sign, width in advances.items() if sign.isprintable() and width > width_of(sign)] == []


def test_the_words_are_the_approved_ones_and_nothing_is_to_be_pressed() -> None:
    source = "### First\n\nDear ((first name)),\n\n- see [our page](https://example.com/data)\n\n((phone??Your phone.))"
    vocabulary = Vocabulary(kinds={"phone": "your phone"}, domains=["example.com"])
    layout = Layout("Halden", "", "Halden", "a@example.com", "a@example.com", "x", "en", "example.com/genuine")
    skeleton = Skeleton(compile_message("Subject", source, vocabulary), layout)
    assert body_of(skeleton, {"first name": "<b>Ben"}, ()) == (
        "<h2>First</h2>\n<p>Dear &lt;b&gt;Ben,</p>\n<ul><li>see our page (example.com/data)</li>\n</ul>\n"
    )
    assert "Your phone." in body_of(skeleton, {"first name": "Ben"}, ("phone",))


def stationery_in(language: str) -> Stationery:
    layout = Layout("Halden", "", "Halden", "a@example.com", "a@example.com", "x", language, "example.com/genuine")
    organisation = Organisation(legal_name="Halden Ltd", short_name="Halden", address="4 Quay", hotline="0113 496 0000")
    compiled = compile_message("Subject", "Dear ((first name)).", Vocabulary(kinds={}, domains=[]))
    return Stationery(Skeleton(compiled, layout), organisation, UK, date(2026, 3, 2))


@pytest.mark.parametrize("language", sorted(WORDS))
def test_every_language_says_all_that_paper_needs(language: str) -> None:
    words = WORDS[language]
    assert words.keys() == WORDS["en"].keys()
    assert [re.findall(r"{\w*}", words[key]) for key in ("check", "call")] == [["{address}"], ["{hotline}"]]
    page = page_of(stationery_in(language), HOME, (), "7HTM-2WKX")
    assert page.count("7HTM-2WKX") == 2
    for expected in ("example.com/genuine", "0113 496 0000", words["why"], day_in(date(2026, 3, 2), language)):
        assert expected.replace("'", "&#x27;") in page
    assert [one for key in words for one in words[key].split() if len(one) > 30] == []


@pytest.mark.parametrize(("language", "foreign"), [("en", ""), ("pt-BR", ""), ("ar", "en"), ("fil", "en")])
def test_a_language_without_words_of_ours_falls_back_and_says_so(language: str, foreign: str) -> None:
    assert foreign_frame(language) == foreign
    page = page_of(stationery_in(language), HOME, (), "7HTM-2WKX")
    assert page.count(f'lang="{foreign}" dir="ltr"') == (2 if foreign else 0)
    assert ('dir="rtl"' in page) == (language == "ar")
