"""Whole cases against the catalogue's own laws: who is told, who is not, and what is still open. Written from the laws.

A duty is named law/duty, and law/duty@place where the law has several places.
"""

from datetime import UTC, datetime
from functools import cache

import pytest

from regulators.catalogue import the_catalogue
from regulators.catalogue.rules import Recipient, Start
from regulators.facts import Facts, Stated
from regulators.obligations import Answer, Verdict, obligations_of
from regulators.rulebook import rulebook_of

OWED, OPEN, NOT = Verdict.OWED, Verdict.UNDECIDED, Verdict.NOT_OWED
AWARE = datetime(2026, 10, 12, 9, 0, tzinfo=UTC)
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EEA = [*EU.split(), "IS", "LI", "NO"]
ELSEWHERE = ["GB", "US", "CH", "JP", "KR", "AU", "CA", "SG", "HK", "NZ"]
SHOP = frozenset({"name", "email", "phone", "postal_address", "customer_number"})
IDENTITY = frozenset({"name", "national_number"})


@cache
def rules():
    return rulebook_of(the_catalogue())


def answered(aware=AWARE, **more) -> Answer:
    """A British retailer in no special trade, about to be told more."""
    known = {"data.unreadable": False, "data.on_paper": False, "us.public_body": False} | more.pop("known", {})
    given = {"role": "controller", "kinds": SHOP, "established_in": frozenset({"GB"}), "sectors": frozenset()}
    starts = {Start.AWARENESS: Stated(aware)}
    return obligations_of(Facts(**(given | more), known=known, starts=starts), rules(), aware)


def risk(level, **more):
    return {"risk.level": level} | more


def americans(**states):
    return {f"US-{state}": people for state, people in states.items()} | {"US": sum(states.values())}


def verdicts(found: Answer) -> dict[str, Verdict]:
    several = {one.regime.id: len(one.regime.places) > 1 for one in found.obligations}
    return {
        f"{one.regime.id}/{one.duty.id}"
        + (f"@{one.place}" if several[one.regime.id] and one.place else ""): one.verdict
        for one in found.obligations
    }


def with_verdict(found: Answer, verdict: Verdict, tell=Recipient.AUTHORITY) -> set[str]:
    return {
        f"{one.regime.id}@{one.place}"
        for one in found.obligations
        if one.verdict == verdict and one.duty.tell == tell and not one.regime.reaches_us.sector
    }


def names_of(stories):
    return [story[0] for story in stories]


# A department store's customers in forty countries

DEPARTMENT_STORE = {
    "residents": {place: 90 + 10 * number for number, place in enumerate([*EEA, *ELSEWHERE])}
    | americans(CA=200, NY=90, TX=249),
    "targets": frozenset([*EEA, *ELSEWHERE]),
    "known": risk("risk", **{"breach.is_attack": True}),
}
EVERY_MEMBER_STATE = {f"eu_gdpr@{place}" for place in EEA}


def test_a_department_store_without_an_establishment_in_the_union() -> None:
    found = answered(**DEPARTMENT_STORE)
    owed = with_verdict(found, OWED)
    assert {name for name in owed if name.startswith("eu_gdpr")} == EVERY_MEMBER_STATE
    assert owed - EVERY_MEMBER_STATE >= {"uk_gdpr@GB", "jp_appi@JP", "kr_pipa@KR"}
    assert not [name for name in owed | with_verdict(found, OPEN) if name.startswith("us_")]
    assert {"au_ndb@AU", "sg_pdpa@SG", "ca_pipeda@CA"} <= with_verdict(found, OPEN)
    assert with_verdict(found, OWED, Recipient.PEOPLE) == {"jp_appi@JP", "kr_pipa@KR"}
    assert found.not_in_catalogue == ()


def test_a_department_store_with_its_main_establishment_in_ireland() -> None:
    found = answered(**DEPARTMENT_STORE | {"established_in": frozenset({"GB", "IE", "FR"}), "main_establishment": "IE"})
    assert {name for name in with_verdict(found, OWED) if name.startswith("eu_")} == {"eu_gdpr@IE"}
    assert with_verdict(found, NOT) >= EVERY_MEMBER_STATE - {"eu_gdpr@IE"}
    lead = next(one for one in found.obligations if one.regime.id == "eu_gdpr" and one.verdict == OWED)
    assert lead.supervisor == rules().supervisors["ie_dpc"]


def test_in_germany_a_department_store_is_never_sent_to_the_federal_authority() -> None:
    found = answered(**DEPARTMENT_STORE)
    german = next(one for one in found.obligations if (one.regime.id, one.place) == ("eu_gdpr", "DE"))
    assert (german.supervisor, german.missing) == (None, ("supervisor.DE",))
    assert {"de_bfdi", "de_by_lfd"}.isdisjoint(one.id for one in german.candidates)
    assert len(german.candidates) == 16
    in_hesse = answered(**DEPARTMENT_STORE | {"established_in": frozenset({"DE-HE"})})
    (one,) = (one for one in in_hesse.obligations if one.regime.id == "eu_gdpr" and one.verdict == OWED)
    assert one.supervisor == rules().supervisors["de_he"]


EEA_STORIES = [
    ("nobody is targeted there", {"targets": frozenset()}, NOT, NOT),
    ("nobody said whom we target", {"targets": None}, OPEN, OPEN),
    ("nobody said where we are established", {"established_in": None}, OPEN, OPEN),
    ("a representative is no establishment", {"representative_in": frozenset({"FR"})}, OWED, OWED),
    ("two establishments, no main one", {"established_in": frozenset({"FR", "IE"})}, OPEN, OPEN),
    ("one establishment", {"established_in": frozenset({"FR"})}, OWED, NOT),
    ("it was decided that the GDPR reaches us", {"targets": None, "reach": {"eu_gdpr": True}}, OWED, OWED),
    ("it was decided that it does not", {"reach": {"eu_gdpr": False}}, NOT, NOT),
    ("the risk is unlikely", {"known": risk("unlikely")}, NOT, NOT),
    ("the risk is not decided", {"known": {}}, OPEN, OPEN),
    ("a processor", {"role": "processor"}, NOT, NOT),
    ("a joint controller", {"role": "joint"}, OWED, OWED),
]


@pytest.mark.parametrize(("_", "facts", "in_france", "in_spain"), EEA_STORIES, ids=names_of(EEA_STORIES))
def test_the_authorities_of_the_union(_, facts, in_france, in_spain) -> None:
    base = {"residents": {"FR": 40, "ES": 7}, "targets": frozenset({"FR", "ES"}), "known": risk("risk")}
    found = verdicts(answered(**base | facts))
    assert (found["eu_gdpr/authority@FR"], found["eu_gdpr/authority@ES"]) == (in_france, in_spain)


# Case, facts, and what comes of them

UNREADABLE = risk("high", **{"data.unreadable": True})
ON_PAPER = {"data.on_paper": True, "harm.misuse_likely": True}
BANK = {"sectors": frozenset({"dora_entity"}), "established_in": frozenset({"FR"})}
STORIES = [
    (
        "a processor tells its controller and nobody else",
        {"role": "processor", "residents": {"GB": 10, **americans(TX=400)}, "kinds": IDENTITY, "known": risk("high")},
        {
            "uk_gdpr/processor": OWED,
            "uk_gdpr/authority": NOT,
            "uk_gdpr/people": NOT,
            "us_tx/controller": OWED,
            "us_tx/authority": NOT,
        },
    ),
    (
        "a controller has no controller to tell",
        {"residents": {"GB": 10}, "known": risk("risk")},
        {"uk_gdpr/authority": OWED, "uk_gdpr/people": NOT, "uk_gdpr/processor": NOT},
    ),
    (
        "a high risk",
        {"residents": {"GB": 10, "CH": 3}, "targets": frozenset({"CH"}), "known": risk("high")},
        {"uk_gdpr/people": OWED, "ch_fadp/authority": OWED},
    ),
    (
        "a risk that is not high",
        {"residents": {"CH": 3}, "targets": frozenset({"CH"}), "known": risk("risk")},
        {"ch_fadp/authority": NOT, "ch_fadp/people": NOT},
    ),
    (
        "encrypted, the key safe",
        {
            "residents": {"GB": 9, **americans(TX=900)},
            "kinds": IDENTITY,
            "known": risk("high", **{"data.unreadable": True}),
        },
        {"uk_gdpr/authority": OWED, "uk_gdpr/people": NOT, "us_tx/authority": NOT, "us_tx/people": NOT},
    ),
    (
        "names and email addresses reach no state of the US",
        {"residents": americans(TX=9000, CA=9000, NY=9000)},
        {"us_tx/people": NOT, "us_ca/authority": NOT, "us_ny/authority": NOT},
    ),
    (
        "an email address with its password",
        {"residents": americans(TX=900, CA=900, FL=900), "kinds": frozenset({"email", "password"})},
        {"us_tx/people": NOT, "us_ca/people": OWED, "us_ca/authority": OWED, "us_fl/people": OPEN},
    ),
    (
        "one state below its threshold, one above",
        {"residents": americans(TX=249, CA=501), "kinds": IDENTITY},
        {"us_tx/authority": NOT, "us_tx/people": OWED, "us_ca/authority": OWED, "us_ca/people": OWED},
    ),
    (
        "kinds of data that are not certain",
        {"residents": americans(TX=900), "kinds_uncertain": True},
        {"us_tx/authority": OPEN, "us_tx/people": OPEN},
    ),
    (
        "on paper",
        {
            "residents": americans(TX=900, HI=1001),
            "kinds": IDENTITY,
            "known": {"data.on_paper": True, "harm.misuse_likely": True},
        },
        {"us_tx/people": NOT, "us_hi/people": OWED, "us_hi/authority": OWED},
    ),
    (
        "misuse is not likely",
        {"residents": americans(TX=900, FL=900), "kinds": IDENTITY, "known": {"harm.misuse_likely": False}},
        {"us_tx/people": OWED, "us_fl/people": NOT, "us_fl/authority": NOT, "us_fl/no_harm_finding": OWED},
    ),
    (
        "one person without a country may be the one",
        {"residents": americans(TX=249), "kinds": IDENTITY, "without_country": 1},
        {"us_tx/authority": OPEN, "us_tx/people": OWED},
    ),
    (
        "one American without a state may be the one",
        {"residents": {"US": 250, "US-TX": 249}, "kinds": IDENTITY},
        {"us_tx/authority": OPEN, "us_oh/people": OPEN},
    ),
    (
        "a Canadian may live in Quebec",
        {"residents": {"CA": 5}, "known": {"harm.serious": True}, "reach": {"ca_pipeda": True}},
        {"ca_pipeda/authority": OWED, "ca_qc_law25/authority": OPEN},
    ),
    (
        "serious harm is for a person to say",
        {"residents": {"AU": 5, "NZ": 5}, "reach": {"au_ndb": True, "nz_privacy_act": True}},
        {"au_ndb/authority": OPEN, "nz_privacy_act/authority": OPEN},
    ),
    (
        "a law somebody decided about",
        {"residents": {"AU": 5}, "known": {"harm.serious": True}, "reach": {"au_ndb": False}},
        {"au_ndb/authority": NOT, "au_ndb/people": NOT},
    ),
    (
        "one Japanese customer and an attack",
        {"residents": {"JP": 1}, "targets": frozenset({"JP"}), "known": {"breach.is_attack": True}},
        {"jp_appi/authority": OWED, "jp_appi/people": OWED},
    ),
    (
        "advice is no duty",
        {"residents": {"HK": 900}, "known": {"harm.serious": True}},
        {"hk_pdpo/authority": NOT, "hk_pdpo/people": NOT},
    ),
    (
        "a law that begins later",
        {"residents": {"IN": 900}, "targets": frozenset({"IN"})},
        {"in_dpdp/authority": NOT, "in_dpdp/people": NOT},
    ),
    (
        "a retailer is in no special trade",
        {"residents": {"GB": 5, "FR": 5, **americans(NY=5)}},
        {"uk_pecr/authority": NOT, "eu_dora/initial": NOT, "eu_cra/incident": NOT, "us_hipaa/authority": NOT},
    ),
    (
        "nobody said which trades we are in",
        {"residents": {"FR": 5, **americans(NY=5)}, "sectors": None},
        {"eu_dora/initial": OPEN, "eu_nis2/early_warning": OPEN, "us_hipaa/people": OPEN},
    ),
    (
        "a bank in France whose incident is not classified",
        BANK,
        {"eu_dora/initial@FR": OPEN, "eu_dora/final@FR": OPEN, "eu_nis2/early_warning@FR": NOT},
    ),
    (
        "and once it is",
        {
            "sectors": frozenset({"dora_entity"}),
            "established_in": frozenset({"FR"}),
            "known": {"breach.is_major": True},
        },
        {"eu_dora/initial@FR": OWED, "eu_dora/people@FR": OWED},
    ),
    (
        "a maker of products whose flaw was used",
        {
            "sectors": frozenset({"digital_products"}),
            "established_in": frozenset({"NL"}),
            "known": {"breach.exploited_vulnerability": True, "breach.severe": False},
        },
        {"eu_cra/vulnerability_warning@NL": OWED, "eu_cra/incident_warning@NL": NOT},
    ),
    (
        "payment cards and a contract nobody looked at",
        {"residents": {"GB": 5}, "kinds": frozenset({"payment_card"})},
        {"us_pci_card_brands/contract_partner": OPEN},
    ),
    (
        "a branch in Jersey",
        {"established_in": frozenset({"GB", "JE"}), "known": risk("risk")},
        {"je_dpjl/authority": OWED, "uk_gdpr/authority": OWED},
    ),
]


@pytest.mark.parametrize(("_", "facts", "expected"), STORIES, ids=names_of(STORIES))
def test_stories(_, facts, expected) -> None:
    found = verdicts(answered(**facts))
    assert {name: found.get(name) for name in expected} == expected


HEALTH = {"sectors": frozenset({"health"}), "established_in": frozenset({"US"}), "kinds": frozenset({"name", "health"})}
JAPAN = {"targets": frozenset({"JP", "KR"}), "known": {"breach.is_attack": False}}
ASIA = {"reach": {"sg_pdpa": True, "my_pdpa": True}, "known": {"harm.serious": False}}

# Duty, the number of people below and at its threshold, where they live, and what else is known.
THRESHOLDS = [
    ("us_tx/authority", 249, "US-TX", {}),
    ("us_ca/authority", 500, "US-CA", {}),
    ("us_fl/authority", 499, "US-FL", {"known": {"harm.misuse_likely": True}}),
    ("us_dc/authority", 49, "US-DC", {"known": {"harm.misuse_likely": True}}),
    ("us_hi/authority", 1000, "US-HI", {"known": {"harm.misuse_likely": True}}),
    ("us_ny/credit_agencies", 5000, "US-NY", {"known": {"breach.is_attack": True}}),
    ("us_hipaa/authority", 499, "US-OH", HEALTH | {"known": {"harm.misuse_likely": True}}),
    ("us_hipaa/media", 500, "US-OH", HEALTH | {"known": {"harm.misuse_likely": True}}),
    ("jp_appi/authority", 1000, "JP", JAPAN | {"kinds": SHOP}),
    ("kr_pipa/authority", 999, "KR", JAPAN | {"kinds": SHOP}),
    ("sg_pdpa/authority", 499, "SG", ASIA | {"kinds": SHOP}),
    ("my_pdpa/authority", 1000, "MY", ASIA | {"kinds": SHOP}),
]


@pytest.mark.parametrize(("duty", "below", "place", "facts"), THRESHOLDS, ids=names_of(THRESHOLDS))
def test_one_person_makes_the_difference(duty, below, place, facts) -> None:
    def verdict(people):
        living = {place: people, place[:2]: people}
        return verdicts(answered(**{"kinds": IDENTITY, "people_all": people, "residents": living} | facts))[duty]

    assert (verdict(below), verdict(below + 1)) == (NOT, OWED)


def test_hipaa_at_499_is_told_once_a_year() -> None:
    facts = HEALTH | {"residents": americans(OH=499), "people_all": 499, "known": {"harm.misuse_likely": True}}
    found = verdicts(answered(**facts))
    assert (found["us_hipaa/authority_small"], found["us_hipaa/authority"]) == (OWED, NOT)


def test_the_version_of_the_day() -> None:
    """The Cyber Resilience Act applies since 11 September 2026; PECR's 24 hours ended on 20 August 2025."""
    maker = {"sectors": frozenset({"digital_products", "telecoms"}), "established_in": frozenset({"NL", "GB"})}
    maker |= {"known": {"breach.exploited_vulnerability": True}}
    before = verdicts(answered(datetime(2026, 9, 10, 12, 0, tzinfo=UTC), **maker))
    since = verdicts(answered(datetime(2026, 9, 11, 12, 0, tzinfo=UTC), **maker))
    assert [found["eu_cra/vulnerability_warning@NL"] for found in (before, since)] == [NOT, OWED]
    for day, second in ((19, True), (20, False)):
        found = answered(datetime(2025, 8, day, 12, 0, tzinfo=UTC), **maker)
        assert ("uk_pecr/second" in verdicts(found)) == second
        assert [later.regime.id for later in found.later_versions] == []


def test_people_living_where_there_is_no_entry_are_named() -> None:
    found = answered(residents={"GB": 5, "MO": 3, "PK": 2}, without_country=7)
    assert [place for place, _ in found.not_in_catalogue] == ["MO", "PK"]
    assert found.without_country == (7, 7)


def test_more_people_and_more_data_never_remove_an_authoritys_duty() -> None:
    """Everywhere at once, in steps over the thresholds; by whichever of a law's duties the authority hears of it."""
    places = sorted({place for regime in rules().regimes for place in regime.places})
    kinds = ["name", "email", "password", "payment_card", "national_number", "health", "biometric"]
    ranks: dict[tuple[str, str], int] = {}
    for step, people in enumerate((1, 49, 50, 250, 499, 500, 501, 1000, 1001, 5001, 10001)):
        found = answered(
            residents=dict.fromkeys(places, people) | {"US": people * 60, "CA": people * 3},
            kinds=frozenset(kinds[: 1 + step]),
            sectors=None,
            targets=frozenset(places),
            known=risk("risk", **{"harm.misuse_likely": True}),
        )
        now: dict[tuple[str, str], int] = {}
        for one in found.obligations:
            if one.duty.tell == Recipient.AUTHORITY:
                key = one.regime.id, one.place
                now[key] = max(now.get(key, 0), [NOT, OPEN, OWED].index(one.verdict))
        assert {key: (rank, now.get(key)) for key, rank in ranks.items() if now.get(key, -1) < rank} == {}
        ranks = now
