"""Who our own staff are, and what countries, states and languages are called in the files of many lands."""

import pytest
from django.test import override_settings

from breachdesk.people.countries import COUNTRIES, country_code
from breachdesk.people.languages import LANGUAGES, language_tag
from breachdesk.people.reading.context import context_here
from breachdesk.people.states import STATES, us_state
from tests.factories import make_organisation, make_user


@pytest.mark.django_db
def test_staff_are_all_colleagues_and_whoever_writes_from_our_domains() -> None:
    make_organisation(sender_email="Care@Halden-Rowe.example", reply_to="answers@mail.halden-rowe.example")
    colleague = make_user("responder", email="Priya@elsewhere.example")
    left = make_user("responder", email="gone@elsewhere.example", is_active=False)
    context = context_here()
    assert {colleague.email.lower(), left.email.lower()} <= context.staff
    assert context.own_domains == {"halden-rowe.example", "mail.halden-rowe.example"}


@pytest.mark.django_db
def test_a_mailbox_that_anybody_may_have_makes_nobody_our_staff() -> None:
    make_organisation(sender_email="halden.rowe@gmail.com", reply_to="")
    assert context_here().own_domains == frozenset()


@pytest.mark.django_db
@pytest.mark.parametrize("demo", [True, False])
def test_made_up_addresses_pass_in_the_demo_alone(settings, demo) -> None:
    with override_settings(BREACHDESK=settings.BREACHDESK.model_copy(update={"demo": demo})):
        assert context_here().reserved_domains is demo


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("de", "DE"), ("DEU", "DE"), ("Alemania", "DE"), ("Γερμανία", "DE"), ("ドイツ", "DE"), ("U.S.A.", "US"),
        ("États-Unis", "US"), ("Wielka  Brytania", "GB"), ("UK", "GB"), ("el", "GR"), ("Türkiye", "TR"), ("中国", "CN"),
        ("CHE", "CH"), ("Atlantis", None), ("", None), ("XX", None), ("DEX", None),
    ],
)  # fmt: skip
def test_countries_are_known_by_codes_and_names(name, code) -> None:
    assert country_code(name) == code


def test_every_country_and_state_is_known_by_its_own_name() -> None:
    assert [code for code, name in COUNTRIES.items() if country_code(name) != code or country_code(code) != code] == []
    assert [code for code, name in STATES.items() if us_state(name) != code or us_state(code.lower()) != code] == []
    assert [tag for tag, names in LANGUAGES.items() if {language_tag(name) for name in names} != {tag}] == []


@pytest.mark.parametrize(
    ("name", "tag"),
    [("ger", "de"), ("deu", "de"), ("Anglais", "en"), ("pt_BR.UTF-8", "pt-BR"), ("英語", "en"), ("xx", None)],
)
def test_languages_are_known_by_codes_and_names(name, tag) -> None:
    assert language_tag(name) == tag
