"""The laws of the United States as they ship, against numbers written here by hand from the statutes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from regulators.catalogue.rules import Start
from regulators.clocks import due_of
from regulators.facts import Facts
from tests.regulators.laws import NOW, answer, in_state, knowing, law, owed, stated, the, verdicts, versions

# The smallest number of residents that the authority is told of; 1: any.
AUTHORITY = {
    "AL": 1001, "AR": 1001, "AZ": 1001, "CA": 501, "CO": 500, "CT": 1, "DC": 50, "DE": 501, "FL": 500, "HI": 1001,
    "IA": 501, "IL": 501, "IN": 1, "LA": 1, "MA": 1, "MD": 1, "ME": 1, "MO": 1001, "MT": 1, "NC": 1, "ND": 251,
    "NE": 1, "NH": 1, "NJ": 1, "NM": 1001, "NY": 1, "OK": 500, "OR": 251, "PA": 501, "PR": 1, "RI": 501, "SC": 1001,
    "SD": 251, "TX": 250, "UT": 500, "VA": 1, "VT": 1, "WA": 501,
}  # fmt: skip
NO_AUTHORITY = ["AK", "GA", "GU", "ID", "KS", "KY", "MI", "MN", "MS", "NV", "OH", "TN", "VI", "WI", "WV", "WY"]
CREDIT_AGENCIES = {
    "AK": 1001, "AL": 1001, "AZ": 1001, "CO": 1001, "DC": 1001, "FL": 1001, "GA": 10_001, "HI": 1001, "IN": 1001,
    "KS": 1001, "KY": 1001, "MA": 1, "MD": 1000, "ME": 1001, "MI": 1001, "MN": 501, "MO": 1001, "MT": 1, "NC": 1001,
    "NH": 1001, "NJ": 1001, "NM": 1001, "NV": 1001, "NY": 5001, "OH": 1001, "OR": 1001, "PA": 501, "RI": 501,
    "SC": 1001, "SD": 1, "TN": 1001, "TX": 10_001, "UT": 1000, "VA": 1001, "VT": 1001, "WI": 1000, "WV": 1001,
}  # fmt: skip
STATES = sorted([*AUTHORITY, *NO_AUTHORITY])

# Elements that count beside a name, over those that count everywhere.
EVERYWHERE = ("national_number", "identity_document", "payment_card", "bank_account")
BESIDE_A_NAME = {
    "health": "AL AR AZ CA CO CT DC DE FL IL MD MO MT ND NV NY OR PA PR RI SD TX VT WA WY",
    "biometric": "AR AZ CA CO CT DC DE IA IL LA MD NC NE NM NY OK OR VT WA WI WY",
    "birth_date": "ND WA",
    "location": "CA",
    "password": "GA ME PR WA",
}
WITH_EMAIL_AND_PASSWORD = "AL AZ CA CO CT DC FL IL MD NE NY OR PA SD VT WA WY"
AND_A_NAME = "DE NC NJ NV RI"
WITHOUT_A_NAME = {
    "national_number": "DC GA IN ME OR WA",
    "payment_card": "CO DC GA ME OR SD WA",
    "health": "TX",
}
ON_PAPER_TOO = "AK HI MA NC PR WA WI"
WHATEVER_THE_RISK = "CA GA IL MA MN ND NV PR TN TX VI"

# By when people are told, where the law names a number of days, and from when.
PEOPLE = {
    "AL": (45, Start.DETERMINATION), "AZ": (45, Start.DETERMINATION), "CA": (30, Start.DISCOVERY),
    "CO": (30, Start.DETERMINATION), "CT": (60, Start.DISCOVERY), "DE": (60, Start.DETERMINATION),
    "FL": (30, Start.DETERMINATION), "IN": (45, Start.DISCOVERY), "LA": (60, Start.DISCOVERY),
    "MD": (45, Start.DISCOVERY), "ME": (30, Start.AWARENESS), "NM": (45, Start.DISCOVERY), "NY": (30, Start.DISCOVERY),
    "OH": (45, Start.DISCOVERY), "OR": (45, Start.DISCOVERY), "RI": (45, Start.CONFIRMATION),
    "SD": (60, Start.DISCOVERY), "TN": (45, Start.DISCOVERY), "TX": (60, Start.DETERMINATION),
    "VT": (45, Start.DISCOVERY), "WA": (30, Start.DISCOVERY), "WI": (45, Start.AWARENESS),
}  # fmt: skip
PROCESSOR = {
    "AL": (10, "calendar_days"), "FL": (10, "calendar_days"), "GA": (24, "hours"), "LA": (60, "calendar_days"),
    "MD": (10, "calendar_days"), "NM": (45, "calendar_days"), "OR": (10, "calendar_days"),
    "TN": (45, "calendar_days"),
}  # fmt: skip


def regime_of(state: str) -> str:
    return f"us_{state.lower()}"


def breach_in(state: str, people: int = 20_000, **more: Any) -> Facts:
    """Of an information broker, so that Georgia's law too is about us."""
    return knowing(in_state(state, people, **more), us__information_broker=True)


def of_kinds(state: str, *kinds: str) -> set[str]:
    return owed(breach_in(state, kinds=frozenset(kinds)), regime_of(state))


def states_that_ask(*kinds: str) -> str:
    return " ".join(state for state in STATES if "people" in of_kinds(state, *kinds))


def test_there_are_54_laws_of_states_and_territories_and_12_others() -> None:
    ours = [law(name) for name in versions() if name.startswith("us_")]
    of_states = {
        one.places[0] for one in ours if one.kind in ("us_state", "us_territory") and one.id != "us_ny_dfs_500"
    }
    assert of_states == {f"US-{state}" for state in STATES}
    assert (len(STATES), len(ours)) == (54, 66)
    assert law("us_ny_dfs_500").places == ("US-NY",)


@pytest.mark.parametrize("duty", ["authority", "credit_agencies"])
def test_one_person_more_or_less_decides(duty: str) -> None:
    table = AUTHORITY if duty == "authority" else CREDIT_AGENCIES
    for state in STATES:
        least = table.get(state)
        if least is None:
            assert duty not in verdicts(breach_in(state), regime_of(state)), state
            continue
        assert duty in owed(breach_in(state, least), regime_of(state)), state
        if least > 1:
            assert duty not in verdicts(breach_in(state, least - 1), regime_of(state)), state


def test_texas_says_what_it_counted() -> None:
    below, reached = the(in_state("TX", 249), "us_tx", "authority"), the(in_state("TX", 250), "us_tx", "authority")
    assert (below.verdict, reached.verdict) == ("not_owed", "owed")
    assert "249 affected people live in Texas; 250 or more are needed." in below.because
    assert reached.supervisor
    assert reached.supervisor.short_name == "Texas AG"


def test_persons_notified_elsewhere_leave_it_undecided_until_counted() -> None:
    facts = in_state("KY", 900, people_all=5_000)
    assert verdicts(facts, "us_ky")["credit_agencies"] == "undecided"
    assert the(facts, "us_ky", "credit_agencies").missing == ("people.told",)
    assert "credit_agencies" in owed(replace(facts, told=1_001), "us_ky")
    assert "credit_agencies" not in verdicts(replace(facts, told=1_000), "us_ky")


def test_arkansas_and_north_dakota_count_everybody() -> None:
    assert "authority" in owed(in_state("AR", 3, people_all=1_001), "us_ar")
    assert "authority" in owed(in_state("ND", 3, people_all=251), "us_nd")
    assert "authority" not in verdicts(in_state("TX", 3, people_all=251), "us_tx")


def test_names_and_emails_alone_concern_no_state() -> None:
    contacts = frozenset({"name", "email", "postal_address", "phone", "customer_number", "orders"})
    for state in STATES:
        assert verdicts(breach_in(state, kinds=contacts), regime_of(state)) == {}, state
        unsure = verdicts(breach_in(state, kinds=contacts, kinds_uncertain=True), regime_of(state))
        assert set(unsure.values()) == {"undecided"}, state


def test_people_of_whom_the_state_is_not_known_may_live_in_any() -> None:
    for state in STATES:
        elsewhere = "TX" if state != "TX" else "OH"
        facts = breach_in(state, residents={"US": 300, f"US-{elsewhere}": 100}, people_all=300)
        people = the(facts, regime_of(state), "people")
        assert (people.verdict, people.missing) == ("undecided", ("people.part_missing",)), state
        assert "people" in owed(replace(facts, residents={"US": 300, f"US-{state}": 1}), regime_of(state)), state
    at_most = breach_in("TX", residents={"US": 249, "US-OH": 100}, people_all=249)
    assert "authority" not in verdicts(at_most, "us_tx")


def test_what_is_personal_information_in_each_state() -> None:
    for kind in EVERYWHERE:
        assert states_that_ask("name", kind) == " ".join(STATES), kind
    for kind, states in BESIDE_A_NAME.items():
        assert states_that_ask("name", kind) == states, kind
    assert states_that_ask("email", "password") == WITH_EMAIL_AND_PASSWORD
    assert set(states_that_ask("name", "email", "password").split()) == {
        *WITH_EMAIL_AND_PASSWORD.split(), *AND_A_NAME.split(), *BESIDE_A_NAME["password"].split()
    }  # fmt: skip
    for kind, states in WITHOUT_A_NAME.items():
        assert states_that_ask(kind) == states, kind


def test_unreadable_data_concerns_no_state_and_paper_a_few() -> None:
    for state in STATES:
        assert verdicts(knowing(breach_in(state), data__unreadable=True), regime_of(state)) == {}, state
    on_paper = [state for state in STATES if verdicts(knowing(breach_in(state), data__on_paper=True), regime_of(state))]
    assert on_paper == ON_PAPER_TOO.split()


def test_where_no_misuse_is_likely_some_states_still_ask() -> None:
    harmless = {state: knowing(breach_in(state), harm__misuse_likely=False) for state in STATES}
    still = [state for state in STATES if "people" in verdicts(harmless[state], regime_of(state))]
    # New York only forgives an accident, and this is a theft.
    assert still == sorted([*WHATEVER_THE_RISK.split(), "NY"])
    findings = [state for state in STATES if "no_harm_finding" in owed(harmless[state], regime_of(state))]
    assert findings == ["AK", "FL", "LA", "SD", "VT"]
    accident = knowing(harmless["NY"], breach__is_attack=False)
    assert owed(accident, "us_ny") == {"no_harm_finding"}
    assert owed(replace(accident, residents={"US-NY": 500}), "us_ny") == set()


def test_not_knowing_about_harm_or_encryption_removes_nothing() -> None:
    unknown = {"data.on_paper": False}
    for state in STATES:
        before = owed(breach_in(state), regime_of(state))
        facts = breach_in(state, known=unknown)
        assert before <= set(verdicts(facts, regime_of(state))), state


def test_by_when_people_are_told() -> None:
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)
    for state in STATES:
        regime = law(regime_of(state))
        clock = regime.duty("people").clock
        if state not in PEOPLE:
            assert clock.without_delay, state
            assert clock.limits == (), state
            continue
        days, start = PEOPLE[state]
        due = due_of(clock, stated(noon, start), zone=regime.zone, calendar=regime.calendar)
        assert due.at is not None, state
        assert (due.place.day_of(due.at) - due.place.day_of(noon)).days == days, state
        assert due_of(clock, {}, zone=regime.zone, calendar=regime.calendar).at is None, state


def test_what_a_processor_owes() -> None:
    for state in STATES:
        regime = law(regime_of(state))
        found = owed(replace(breach_in(state), role="processor"), regime.id)
        assert found - {"vendor_authority"} == {"controller"}, state
        limits = regime.duty("controller").clock.limits
        expected = [PROCESSOR[state]] if state in PROCESSOR else []
        assert [(one.amount, str(one.unit)) for one in limits][:1] == expected, state


def test_california_in_its_two_versions() -> None:
    regime, aware = law("us_ca"), datetime(2026, 1, 5, 18, tzinfo=UTC)
    people = due_of(regime.duty("people").clock, stated(aware, Start.DISCOVERY), zone=regime.zone)
    assert people.at == datetime(2026, 2, 5, 7, 59, 59, 999999, tzinfo=UTC)
    told = stated(datetime(2026, 2, 2, 20, tzinfo=UTC), Start.PEOPLE_TOLD)
    authority = due_of(regime.duty("authority").clock, told, zone=regime.zone)
    assert authority.at == datetime(2026, 2, 18, 7, 59, 59, 999999, tzinfo=UTC)
    early = in_state("CA", 501, starts=stated(datetime(2025, 12, 31, 20, tzinfo=UTC), Start.AWARENESS))
    found = answer(early, "us_ca", moment=NOW)
    assert not next(one for one in found.obligations if one.duty.id == "people").duty.clock.limits
    assert [one.since.isoformat() for one in found.later_versions] == ["2026-01-01"]


@pytest.mark.parametrize("name", ["us_hipaa", "us_42cfr_part2"])
def test_health_at_499_and_500_and_more_than_500_in_one_state(name: str) -> None:
    sector = law(name).reaches_us.sector
    ours = {"sectors": frozenset({sector}), "established_in": frozenset({"US"})}
    assert owed(in_state("OH", 499, **ours), name) == {"authority_small", "people"}
    assert owed(in_state("OH", 500, **ours), name) == {"authority", "people"}
    assert owed(in_state("OH", 501, **ours), name) == {"authority", "people", "media"}
    spread = in_state("OH", 0, **ours, residents={"US-OH": 500, "US-TX": 500}, people_all=1_000)
    assert owed(spread, name) == {"authority", "people"}
    assert owed(in_state("OH", 501, **{**ours, "sectors": frozenset({"telecoms"})}), name) == set()
    assert set(verdicts(in_state("OH", 501, **{**ours, "sectors": None}), name).values()) == {"undecided"}


def test_the_health_year_and_what_should_have_been_known() -> None:
    regime = law("us_hipaa")
    small, large = regime.duty("authority_small").clock, regime.duty("authority").clock
    year = due_of(small, stated(datetime(2027, 6, 1, tzinfo=UTC), Start.DISCOVERY), zone=regime.zone)
    assert year.place.day_of(year.at or NOW).isoformat() == "2028-02-29"
    found = stated(datetime(2026, 6, 10, 12, tzinfo=UTC), Start.DISCOVERY)
    should = stated(datetime(2026, 6, 1, 12, tzinfo=UTC), Start.SHOULD_HAVE_KNOWN)
    due = due_of(large, found | should, zone=regime.zone)
    assert due.place.day_of(due.at or NOW).isoformat() == "2026-07-31"
    assert regime.records_kept_years == 6


def test_health_apps_and_lenders_count_everybody_from_500() -> None:
    here = {"established_in": frozenset({"US"})}
    app = {**here, "sectors": frozenset({"health_app"})}
    assert owed(in_state("OH", 499, **app), "us_ftc_hbnr") == {"authority_small", "people"}
    assert owed(in_state("OH", 500, **app), "us_ftc_hbnr") == {"authority", "people", "media"}
    lender = {**here, "sectors": frozenset({"financial"})}
    assert owed(in_state("OH", 499, **lender), "us_ftc_safeguards") == set()
    assert owed(in_state("OH", 2, **lender, people_all=500), "us_ftc_safeguards") == {"authority"}


def test_a_carrier_tells_the_commission_of_500_or_of_harm() -> None:
    ours = {"sectors": frozenset({"telecoms"}), "established_in": frozenset({"US"})}
    harmless = knowing(in_state("OH", 499, **ours), harm__misuse_likely=False)
    assert "authority" not in owed(harmless, "us_fcc_cpni")
    assert "authority_annual" in owed(harmless, "us_fcc_cpni")
    assert "authority" in owed(in_state("OH", 1, **ours), "us_fcc_cpni")
    assert "authority" in owed(replace(harmless, people_all=500), "us_fcc_cpni")
    assert law("us_fcc_cpni").duty("authority").clock.limits == ()


def test_the_securities_clock_ends_at_half_past_five_and_good_friday_counts() -> None:
    regime = law("us_sec_8k_105")
    clock = regime.duty("authority").clock

    def due(*decided: int) -> str:
        starts = stated(datetime(*decided, 15, tzinfo=UTC), Start.MATERIALITY)  # type: ignore[arg-type]
        at = due_of(clock, starts, zone=regime.zone, calendar=regime.calendar).at
        assert at is not None
        return f"{at:%Y-%m-%d %H:%M}"

    assert due(2026, 4, 1) == "2026-04-07 21:30"  # Thursday, Good Friday 3 April, Monday, Tuesday
    assert due(2026, 11, 21) == "2026-11-27 22:30"  # a Saturday: Monday is day 1; Thanksgiving is closed
    assert law("us_sec_8k_105").authorities == ("us_sec",)


def test_second_ends_come_first_where_the_law_says_so() -> None:
    def days(state: str, duty: str, **starts: int) -> str:
        regime = law(regime_of(state))
        said = {
            Start(name): stated(datetime(2026, 3, day, 17, tzinfo=UTC), Start(name)) for name, day in starts.items()
        }
        every = {start: at for one in said.values() for start, at in one.items()}
        due = due_of(regime.duty(duty).clock, every, zone=regime.zone, calendar=regime.calendar)
        return due.place.day_of(due.at).isoformat() if due.at else ""

    assert days("VT", "authority", discovery=2, people_told=9) == "2026-03-09"
    assert days("VT", "authority", discovery=4) == "2026-03-24"  # Town Meeting Day, 3 March, is before it
    assert days("AR", "authority", determination=2, people_told=9) == "2026-03-09"
    assert days("AR", "authority", determination=2) == "2026-04-16"
    assert days("FL", "authority", determination=20, suspicion=2) == "2026-04-01"
    assert days("AL", "people", determination=20, told_by_others=2) == "2026-04-16"
    assert days("TX", "authority", determination=20, discovery=2) == "2026-04-19"
    assert days("MN", "credit_agencies", discovery=2) == "2026-03-04"
    assert days("LA", "authority", people_told=2) == "2026-03-12"
    assert days("IA", "authority", people_told=2) == "2026-03-09"
    assert law("us_la").duty("authority").clock.limits[0].until_received
    assert law("us_tx").duty("authority").expected is not None


def test_new_york_financial_services_and_ransoms() -> None:
    regime = law("us_ny_dfs_500")
    facts = in_state("NY", 9, sectors=frozenset({"ny_financial_services"}), established_in=frozenset({"US-NY"}))
    assert owed(knowing(facts, breach__ransom_paid=False), regime.id) == {"authority"}
    assert owed(knowing(facts, breach__ransom_paid=True), regime.id) == {d.id for d in regime.duties}
    assert [(d.clock.limits[0].amount, d.clock.limits[0].starts) for d in regime.duties] == [
        (72, "determination"), (24, "ransom_payment"), (30, "ransom_payment")
    ]  # fmt: skip


def test_what_is_not_yet_law_has_no_date() -> None:
    facts = in_state("TX", 9, sectors=frozenset({"critical_infrastructure"}), established_in=frozenset({"US"}))
    assert verdicts(knowing(facts, breach__severe=True), "us_circia") == {}
    assert all(duty.clock.limits == () and duty.expected for duty in law("us_circia").duties)


def test_how_each_law_lets_people_be_told() -> None:
    for state in STATES:
        regime = law(regime_of(state))
        assert regime.delivery, state
        assert regime.notice_contents, state
    offers = {state: law(regime_of(state)).credit_monitoring for state in STATES}
    months = {state: offer.months for state, offer in offers.items() if offer}
    assert months == {"CA": 12, "CT": 24, "DC": 18, "DE": 12, "MA": 18, "PA": 12}
