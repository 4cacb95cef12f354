"""Where a public notice is owed or allowed, by each law's own conditions, and the note that one was made."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from breachdesk.audit.models import Event
from breachdesk.desk.substitute import Numbers, _conditions, _counted, numbers_of, watch_of, words_of
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from regulators.actions import Told, meet_duty
from regulators.catalogue import the_catalogue
from regulators.catalogue.notice_rules import Substitute
from regulators.catalogue.rules import Recipient
from regulators.models import DutyMet
from tests.factories import make_incident, make_user, unguarded
from tests.notifications.undelivered import make_undelivered

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def case(made_once: None, django_db_blocker: DjangoDbBlocker) -> Incident:
    """Ella in New York was refused and has no postal address; Dan in California has one."""
    with django_db_blocker.unblock():
        incident = make_incident(kinds=["name", "email", "national_number"])
        make_undelivered(incident)
    return incident


def test_who_has_no_address_that_works(case: Incident) -> None:
    numbers = numbers_of(case)
    assert (numbers["US-NY"], numbers["US-CA"], numbers["GB"]) == (Numbers(1, 1), Numbers(1, 0), Numbers(3, 0))


def test_a_law_asks_for_it_where_nothing_else_reaches_them(case: Incident) -> None:
    watch = watch_of(case, timezone.now())
    [one] = watch.owed
    assert (one.place, one.for_how_many, one.is_owed) == ("New York", 1, True)
    assert len(one.parts) == 3
    assert one.source.url
    california = next(one for one in watch.others if one.obligation.place == "US-CA" or "California" in one.place)
    assert not california.is_allowed
    assert any("GDPR" in one.article or "Article 34" in one.article for one in watch.in_words)


def test_thresholds_are_passed_and_not_met() -> None:
    rule = Substitute(cost_over_usd=1_000, people_over=500, parts=("newspaper_or_media",))

    def met(people: int, cost: str | None) -> list[bool]:
        return [one.is_met for one in _conditions(rule, Numbers(people), Decimal(cost) if cost else None)]

    assert met(500, "2.00") == [False, False, False]
    assert met(501, "1.99") == [False, True, False]
    assert met(400, "2.51") == [False, False, True]
    assert met(400, None) == [False, False, False]


def test_a_law_may_ask_for_it_from_ten_people_on() -> None:
    rule = Substitute(unreachable_at_least=10, parts=("toll_free_number_90_days",))
    assert [one.is_met for one in _conditions(rule, Numbers(50, 9), None)] == [False]
    [met] = _conditions(rule, Numbers(50, 10), None, Numbers(4, 3))
    assert (met.is_met, met.words) == (True, "10 people or more without an address that works")
    assert met.standing == "10 people, and up to 3 more of whom it is not known where they live"


def test_every_law_that_speaks_of_telling_people_in_public_is_shown_with_its_words() -> None:
    laws = [version for versions in the_catalogue().regimes.values() for version in versions]
    speaks = {law.id for law in laws for duty in law.duties if duty.tell == Recipient.PEOPLE and words_of(duty)}
    assert {
        *("eu_gdpr", "eu_edps", "uk_gdpr", "gi_gdpr", "im_gdpr", "je_dpjl", "gg_dpl", "ch_fadp", "au_ndb", "br_lgpd"),
        *("id_pdp", "nz_privacy_act", "tr_kvkk"),
    } <= speaks
    assert not any(law.delivery and law.delivery.substitute for law in laws if law.id in speaks), (
        "that says it by numbers"
    )


def test_what_was_published_stays_when_the_case_says_otherwise(case: Incident) -> None:
    meet_duty(case, Told("us_ny", "substitute_notice", "US-NY", timezone.now(), "On our page."), by=make_user("dpo"))
    with unguarded():
        Person.objects.filter(state="NY").update(state="CA")
    _counted.cache_clear()
    assert [one.place for one in watch_of(case, timezone.now()).published] == ["New York"]
    _counted.cache_clear()


def test_the_page_and_the_note_that_it_was_made(client: Client, case: Incident) -> None:
    client.force_login(make_user("dpo"))
    address = reverse("substitute", args=[case.reference])
    first = client.get(address).content.decode()
    assert "What one letter costs" in first
    assert "This field is required" not in first, "nobody was asked yet"
    page = client.get(address, {"cost": "1.35"}).content.decode()
    assert "A public notice may be owed in one place" in page
    assert "Owed if this law applies" in page
    assert "1 × $1.35 = $1.35" in page
    [one] = watch_of(case, timezone.now()).owed
    note = reverse("substitute-published", args=[case.reference, one.key])
    assert client.post(note, {"at": "", "how": ""}).status_code == 422
    when = timezone.localtime(timezone=ZoneInfo("Europe/London")).strftime("%Y-%m-%dT%H:%M")
    assert client.post(note, {"at": when, "how": "On our website."}).status_code == 302
    assert DutyMet.objects.get().duty == "substitute_notice"
    assert Event.objects.of_type("duty.met").get().content["data"]["duty"] == "substitute_notice"
    assert "Published" in client.get(address).content.decode()
    assert watch_of(case, timezone.now()).owed == []


def test_only_who_may_notes_it(client: Client, case: Incident) -> None:
    client.force_login(make_user("author"))
    [one] = watch_of(case, timezone.now()).owed
    assert client.get(reverse("substitute-published", args=[case.reference, one.key])).status_code == 403
    with pytest.raises(PermissionDenied):
        meet_duty(case, Told("us_ny", "substitute_notice", "US-NY", timezone.now(), "x"), by=make_user("author"))
