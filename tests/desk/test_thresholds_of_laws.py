"""Each law of the catalogue that lets a public notice stand for single ones: watched, and by its own thresholds."""

from decimal import Decimal

import pytest
from django.utils import timezone

from breachdesk.desk.substitute import PARTS, Numbers, _conditions, watch_of
from regulators.catalogue import regimes_in_force
from regulators.catalogue.notice_rules import Substitute
from regulators.catalogue.rules import Regime
from tests.factories import make_incident, make_organisation, make_people

LAWS = [
    (regime, regime.delivery.substitute)
    for regime in regimes_in_force(timezone.now().date())
    if regime.delivery and regime.delivery.substitute
]
BY_NAME = pytest.mark.parametrize(("regime", "rule"), LAWS, ids=[regime.id for regime, _ in LAWS])
CENT = Decimal("0.01")


def met(rule: Substitute, people: int, cost: Decimal | None = None, *, unreachable: int = 0) -> set[str]:
    return {one.words for one in _conditions(rule, Numbers(people, unreachable), cost) if one.is_met}


@BY_NAME
def test_at_its_threshold_it_is_not_met_and_above_it_is(regime: Regime, rule: Substitute) -> None:
    least = rule.unreachable_at_least
    assert met(rule, least, unreachable=least - 1) == set()
    assert len(met(rule, least, unreachable=least)) == 1
    if rule.people_over is not None:
        assert met(rule, rule.people_over) == set()
        assert met(rule, rule.people_over + 1) == {f"More than {rule.people_over:,} people to be told"}
    if rule.cost_over_usd is not None:
        assert met(rule, 1, Decimal(rule.cost_over_usd)) == set()
        assert met(rule, 1, rule.cost_over_usd + CENT) == {
            f"Letters to all would cost more than ${rule.cost_over_usd:,}"
        }


def test_what_it_consists_of_has_words() -> None:
    assert {part for _, rule in LAWS for part in rule.parts} <= PARTS.keys()


@pytest.mark.django_db
def test_each_is_watched_where_somebody_lives_whom_it_protects() -> None:
    places = sorted({place for regime, _ in LAWS for place in regime.places})
    make_organisation()
    incident = make_incident(kinds=["name", "email", "national_number", "payment_card", "health"])
    rows = [
        f"HR-{n},Ana,Person,p{n}@example.com,{place.partition('-')[0]},{place.partition('-')[2]},en"
        for n, place in enumerate(places)
    ]
    make_people(incident, "\n".join(["customer_id,first_name,last_name,email,country,state,language", *rows]))
    watched = {notice.obligation.regime.id: notice for notice in watch_of(incident, timezone.now()).notices}
    assert {regime.id for regime, _ in LAWS} - watched.keys() == set()
    for regime, rule in LAWS:
        theirs = [one for one in places if {one, one.partition("-")[0]} & set(regime.places)]
        assert watched[regime.id].numbers.people == len(theirs), "a federal law counts the people of all states"
        assert watched[regime.id].rule == rule
