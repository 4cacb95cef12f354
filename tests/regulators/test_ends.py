"""Ends of periods that do not count for everybody: on closed days, on a condition, by a state's own act."""

from regulators.catalogue import get_regime, the_catalogue
from regulators.catalogue.conditions import IsTrue, NotTest, Test, facts_in
from regulators.law_words import shortly


def test_doras_ends_are_moved_off_closed_days_but_not_for_everybody() -> None:
    dora = get_regime("eu_dora")
    shape = {
        duty: [
            (limit.amount, limit.moved_ends_at, sorted(facts_in(limit.when)) if limit.when else [])
            for limit in dora.duty(duty).clock.limits
        ]
        for duty in ("initial", "intermediate", "final")
    }
    within, closed = "breach.classified_within", "us.files_on_closed_days"
    assert shape == {
        "initial": [(4, "12:00", []), (4, None, [closed]), (24, "12:00", [within]), (24, None, [within, closed])],
        "intermediate": [(72, "12:00", []), (72, None, [closed])],
        "final": [(1, "12:00", [])],
    }


NATIONAL = {
    ("CY", "early_warning"): "24 hours from awareness",
    ("CZ", "early_warning"): "24 hours from classification",
    ("CZ", "final"): "30 days from the end of the handling",
    ("FI", "early_warning"): "24 hours from detection; or 24 hours from awareness; whichever is first",
    ("FI", "notification"): "72 hours from detection; or 72 hours from awareness; whichever is first; in some cases 24 "
    "hours from detection or 24 hours from awareness",
    ("HR", "final"): "30 days from the full notification",
    ("PT", "early_warning"): "24 hours from the decision that it is a breach to report",
    ("PT", "end_of_impact"): "24 hours from the end of the handling",
    ("PT", "final"): "30 business days from the end of the handling",
}


def test_nis2_is_what_each_states_act_makes_of_it() -> None:
    nis2 = get_regime("eu_nis2")
    like_finland = {(place, duty): NATIONAL["FI", duty] for place in ("SI", "SK") for _, duty in NATIONAL if _ == "FI"}
    found = {(place, duty.id): shortly(duty.clock) for place, act in nis2.national.items() for duty in act.duties}
    assert found == NATIONAL | like_finland
    assert shortly(nis2.duty("early_warning", "CY").expected) == "6 hours from awareness"  # type: ignore[arg-type]
    assert nis2.duty("early_warning", "FR") == nis2.duty("early_warning")
    assert "BSI" in nis2.duty("final", "DE").whom
    began = {place: str(nis2.in_force_at(place).since) for place in ("BE", "DK", "NL", "SE")}
    assert began == {"BE": "2024-10-18", "DK": "2025-07-01", "NL": "2026-08-15", "SE": "2026-01-15"}


SINGLE_ENDS = {
    ("br_lgpd", "authority"): {3: "not us.small", 6: "us.small"},
    ("br_lgpd", "people"): {3: "not us.small", 6: "us.small"},
    ("cn_cac_incident_measures", "authority"): {2: "us.public_body", 1: "us.critical_infrastructure"},
    ("hk_ci_ordinance", "authority"): {12: "breach.severe"},
    ("jp_appi", "final"): {30: "not breach.is_attack", 60: "breach.is_attack"},
    ("eu_nis2", "notification"): {24: "us.trust_service"},
}


def test_an_end_that_does_not_always_count_hangs_on_the_fact_its_law_names() -> None:
    """DORA's have a test of their own."""
    found: dict[tuple[str, str], dict[int | None, str]] = {}
    for law in the_catalogue().regimes.values():
        for regime in law:
            for duty in regime.duties if regime.id != "eu_dora" else ():
                asked = {limit.amount: _said(limit.when) for limit in duty.clock.limits if limit.when}
                found |= {(regime.id, duty.id): asked} if asked else {}
    assert found == SINGLE_ENDS


def _said(test: Test) -> str:
    if isinstance(test, NotTest):
        return f"not {_said(test.not_)}"
    return test.fact if isinstance(test, IsTrue) and test.is_ else str(test)
