"""An audience as it is kept, and as it is said."""

from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.audit.canonical import canonical
from breachdesk.incidents.kinds import KINDS
from notifications.audience import Audience, Earlier, audience_from
from notifications.audience_words import sentence_of

NOTICE, LIST = UUID(int=1), UUID(int=2)
NAMES = {NOTICE: "Customer notice", LIST: "shop.csv"}
PLACES = ["", "DE", "AT", "GB", "US", "US-CA", "US-NY"]


def several(choices):
    return st.lists(st.sampled_from(choices), max_size=4).map(tuple)


AUDIENCES = st.builds(
    Audience,
    places=several(PLACES),
    not_in=several(PLACES),
    languages=several(["", "de", "pt-BR", "en"]),
    kinds=several(list(KINDS)),
    minors=st.sampled_from(["", "only", "without"]),
    vulnerable=st.sampled_from(["", "only", "without"]),
    deceased=st.sampled_from(["", "only", "without"]),
    affected=st.sampled_from(["", "no_longer"]),
    earlier=st.none()
    | st.builds(Earlier, st.just(NOTICE), st.sets(st.sampled_from(["had", "missed", "never"]), min_size=1).map(tuple)),
    lists=st.sampled_from([(), (LIST,), (LIST, NOTICE)]),
)


@given(AUDIENCES)
@settings(max_examples=100, deadline=None)
def test_it_is_kept_as_json_and_read_back(audience) -> None:
    kept = audience.to_json()
    assert audience_from(kept) == audience
    assert canonical(audience_from(kept).to_json()) == canonical(kept), "an approval binds these bytes"
    assert (kept == {}) == audience.is_everybody
    sentence = sentence_of(audience, NAMES)
    assert sentence.startswith("Every")
    assert not {"None", ""} & set(sentence.split(" "))


def test_the_order_and_repetition_of_choices_say_nothing() -> None:
    typed = {"places": ["US-CA", "DE", "DE"], "kinds": ["password", "name"], "languages": ["fr", "de"]}
    assert audience_from(typed).to_json() == {
        "places": ["DE", "US-CA"], "languages": ["de", "fr"], "kinds": ["name", "password"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ([], "keys with their choices"),
        ("everybody", "keys with their choices"),
        ({"country": ["DE"]}, "no “country”"),
        ({"places": "DE"}, "“places” must be a list"),
        ({"places": ["XX"]}, "“places” names “XX”"),
        ({"places": ["us-ca"]}, "“places” names “us-ca”"),
        ({"places": ["US-XX"]}, "“US-XX”"),
        ({"places": ["DE-CA"]}, "“DE-CA”"),
        ({"not_in": ["Germany"]}, "“not_in” names “Germany”"),
        ({"languages": ["German"]}, "“languages” names “German”"),
        ({"languages": ["DE"]}, "“DE”"),
        ({"kinds": ["passport"]}, "“kinds” names “passport”"),
        ({"kinds": [""]}, "“kinds” names “”"),
        ({"kinds": [["name"]]}, "must be one word"),
        ({"minors": True}, "“minors” must be one word"),
        ({"minors": "yes"}, "“minors” names “yes”"),
        ({"vulnerable": "everybody"}, "“vulnerable”"),
        ({"deceased": ["only"]}, "“deceased” must be one word"),
        ({"affected": "affected"}, "“affected” names “affected”"),
        ({"earlier": str(NOTICE)}, "“earlier” must say"),
        ({"earlier": {"notice": str(NOTICE)}}, "“earlier” must say"),
        ({"earlier": {"notice": str(NOTICE), "who": []}}, "not who of it"),
        ({"earlier": {"notice": str(NOTICE), "who": ["unknown"]}}, "“who” names “unknown”"),
        ({"earlier": {"notice": "7", "who": ["had"]}}, "“notice” names “7”, which is no id"),
        ({"earlier": {"notice": str(NOTICE), "who": ["had"], "or": 1}}, "nothing else"),
        ({"lists": [str(LIST), "shop.csv"]}, "“lists” names “shop.csv”"),
        ({"lists": [7]}, "“lists” must be one word"),
    ],
)
def test_what_cannot_be_read_without_doubt_is_refused_by_name(data, names) -> None:
    with pytest.raises(ValidationError) as refused:
        audience_from(data)
    assert names in refused.value.messages[0]


@pytest.mark.parametrize(
    ("audience", "sentence"),
    [
        ({}, "Everybody affected"),
        (
            {"places": ["AT", "DE"], "kinds": ["identity_document", "bank_account"], "minors": "without"},
            "Everybody in Austria or Germany of whom bank accounts or identity documents were taken, without minors",
        ),
        ({"places": ["", "US-CA"]}, "Everybody in California or no country that we know of"),
        (
            {"not_in": ["US-CA", "US-MA"], "languages": ["en"]},
            "Everybody, but not in California or Massachusetts, who reads English",
        ),
        ({"languages": ["", "de", "fr"]}, "Everybody who reads German or French or gave no language"),
        ({"languages": [""]}, "Everybody who gave no language"),
        ({"minors": "only"}, "Every minor (their guardians read it)"),
        (
            {"minors": "only", "vulnerable": "only", "languages": ["de"]},
            "Every minor who reads German, only vulnerable people (their guardians read it)",
        ),
        (
            {"deceased": "only", "vulnerable": "without"},
            "Every deceased person, without vulnerable people (their next of kin read it)",
        ),
        ({"affected": "no_longer"}, "Everybody who is no longer affected"),
        ({"affected": "no_longer", "places": ["DE"]}, "Everybody in Germany who is no longer affected"),
        (
            {"earlier": {"notice": str(NOTICE), "who": ["never", "missed"]}},
            "Everybody whom “Customer notice” did not reach or who was not among the people of “Customer notice”",
        ),
        (
            {"earlier": {"notice": str(NOTICE), "who": ["had"]}, "languages": ["de"]},
            "Everybody who reads German and who had “Customer notice”, or may have had it",
        ),
        (
            {"lists": [str(LIST)], "languages": ["de"]},
            "Everybody who reads German and who stands in the list “shop.csv”",
        ),
        ({"lists": [str(UUID(int=9))]}, "Everybody who stands in the list one that is gone"),
    ],
)
def test_it_is_said_in_a_sentence(audience, sentence) -> None:
    assert sentence_of(audience_from(audience), NAMES) == sentence
