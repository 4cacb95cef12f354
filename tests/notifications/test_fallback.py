"""Which edition somebody gets, by the language they gave: one at most, and only its readers wait for a language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.readership import Counted, Group, Readers, Readership
from notifications.recipients import best_edition, languages_served

PRESENT = ["", "en", "en-GB", "fr", "fr-CA", "de", "de-AT", "pt-BR", "nl", "pl"]
TAGS = ["en", "en-GB", "fr", "fr-CA", "de", "de-AT", "pt", "pt-BR", "nl", "pl"]


@pytest.mark.parametrize(
    ("language", "written", "order", "edition"),
    [
        # exactly theirs, then its base, then the order
        ("fr-CA", ["en", "fr", "fr-CA"], ["en"], "fr-CA"),
        ("fr-CA", ["en", "fr"], ["en"], "fr"),
        ("fr-CA", ["en"], ["en"], "en"),
        ("fr", ["en", "fr-CA"], ["en"], "en"),
        ("pt-BR", ["en", "pt"], [], "pt"),
        # the order counts, not the default language
        ("nl", ["en", "de"], ["de", "en"], "de"),
        ("nl", ["en", "de"], ["en", "de"], "en"),
        ("nl", ["en", "de"], ["fr", "de"], "de"),
        # nobody falls back on what is not named: they wait
        ("nl", ["en", "de"], ["fr"], None),
        ("nl", ["en"], [], None),
        ("nl", [], ["en"], None),
        # no language given: the general one, and what it falls back on
        ("", ["en", "de"], ["de"], "en"),
        ("", ["de"], ["de"], "de"),
        ("", ["de"], [], None),
    ],
)
def test_the_order(language, written, order, edition) -> None:
    assert best_edition(language, "en", written, order) == edition


def test_the_base_of_the_general_language_serves_who_gave_none() -> None:
    assert best_edition("", "pt-BR", ["pt", "en"], ["en"]) == "pt"


def test_who_gave_no_language_falls_back_on_nothing() -> None:
    groups = Readership(
        "Everybody affected",
        Counted(14),
        (
            Readers("", 5, 5, "en"),
            Readers("de-AT", 4, 4, "de"),
            Readers("nl", 3, 3, "de"),
            Readers("nl-BE", 1, 1, "de"),
            Readers("pl", 1, 1, None),
        ),
    )
    assert groups.falling_back == (Group("nl", "de", 4),)
    assert groups.nothing_to_read == (Group("pl", None, 1),)
    assert (groups.without_version, groups.waiting_for("de"), groups.wanted) == (1, 8, {"nl": 4, "pl": 1})


@given(
    default=st.sampled_from(TAGS),
    written=st.frozensets(st.sampled_from(TAGS)),
    order=st.lists(st.sampled_from(TAGS), unique=True, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_each_language_is_in_one_edition_at_most(default, written, order) -> None:
    served = [tag for edition in written for tag in languages_served(edition, default, written, order, PRESENT)]
    waiting = [tag for tag in PRESENT if best_edition(tag, default, written, order) is None]
    assert sorted(served + waiting) == sorted(PRESENT)
    assert not (set(written) & set(waiting)), "a language that is written is read"
    assert not (waiting and set(order) & written), "whoever has an order that is written waits for nobody"
