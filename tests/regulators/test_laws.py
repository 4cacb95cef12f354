"""The laws as they ship, against numbers, dates and conditions written here by hand and not taken from the files."""

from datetime import date

import pytest

from breachdesk.incidents.kinds import KINDS
from regulators.catalogue import (
    get_place,
    get_regime,
    get_supervisor,
    later_versions,
    regimes_in_force,
    supervisors_of,
    the_catalogue,
)
from regulators.catalogue.conditions import Test, facts_in
from regulators.catalogue.rules import Recipient, Start
from regulators.law_words import RECIPIENTS, STARTS, Words, shortly, words_of
from regulators.laws import Wanted, When, laws_listed

TODAY = date(2026, 11, 21)

# What the authority is owed, by law and duty.
AUTHORITY = {
    "uk_gdpr": "72 hours from awareness",
    "eu_gdpr": "72 hours from awareness",
    "uk_pecr": "72 hours from awareness",
    "uk_nis": "72 hours from awareness",
    "eu_eprivacy_611": "24 hours from detection",
    "eu_edps": "72 hours from awareness",
    "gi_gdpr": "72 hours from awareness",
    "je_dpjl": "72 hours from awareness",
    "gg_dpl": "72 hours from awareness",
    "im_gdpr": "72 hours from awareness",
    "ch_fadp": "Without delay, no number",
    "ca_pipeda": "Without delay, no number",
    "ca_qc_law25": "Without delay, no number",
    "ca_ab_pipa": "Without delay, no number",
    "au_ndb": "Without delay, no number",
    "au_apra_cps234": "72 hours from awareness",
    "au_ransom_report": "72 hours from the ransom payment",
    "nz_privacy_act": "Without delay, no number",
    "sg_pdpa": "3 days from the end of the assessment",
    "jp_appi": "Without delay, no number",
    "kr_pipa": "72 hours from awareness; or 72 hours from the first suspicion; whichever is first",
    "kr_network_act": "24 hours from awareness",
    "in_certin": "6 hours from detection; or 6 hours from being told by others; whichever is first",
    "in_dpdp": "Without delay, no number",
    "cn_pipl": "Without delay, no number",
    "cn_cac_incident_measures": "4 hours from awareness; in some cases 2 hours from awareness or 1 hour from awareness",
    "hk_ci_ordinance": "48 hours from awareness; in some cases 12 hours from awareness",
    "my_pdpa": "72 hours from when it happened; or 72 hours from being told by others; whichever is first",
    "th_pdpa": "72 hours from awareness",
    "id_pdp": "72 hours from awareness",
    "ph_dpa": "72 hours from awareness",
    "vn_pdpl": "72 hours from detection",
    "br_lgpd": "3 business days from awareness or 6 business days from awareness, by the case",
    "cl_law21719": "Without delay, no number",
    "co_law1581": "15 business days from detection",
    "pe_law29733": "48 hours from awareness",
    "uy_law18331": "72 hours from awareness",
    "za_popia": "Without delay, no number",
    "ke_dpa": "72 hours from awareness",
    "ng_ndpa": "72 hours from awareness",
    "gh_dpa": "Without delay, no number",
    "eg_pdpl": "72 hours from awareness",
    "tr_kvkk": "72 hours from awareness",
    "il_ppl": "Without delay, no number",
    "ae_pdpl": "Without delay, no number",
    "ae_difc": "Without delay, no number",
    "ae_adgm": "72 hours from awareness",
    "sa_pdpl": "72 hours from awareness",
    "qa_pdppl": "72 hours from awareness",
    "bh_pdpl": "72 hours from awareness",
    "om_pdpl": "72 hours from awareness",
    "kw_dppr": "24 hours from awareness",
    "jo_pdpl": "72 hours from discovery",
    "rs_lpdp": "72 hours from awareness",
    "ru_152fz": "24 hours from detection",
    "mc_law1565": "72 hours from awareness",
    "bm_pipa": "Without delay, no number",
    "ky_dpa": "5 days from when we should have known; or 5 days from awareness; whichever is first",
}

# Later stages, people and processors.
OTHERS = {
    ("eu_nis2", "early_warning"): "24 hours from awareness",
    ("eu_nis2", "notification"): "72 hours from awareness; in some cases 24 hours from awareness",
    ("eu_nis2", "intermediate"): "With the authority’s request",
    ("eu_nis2", "final"): "1 month from the full notification",
    ("eu_dora", "initial"): "4 hours from classification; in some cases 24 hours from awareness",
    ("eu_dora", "intermediate"): "72 hours from the first report",
    ("eu_dora", "final"): "1 month from the last report",
    ("eu_cra", "vulnerability_warning"): "24 hours from awareness",
    ("eu_cra", "vulnerability"): "72 hours from awareness",
    ("eu_cra", "vulnerability_final"): "14 days from a fix being available",
    ("eu_cra", "incident_warning"): "24 hours from awareness",
    ("eu_cra", "incident"): "72 hours from awareness",
    ("eu_cra", "incident_final"): "1 month from the full notification",
    ("eu_eprivacy_611", "second"): "3 days from the first report",
    ("ch_isa_cyberattack", "initial"): "24 hours from discovery",
    ("ch_isa_cyberattack", "complete"): "14 days from the first report; or 14 days from discovery; whichever is first",
    ("au_ndb", "assessment"): "30 days from the first suspicion",
    ("au_apra_cps234", "weakness"): "10 business days from awareness",
    ("jp_appi", "final"): "30 days from awareness or 60 days from awareness, by the case",
    ("kr_pipa", "people"): "72 hours from awareness; or 72 hours from the first suspicion; whichever is first",
    ("in_dpdp", "detailed"): "72 hours from awareness",
    ("cn_cac_incident_measures", "final"): "30 days from the end of the handling",
    ("hk_ci_ordinance", "written"): "14 days from awareness",
    ("my_pdpa", "follow_up"): "30 days from the notice to the authority",
    ("my_pdpa", "people"): "7 days from the notice to the authority",
    ("id_pdp", "people"): "72 hours from awareness",
    ("ph_dpa", "full"): "5 days from discovery",
    ("ph_dpa", "people"): "72 hours from awareness",
    ("br_lgpd", "follow_up"): "20 business days from the first report",
    ("br_lgpd", "people"): "3 business days from awareness or 6 business days from awareness, by the case",
    ("pe_law29733", "people"): "48 hours from awareness",
    ("ke_dpa", "processor"): "48 hours from awareness",
    ("eg_pdpl", "people"): "3 business days from the notice to the authority",
    ("qa_pdppl", "people"): "72 hours from awareness",
    ("om_pdpl", "people"): "72 hours from awareness",
    ("kw_dppr", "people"): "24 hours from awareness",
    ("jo_pdpl", "people"): "24 hours from discovery",
    ("ru_152fz", "final"): "72 hours from detection",
    ("ky_dpa", "people"): "5 days from when we should have known; or 5 days from awareness; whichever is first",
    ("tw_pdpa", "people"): "Without delay, no number",
    ("mx_lfpdppp", "people"): "Without delay, no number",
}

# What is guidance or a draft, and so beside the law and never its date.
EXPECTED = {
    ("nz_privacy_act", "authority"): "72 hours from awareness",
    ("jp_appi", "authority"): "5 days from awareness",
    ("sg_pdpa", "assessment"): "30 days from discovery",
    ("ae_difc", "authority"): "72 hours from awareness",
    ("ch_fadp", "authority"): "72 hours from awareness",
    ("cn_pipl", "authority"): "24 hours from awareness",
    ("tw_pdpa", "people"): "72 hours from awareness",
}


def test_all_laws_are_there_once() -> None:
    laws = the_catalogue().regimes
    american = {law for law in laws if law.startswith("us_")}
    assert (len(american), len(laws)) == (66, 133)
    assert set(laws) - american == {*AUTHORITY, *(law for law, _ in OTHERS), "hk_pdpo", "ar_pdpl", "ua_law2297"}


def test_the_authoritys_clocks_are_the_laws() -> None:
    first = {law: shortly(get_regime(law).duty("authority").clock) for law in AUTHORITY}
    assert first == AUTHORITY


def test_the_other_clocks_are_the_laws() -> None:
    assert {key: shortly(get_regime(key[0]).duty(key[1]).clock) for key in OTHERS} == OTHERS


def test_guidance_and_drafts_stand_beside_the_law() -> None:
    duties = [(law.id, duty) for law in regimes_in_force(TODAY) for duty in law.duties if duty.expected]
    found = {(law, duty.id): shortly(duty.expected) for law, duty in duties if duty.expected and law[:3] != "us_"}
    assert found == EXPECTED


def test_singapores_three_days_are_days_and_begin_the_day_after() -> None:
    (limit,) = get_regime("sg_pdpa").duty("authority").clock.limits
    assert (limit.whole_days, limit.counts_first_day) == (True, False)


def test_japans_thirty_days_count_the_first_day_and_sixty_are_for_attacks() -> None:
    thirty, sixty = get_regime("jp_appi").duty("final").clock.limits
    assert (thirty.counts_first_day, sixty.counts_first_day) == (True, True)
    assert (list(facts_in(_test(thirty.when))), list(facts_in(_test(sixty.when)))) == (["breach.is_attack"],) * 2


@pytest.mark.parametrize(
    ("law", "duty", "facts"),
    [
        ("jp_appi", "authority", {"data.kinds", "breach.is_attack", "people.residents"}),
        ("kr_pipa", "authority", {"data.kinds", "breach.is_attack", "people.residents"}),
        ("my_pdpa", "authority", {"people.all", "harm.serious"}),
        ("sg_pdpa", "authority", {"people.all", "harm.serious", "data.kinds"}),
    ],
)
def test_a_number_is_one_of_several_conditions(law: str, duty: str, facts: set[str]) -> None:
    """Read as a filter, the number alone would take the duty away."""
    condition = _test(get_regime(law).duty(duty).when)
    assert type(condition).__name__ == "AnyOfTests"
    assert set(facts_in(condition)) == facts


def test_unreadable_data_frees_from_telling_people_in_singapore_and_not_from_telling_the_authority() -> None:
    regime = get_regime("sg_pdpa")
    assert list(facts_in(_test(regime.duty("people").unless))) == ["data.unreadable"]
    assert regime.duty("authority").unless is None


def test_a_gdpr_law_is_owed_unless_a_risk_is_unlikely_and_to_people_if_it_is_high() -> None:
    for law in ("uk_gdpr", "eu_gdpr", "gi_gdpr", "je_dpjl", "gg_dpl", "im_gdpr", "eu_edps"):
        regime = get_regime(law)
        assert regime.duty("authority").unless.is_one_of == ("unlikely",)  # type: ignore[union-attr]
        assert regime.duty("people").when.is_one_of == ("high",)  # type: ignore[union-attr]
        assert regime.duty("processor").role == ("processor",)
        assert not regime.duty("processor").clock.limits


def test_nis2_binds_the_union_and_liechtenstein_and_not_norway_or_iceland() -> None:
    places = set(get_regime("eu_nis2").places)
    assert set(get_regime("eu_gdpr").places) - places == {"NO", "IS"}
    assert (len(places), set(get_regime("eu_cra").places)) == (28, places - {"LI"})


BASES = {
    "za_popia": "uses_local_means",
    "au_ndb": "carries_on_business",
    "nz_privacy_act": "carries_on_business",
    "jp_appi": "established_or_targets",
    "cn_pipl": "established_or_targets",
    "br_lgpd": "established_or_targets",
    "sa_pdpl": "residents",
    "sg_pdpa": "carries_on_business",
    "uk_gdpr": "established_or_targets",
    "eu_nis2": "in_sector",
    "eu_dora": "in_sector",
}


def test_each_law_says_whom_it_reaches() -> None:
    assert {law: get_regime(law).reaches_us.basis for law in BASES} == BASES


@pytest.mark.parametrize(
    ("law", "day", "clock"),
    [
        ("uk_pecr", "2025-08-19", "24 hours from detection"),
        ("uk_pecr", "2025-08-20", "72 hours from awareness"),
        ("kr_pipa", "2026-09-09", "72 hours from awareness"),
        ("kr_pipa", "2026-09-10", AUTHORITY["kr_pipa"]),
        ("eg_pdpl", "2026-11-01", "Without delay, no number"),
        ("eg_pdpl", "2026-11-02", "72 hours from awareness"),
    ],
)
def test_the_version_of_a_day_counts(law: str, day: str, clock: str) -> None:
    assert shortly(get_regime(law, date.fromisoformat(day)).duty("authority").clock) == clock


@pytest.mark.parametrize(
    ("law", "first"), [("eu_cra", "2026-09-11"), ("cl_law21719", "2026-12-01"), ("in_dpdp", "2027-05-13")]
)
def test_a_law_counts_from_its_first_day(law: str, first: str) -> None:
    day = date.fromisoformat(first)
    assert get_regime(law, day).id == law
    with pytest.raises(KeyError, match="no version that counts"):
        get_regime(law, date.fromordinal(day.toordinal() - 1))


def test_drafts_and_bills_never_count_and_are_offered_as_later() -> None:
    for law in ("tw_pdpa", "uk_nis"):
        later = [one for one in later_versions(TODAY) if one.id == law]
        assert [one.in_force.state for one in later] == ["not_yet"]
        assert not any(duty.clock.limits for one in later for duty in one.duties)
        assert get_regime(law, date(2040, 1, 1)).in_force.state == "in_force"


def test_on_no_day_two_versions_count() -> None:
    for day in (date(1999, 1, 1), date(2019, 6, 1), TODAY, date(2031, 1, 1)):
        counting = [regime.id for regime in regimes_in_force(day)]
        assert len(counting) == len(set(counting))


def test_advice_is_not_a_duty_and_a_law_without_duties_says_why() -> None:
    advice = {(law.id, duty.id) for law in regimes_in_force(TODAY) for duty in law.duties if duty.recommended}
    assert {"hk_pdpo", "ar_pdpl"} <= {law for law, _ in advice}
    assert ("co_law1581", "people") in advice
    assert "no general duty" in get_regime("ua_law2297").no_duty


def test_nothing_is_called_reviewed_and_what_was_read_has_its_address() -> None:
    for versions in the_catalogue().regimes.values():
        for regime in versions:
            assert regime.reviewed_by == ""
            assert regime.confidence == "memory" or regime.source.url


def test_authorities_are_found_by_place_and_some_hear_no_company() -> None:
    assert [one.id for one in supervisors_of("DE-BY")] == ["de_by_lda", "de_by_lfd"]
    assert len(supervisors_of("DE")) == 18
    assert {get_supervisor(one).hears for one in ("de_bfdi", "de_by_lfd", "eu_edps")} == {"public"}
    assert (get_supervisor("de_by_lda").hears, get_supervisor("gb_ico").short_name) == ("private", "ICO")


def test_places_have_a_name_a_clock_and_holidays() -> None:
    assert (get_place("US-TX").name, get_place("US-TX").zone, get_place("US-TX").calendar) == (
        "Texas",
        "America/Chicago",
        "US-TX",
    )


def test_rules_speak_of_the_same_kinds_of_data_as_incidents() -> None:
    assert set(the_catalogue().known.values["data.kinds"].several_of) == set(KINDS)


def test_every_start_and_recipient_has_words() -> None:
    assert (set(STARTS), set(RECIPIENTS)) == (set(Start), set(Recipient))


def test_every_condition_can_be_said() -> None:
    facts = the_catalogue().known.facts
    for versions in the_catalogue().regimes.values():
        for regime in versions:
            for where, test in regime.tests():
                assert all(words[-1] in ".:" for words in _flat(words_of(test, facts))), (regime.id, where)


def test_a_condition_in_words() -> None:
    facts = the_catalogue().known.facts
    words = words_of(_test(get_regime("jp_appi").duty("authority").when), facts)
    assert words.text == "Any of these:"
    assert [part.text for part in words.parts[2:]] == [
        "Somebody did it on purpose to do harm.",
        "More than 1,000 affected people live there.",
    ]


def test_laws_are_found_by_place_with_its_country_and_its_parts() -> None:
    texas = _found(place="US-TX")
    assert {"us_tx", "us_hipaa"} <= texas
    assert not texas & {"us_ca", "uk_gdpr"}
    assert {"us_tx", "us_ca", "us_hipaa"} <= _found(place="US")
    assert {"eu_gdpr", "eu_nis2"} <= _found(place="DE-BY")


def test_laws_are_found_by_who_is_told_by_kind_by_words_and_by_time() -> None:
    assert "mx_lfpdppp" not in _found(tell="authority")
    assert _found(kind="freezone") == {"ae_difc", "ae_adgm"}
    assert _found(text="commissioner NEW zealand") == {"nz_privacy_act"}
    assert _found(when=When.LATER) >= {"in_dpdp", "cl_law21719", "tw_pdpa", "uk_nis", "us_circia"}
    assert _found(when=When.ENDED) >= {"uk_pecr", "kr_pipa", "eg_pdpl"}
    assert _found(when=When.EVERY) == set(the_catalogue().regimes)


def _found(**wanted: object) -> set[str]:
    return {law.regime.id for law in laws_listed(the_catalogue(), Wanted(TODAY, **wanted))}  # type: ignore[arg-type]


def _test(test: Test | None) -> Test:
    assert test is not None
    return test


def _flat(words: Words) -> list[str]:
    return [words.text, *(text for part in words.parts for text in _flat(part))]
