"""By when a report is due: the law that it answers, that law's duty to tell the authority, and its clock.

The law is the version in force on the day of awareness, in the law's own zone. Whether the duty is owed at all is not
asked here: obligations_of() says that. An end that counts on a condition counts.
"""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from breachdesk.incidents.models import Incident
from regulators.catalogue import get_regime, the_catalogue
from regulators.catalogue.rules import Duty, Recipient, Regime, Start
from regulators.catalogue.schema import Form
from regulators.clocks import Due, due_of
from regulators.facts import Stated
from regulators.starts import stated_in

HOME, HOME_AUTHORITY = "uk_gdpr", "gb_ico"
"""The law, and whom it makes us tell, that the desk counts down to before any report is begun."""
UNITED_KINGDOM = "GB"  # Data Protection Act 2018, section 205(2)


def speaks_1182(law: Regime) -> bool:
    """Whether Regulation 1182/71 says how this law's periods are counted."""
    return law.kind == "eu" or UNITED_KINGDOM in law.places


def law_answered(form: Form, authority: str) -> str | None:
    """The id of the law that this form answers at this authority; None when the catalogue cannot tell."""
    laws = the_catalogue().regimes
    known = [law for law in form.regimes if law in laws]
    named = [law for law in known if authority in get_regime(law).authorities]
    return next(iter(named or known[: len(known) == 1]), None)


def due_by_law(
    law: str, incident: Incident, *, form: str = "", told: Mapping[Start, Stated] | None = None
) -> Due | None:
    """Its first report to the authority. `told`: what was done meanwhile. None: it asks for none."""
    regime = _version(law, incident)
    if not (duty := _report_of(regime, form)):
        return None
    return due_of(
        duty.clock,
        {**stated_in(incident), **(told or {})},
        zone=regime.zone,
        calendar=regime.calendar,
        article=duty.article,
        by_1182=speaks_1182(regime),
    )


def home_form() -> str:
    """The form that the law’s duty names: no code does."""
    duty = _report_of(get_regime(HOME), "")
    return duty.form or "" if duty else ""


def home_due(incident: Incident) -> Due:
    """The report to our own authority, whether one is begun or not."""
    due = due_by_law(HOME, incident)
    assert due is not None
    return due


def home_due_at(incident: Incident) -> datetime:
    """It runs from awareness, which every incident states."""
    at = home_due(incident).at
    assert at is not None
    return at


def _version(law: str, incident: Incident) -> Regime:
    day = incident.aware_at.astimezone(ZoneInfo(get_regime(law).zone)).date()
    return _in_force(law, day)


def _in_force(law: str, day: date) -> Regime:
    try:
        return get_regime(law, day)
    except KeyError:
        return get_regime(law)


def _report_of(regime: Regime, form: str) -> Duty | None:
    """The duty with that form, else the first one to the authority."""
    duties = [duty for duty in regime.duties if duty.tell in {Recipient.AUTHORITY, Recipient.OTHER_AUTHORITY}]
    return next((duty for duty in duties if duty.form == form), next(iter(duties), None))
