from datetime import UTC, datetime, timedelta

import pytest

from regulators.catalogue.rules import Recipient, Start
from regulators.facts import Count, Facts, Stated
from regulators.obligations import Verdict, obligations_of
from tests.regulators.made_laws import AWARE, HIGH, SUPERVISORS, answer, book, duty, gdpr, known, law, verdicts

OWED, UNDECIDED, NOT_OWED = "owed", "undecided", "not_owed"
PEOPLE = {"FR": 120, "DE": 40, "GB": 5000}
RISK = {"risk.level": "risk"}


def only(found):
    (one,) = found.obligations
    return one


def texas(*duties, **more):
    named = {"US-TX": "Texas"}
    kinds = {"fact": "data.kinds", "includes_any": ["bank_account", "national_number"]}
    rule = duty(when={"fact": "people.residents", "at_least": 250})
    return law("us_tx", named, "residents", list(duties) or [rule], concerns=kinds, **more)


# Why, why not, and what is missing


def test_it_says_which_facts_met_which_condition_of_which_rule() -> None:
    found = known(kinds=frozenset({"bank_account"}), residents={"US": 412, "US-TX": 412})
    one = only(answer(found, texas()))
    assert (one.verdict, one.missing) == (OWED, ())
    assert [(reason.part, reason.fact, reason.met) for reason in one.reasons] == [
        ("reach", "people.residents", True),
        ("role", "role.is", True),
        ("definition", "data.kinds", True),
        ("condition", "people.residents", True),
    ]
    assert one.because == (
        "412 affected people live in Texas; this law follows the people who live there. We are the controller of this "
        "data. Bank account was among the data taken. 412 affected people live in Texas; 250 or more are needed."
    )


def test_it_says_what_does_not_apply_and_why() -> None:
    below = only(answer(known(kinds=frozenset({"bank_account"}), residents={"US-TX": 249}), texas()))
    harmless = only(answer(known(kinds=frozenset({"email"}), residents={"US-TX": 900}), texas()))
    assert [below.verdict, harmless.verdict] == [NOT_OWED, NOT_OWED]
    assert below.because == "249 affected people live in Texas; 250 or more are needed."
    assert harmless.because == "None of these was among the data taken: bank account or national number."


def test_it_names_the_fact_that_decides() -> None:
    one = only(answer(known(residents={"US-TX": 250}), texas()))
    assert (one.verdict, one.missing) == (UNDECIDED, ("data.kinds",))
    assert one.because == "Undecided until it is known which kinds of data were taken."


def test_an_exception_takes_the_duty_away_and_says_so() -> None:
    found = answer(known(established_in=frozenset({"IE"}), known={"risk.level": "unlikely"}), gdpr())
    assert verdicts(found) == {"IE": NOT_OWED}
    assert found.obligations[0].because == "The risk to people was decided to be unlikely."
    assert [reason.part for reason in found.obligations[0].reasons][-1] == "exception"


def test_a_no_decides_while_other_facts_are_missing() -> None:
    one = only(answer(known(role=None, kinds=frozenset({"email"}), residents={"US-TX": 900}), texas()))
    assert (one.verdict, one.missing) == (NOT_OWED, ())


def test_each_end_of_a_clock_says_whether_it_counts() -> None:
    limits = [{"starts": "awareness", "amount": hours, "unit": "hours"} for hours in (4, 24, 72)]
    limits[1]["when"] = {"fact": "breach.classified_within", "is": True}
    limits[2]["when"] = {"fact": "people.all", "more_than": 10}
    clocked = duty(clock={"limits": limits, "reading": "Made up."})
    one = only(answer(known(residents={"JP": 3}, people_all=3), law("jp", ["JP"], "residents", [clocked])))
    assert one.limits == (True, None, False)


# Whether a law reaches us


@pytest.mark.parametrize(
    ("basis", "facts", "verdict", "missing"),
    [
        ("residents", {}, OWED, ()),
        ("established", {}, UNDECIDED, ("us.established_in",)),
        ("established", {"established_in": frozenset({"JP"})}, OWED, ()),
        ("established", {"established_in": frozenset({"GB"})}, NOT_OWED, ()),
        ("established_or_targets", {}, UNDECIDED, ("us.established_in", "us.targets")),
        ("established_or_targets", {"targets": frozenset({"JP"})}, OWED, ()),
        ("established_or_targets", {"targets": frozenset()}, UNDECIDED, ("us.established_in",)),
        ("established_or_targets", {"targets": frozenset(), "established_in": frozenset()}, NOT_OWED, ()),
        ("carries_on_business", {}, UNDECIDED, ("reach.jp",)),
        ("carries_on_business", {"established_in": frozenset({"JP"})}, OWED, ()),
        ("carries_on_business", {"established_in": frozenset({"GB"})}, UNDECIDED, ("reach.jp",)),
        ("uses_local_means", {}, UNDECIDED, ("reach.jp",)),
        ("in_sector", {}, UNDECIDED, ("us.sectors",)),
        ("in_sector", {"sectors": frozenset({"telecoms"})}, NOT_OWED, ()),
        ("in_sector", {"sectors": frozenset({"bank"})}, UNDECIDED, ("reach.jp",)),
        ("in_sector", {"sectors": frozenset({"bank"}), "established_in": frozenset({"JP"})}, OWED, ()),
        ("by_contract", {}, UNDECIDED, ("reach.jp",)),
    ],
    ids=str,
)
def test_reach(basis, facts, verdict, missing) -> None:
    one = only(answer(known(residents={"JP": 3}, **facts), law("jp", ["JP"], basis)))
    assert (one.verdict, one.missing) == (verdict, missing)
    assert one.reasons[0].part == "reach"
    for decision in (True, False):
        by_person = only(answer(known(residents={"JP": 3}, reach={"jp": decision}, **facts), law("jp", ["JP"], basis)))
        assert by_person.verdict == (OWED if decision else NOT_OWED)


def test_a_law_nothing_ties_us_to_is_left_out() -> None:
    laws = [law(basis, ["JP"], basis) for basis in ("residents", "established", "in_sector", "carries_on_business")]
    assert answer(known(residents={"FR": 3}, established_in=frozenset({"FR"})), *laws).obligations == ()


def test_a_law_of_our_trade_is_never_left_out() -> None:
    one = only(answer(known(sectors=frozenset({"bank"}), established_in=frozenset()), law("jp", ["JP"], "in_sector")))
    assert (one.place, one.verdict, one.missing) == ("JP", UNDECIDED, ("reach.jp",))


def test_a_law_of_many_places_for_one_trade_is_looked_at_once() -> None:
    nis2 = law("eu_nis2", ["DE", "FR", "IE"], "in_sector")
    assert only(answer(known(residents=PEOPLE, sectors=frozenset()), nis2)).place == ""
    at_home = known(residents=PEOPLE, sectors=frozenset({"bank"}), established_in=frozenset({"FR"}))
    assert verdicts(answer(at_home, nis2)) == {"FR": OWED}


def test_a_law_of_a_part_of_a_country_is_undecided_while_the_part_is_not_known() -> None:
    quebec = law("ca_qc", ["CA-QC"], "residents")
    one = only(answer(known(residents={"CA": 50}), quebec))
    assert (one.verdict, one.missing) == (UNDECIDED, ("people.part_missing",))
    assert answer(known(residents={"CA": 50, "CA-ON": 50}), quebec).obligations == ()
    branch = known(residents={"CA": 5}, established_in=frozenset({"CA"}))
    assert only(answer(branch, law("ca_qc", ["CA-QC"], "established"))).missing == ("us.established_in",)


def test_overseas_regions_and_territories_are_counted_where_their_law_is() -> None:
    found = answer(known(residents={"RE": 7, "FR": 5, "PR": 3}, targets=frozenset({"FR"})), gdpr())
    assert found.obligations[0].reasons[0].sentence == "12 affected people live in France."
    assert found.not_in_catalogue == (("US", Count(3, 3)), ("US-PR", Count(3, 3)))


# Whose authority


def test_the_main_establishment_makes_one_authority_the_lead() -> None:
    facts = known(residents=PEOPLE, established_in=frozenset({"FR", "IE", "GB"}), main_establishment="IE", known=RISK)
    found = answer(facts, gdpr())
    assert verdicts(found) == {"IE": OWED, "FR": NOT_OWED, "DE": NOT_OWED}
    lead = next(one for one in found.obligations if one.verdict == OWED)
    assert lead.supervisor == SUPERVISORS["ie_dpc"]
    assert "its authority is told for all places" in lead.because
    assert verdicts(answer(known(residents=PEOPLE, main_establishment="FR", known=RISK), gdpr())) == {
        "FR": OWED,
        "DE": NOT_OWED,
    }


def test_a_single_establishment_leads_without_being_named() -> None:
    facts = known(residents=PEOPLE, established_in=frozenset({"IE", "GB"}), known=RISK)
    assert verdicts(answer(facts, gdpr())) == {"IE": OWED, "FR": NOT_OWED, "DE": NOT_OWED}


def test_without_an_establishment_every_member_state_where_people_live_is_told() -> None:
    facts = known(
        residents=PEOPLE | {"IE": 0},
        established_in=frozenset({"GB"}),
        targets=frozenset({"DE", "FR", "IE"}),
        representative_in=frozenset({"IE"}),
        known=RISK,
    )
    found = answer(facts, gdpr())
    assert verdicts(found) == {"DE": OWED, "FR": OWED}
    assert "Our representative in Ireland does not change that (GDPR Article 27)." in found.obligations[0].because


def test_several_establishments_and_no_main_one_named_are_undecided() -> None:
    facts = known(residents=PEOPLE, established_in=frozenset({"FR", "IE"}), known=RISK)
    found = answer(facts, gdpr())
    assert verdicts(found) == {"FR": UNDECIDED, "IE": UNDECIDED, "DE": UNDECIDED}
    assert {one.missing for one in found.obligations if one.duty.tell == Recipient.AUTHORITY} == {
        ("us.main_establishment",),
        ("us.main_establishment", "supervisor.DE"),
    }


def test_where_decisions_are_taken_outside_nothing_leads() -> None:
    several = known(residents=PEOPLE, established_in=frozenset({"FR", "IE"}), main_establishment="GB", known=RISK)
    assert verdicts(answer(several, gdpr())) == {"FR": OWED, "DE": OWED, "IE": NOT_OWED}
    single = known(residents=PEOPLE, established_in=frozenset({"FR"}), main_establishment="GB", known=RISK)
    assert verdicts(answer(single, gdpr())) == {"FR": OWED, "DE": UNDECIDED}


def test_while_establishments_are_not_stated_nobody_is_let_off() -> None:
    found = answer(known(residents=PEOPLE, known=RISK), gdpr())
    assert verdicts(found) == {"DE": UNDECIDED, "FR": UNDECIDED}
    assert all("us.established_in" in one.missing for one in found.with_verdict(Verdict.UNDECIDED))


def test_where_we_target_people_it_is_still_open_whose_authority_is_told() -> None:
    facts = known(residents=PEOPLE, targets=frozenset({"DE", "FR"}), known=RISK)
    found = answer(facts, gdpr())
    assert verdicts(found) == {"DE": UNDECIDED, "FR": UNDECIDED}
    assert found.obligations[0].because == "Undecided until it is known in which countries we have an establishment."


def test_the_people_are_told_everywhere_whoever_leads() -> None:
    high = {"risk.level": "high", "data.unreadable": False}
    facts = known(residents=PEOPLE, established_in=frozenset({"IE"}), known=high)
    assert verdicts(answer(facts, gdpr()), "people") == {"DE": OWED, "FR": OWED, "IE": OWED}


def test_in_germany_a_company_goes_to_the_authority_of_its_land() -> None:
    def german(**more):
        found = answer(known(residents={"DE": 9}, known=RISK | more.pop("known", {}), **more), gdpr())
        return next(one for one in found.obligations if one.duty.tell == Recipient.AUTHORITY)

    in_bavaria = german(established_in=frozenset({"DE-BY"}))
    assert in_bavaria.supervisor == SUPERVISORS["de_by_lda"]
    somewhere = german(established_in=frozenset({"DE"}))
    assert (somewhere.verdict, somewhere.supervisor, somewhere.missing) == (OWED, None, ("supervisor.DE",))
    assert [one.id for one in somewhere.candidates] == ["de_by_lda", "de_be"]
    chosen = german(established_in=frozenset({"DE"}), supervisors={"DE": "de_be"})
    assert (chosen.supervisor, chosen.missing) == (SUPERVISORS["de_be"], ())
    never = german(established_in=frozenset({"DE"}), supervisors={"DE": "de_bfdi"})
    assert (never.supervisor, never.missing) == (None, ("supervisor.DE",))
    public = german(established_in=frozenset({"DE"}), known={"us.public_body": True})
    assert [one.id for one in public.candidates] == ["de_bfdi", "de_by_lfd", "de_be"]


# What we are


def test_a_processor_tells_its_controller_once_and_nobody_else() -> None:
    facts = known(role="processor", residents=PEOPLE, established_in=frozenset({"FR"}), known={"risk.level": "high"})
    owed = answer(facts, gdpr()).with_verdict(Verdict.OWED)
    assert [(one.duty.tell, one.place) for one in owed] == [(Recipient.CONTROLLER, "")]
    assert "We are a processor of this data. This duty falls on the controller or a joint controller." in {
        one.because for one in answer(facts, gdpr()).with_verdict(Verdict.NOT_OWED)
    }


def test_each_joint_controller_owes_it() -> None:
    one = only(answer(known(role="joint", residents={"JP": 1}), law("jp", ["JP"], "residents")))
    assert one.verdict == OWED
    assert "Each of us owes this, whichever our arrangement names (GDPR Article 26)." in one.because


def test_a_role_nobody_stated_is_missing() -> None:
    one = only(answer(Facts(residents={"JP": 1}), law("jp", ["JP"], "residents")))
    assert (one.verdict, one.missing) == (UNDECIDED, ("role.is",))


# Laws and their days


def test_the_law_of_the_day_of_awareness_counts_and_a_later_one_is_offered() -> None:
    old = law("jp", ["JP"], "residents", in_force={"until": "2026-09-14"})
    new = law("jp", ["JP"], "residents", [duty("people")], in_force={"since": "2026-09-15"})
    draft = law("jp", ["JP"], "residents", in_force={"since": "2027-09-15"})
    found = answer(known(residents={"JP": 1}), new, draft, old, moment=AWARE + timedelta(days=30))
    assert only(found).regime == old
    assert [(later.regime, later.sentence) for later in found.later_versions] == [
        (new, "JP has another version since 15 September 2026, after we became aware.")
    ]
    assert answer(known(residents={"JP": 1}), new, draft, old).later_versions == ()


def test_the_day_is_that_of_the_laws_own_zone() -> None:
    old = law("jp", ["JP"], "residents", in_force={"until": "2026-09-14"}, zone="Asia/Tokyo")
    new = law("jp", ["JP"], "residents", in_force={"since": "2026-09-15"}, zone="Asia/Tokyo")
    for hour, regime in ((14, old), (15, new)):
        aware = {Start.AWARENESS: Stated(datetime(2026, 9, 14, hour, 59, tzinfo=UTC))}
        facts = Facts(role="controller", residents={"JP": 1}, starts=aware)
        assert only(answer(facts, old, new, moment=AWARE + timedelta(days=9))).regime == regime


def test_without_awareness_the_day_is_that_of_the_question() -> None:
    new = law("jp", ["JP"], "residents", in_force={"since": "2026-10-01"})
    facts = Facts(role="controller", residents={"JP": 1})
    assert only(answer(facts, new)).verdict == NOT_OWED
    assert only(answer(facts, new, moment=AWARE + timedelta(days=30))).verdict == OWED


@pytest.mark.parametrize(
    ("in_force", "why"),
    [
        ({"state": "not_yet", "since": "2027-05-14"}, "it begins on 14 May 2027"),
        ({"state": "not_yet"}, "no day is known on which it begins"),
        ({"state": "suspended"}, "it is suspended"),
        ({"state": "replaced", "until": "2025-01-01"}, "it ended on 1 January 2025"),
    ],
    ids=str,
)
def test_a_law_not_in_force_is_not_owed_and_says_why(in_force, why) -> None:
    one = only(answer(known(residents={"JP": 1}), law("jp", ["JP"], "residents", in_force=in_force)))
    assert (one.verdict, one.because) == (NOT_OWED, f"This law was not in force on 14 September 2026: {why}.")


def test_our_own_rules_stand_beside_the_laws() -> None:
    clause = law("insurer", ["GB"], "by_contract", [duty("contract_partner")], kind="own")
    found = answer(known(residents={"JP": 1}, own_rules=(clause,)), law("jp", ["JP"], "residents"))
    assert [(one.regime.id, one.is_own, one.verdict) for one in found.obligations] == [
        ("jp", False, OWED),
        ("insurer", True, OWED),
    ]
    same_name = law("jp", ["JP"], "by_contract", [duty("contract_partner")])
    both = answer(known(residents={"JP": 1}, own_rules=(same_name,)), law("jp", ["JP"], "residents"))
    assert [one.is_own for one in both.obligations] == [False, True]
    ended = law(
        "insurer", ["GB"], "by_contract", [duty("contract_partner")], kind="own", in_force={"until": "2026-01-01"}
    )
    renewed = law("insurer", ["GB"], "by_contract", kind="own", in_force={"since": "2026-01-02"})
    assert only(answer(known(own_rules=(ended, renewed)))).regime == renewed


# What is not in the catalogue


def test_people_living_where_there_is_no_entry_are_never_passed_over() -> None:
    found = answer(known(residents={"FR": 3, "MO": 2, "PK": 0}, without_country=4), gdpr())
    assert found.not_in_catalogue == (("MO", Count(2, 2)),)
    assert found.without_country == Count(4, 4)


def test_a_law_of_one_trade_is_no_entry_for_everybody() -> None:
    found = answer(known(residents={"PK": 2}, sectors=frozenset()), law("pk_banks", ["PK"], "in_sector"))
    assert found.not_in_catalogue == (("PK", Count(2, 2)),)


def test_a_law_that_asks_nothing_has_been_looked_at() -> None:
    nothing = law("jp", ["JP"], "residents", no_duty="Nobody is told.")
    found = answer(known(residents={"JP": 2}), nothing)
    assert (found.obligations, found.not_in_catalogue) == ((), ())
    assert [(one.place, one.sentence) for one in found.nothing_asked] == [("JP", "Nobody is told.")]


def test_people_without_a_part_of_their_country_are_counted() -> None:
    states = [law("us_tx", ["US-TX"], "residents"), law("us_oh", ["US-OH"], "residents")]
    found = answer(known(residents={"US": 20, "US-TX": 15, "US-OH": 2, "FR": 9}), *states, gdpr())
    assert found.without_part == (("US", Count(3, 3)),)


def test_advice_is_shown_and_never_owed() -> None:
    advised = law("jp", ["JP"], "residents", [duty(recommended=True, when=HIGH)], authorities=["jp_ppc"])
    one = only(answer(known(residents={"JP": 2}), advised))
    assert (one.verdict, one.is_advised, one.missing) == (NOT_OWED, True, ())
    assert one.supervisor == SUPERVISORS["jp_ppc"]
    assert one.because == "No law demands this; an authority asks for it."
    assert not only(answer(known(residents={"JP": 2}, known=RISK), advised)).is_advised


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 9, 14, 8, 30)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        obligations_of(known(), book(), naive)
    with pytest.raises(ValueError, match="time zone"):
        Stated(naive)
