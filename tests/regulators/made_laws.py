"""Laws made up for tests, small enough to see what decides. The real ones have their own tests."""

from datetime import UTC, datetime

from regulators.catalogue.rules import Regime, Start, Supervisor
from regulators.facts import Facts, Stated
from regulators.obligations import Answer, obligations_of
from regulators.rulebook import Rulebook

AWARE = datetime(2026, 9, 14, 8, 30, tzinfo=UTC)
SOURCE = {"title": "Made up", "url": "https://law.example/", "seen_on": "2026-11-21"}
HIGH = {"fact": "risk.level", "is_one_of": ["high"]}
UNLIKELY = {"fact": "risk.level", "is_one_of": ["unlikely"]}
MEMBER_STATES = ("DE", "FR", "IE")
NAMES = {"DE": "Germany", "FR": "France", "IE": "Ireland", "GB": "United Kingdom", "US": "United States"}
NAMES |= {"US-TX": "Texas", "US-OH": "Ohio", "CA-QC": "Quebec", "CA": "Canada", "JP": "Japan"}


def duty(tell="authority", **more):
    clock = {"limits": [{"starts": "awareness", "amount": 72, "unit": "hours"}], "reading": "Made up."}
    return {"id": f"tell_{tell}", "tell": tell, "title": "Made up", "clock": clock, "article": "1"} | more


def law(name, places, basis, duties=None, **more):
    reach = {"basis": basis, "text": "a made-up reach."} | ({"sector": "bank"} if basis == "in_sector" else {})
    content = {"id": name, "name": name.upper(), "kind": "national", "places": list(places), "law": "Made up"}
    content |= {"in_force": {}, "reaches_us": reach, "zone": "UTC", "source": SOURCE, "confidence": "memory"}
    content |= {} if "no_duty" in more else {"duties": duties or [duty()]}
    return Regime.model_validate(content | more)


def supervisor(name, place, **more):
    content = {"id": name, "place": place, "name": name, "short_name": name.upper(), "filing_channel": "By letter"}
    return Supervisor.model_validate(content | {"source": SOURCE, "confidence": "memory"} | more)


def gdpr(**more):
    duties = [
        duty("authority", unless=UNLIKELY),
        duty("people", when=HIGH, unless={"fact": "data.unreadable", "is": True}),
        duty("controller", role=["processor"]),
    ]
    authorities = ["ie_dpc", "fr_cnil", "de_bfdi", "de_by_lda", "de_by_lfd", "de_be"]
    shape = {"one_stop_shop": True, "authorities": authorities} | more
    return law("eu_gdpr", MEMBER_STATES, "established_or_targets", duties, **shape)


SUPERVISORS = {
    one.id: one
    for one in (
        supervisor("ie_dpc", "IE"),
        supervisor("fr_cnil", "FR"),
        supervisor("de_bfdi", "DE", hears="public"),
        supervisor("de_by_lda", "DE-BY", hears="private"),
        supervisor("de_by_lfd", "DE-BY", hears="public"),
        supervisor("de_be", "DE-BE"),
        supervisor("jp_ppc", "JP"),
    )
}


def book(*regimes):
    return Rulebook(regimes, SUPERVISORS, NAMES)


def answer(facts, *regimes, moment=AWARE) -> Answer:
    return obligations_of(facts, book(*regimes), moment)


def known(role="controller", **more) -> Facts:
    return Facts(role=role, starts={Start.AWARENESS: Stated(AWARE)}, **more)


def verdicts(found: Answer, tell="authority"):
    return {one.place: one.verdict.value for one in found.obligations if one.duty.tell == tell}
