"""home_due(): the date of the report to our own authority, which lists of many cases count down to before any report is
begun; and which law a form answers. Every other date is that of a duty: see standing.py.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from breachdesk.incidents.models import Incident
from regulators.catalogue import get_regime, the_catalogue
from regulators.catalogue.rules import Duty, Recipient, Regime
from regulators.catalogue.schema import Form
from regulators.clocks import Due, due_of
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


def home_form() -> str:
    """The form that the law’s duty names: no code does."""
    duty = _report_of(get_regime(HOME))
    return duty.form or "" if duty else ""


def home_due(incident: Incident) -> Due:
    """The report to our own authority, whether one is begun or not: the same as that duty's date."""
    law = _version(HOME, incident)
    duty = _report_of(law)
    assert duty is not None
    return due_of(
        duty.clock,
        stated_in(incident),
        zone=law.zone,
        calendar=law.calendar,
        article=duty.article,
        by_1182=speaks_1182(law),
    )


def home_due_at(incident: Incident) -> datetime:
    """It runs from awareness, which every incident states."""
    at = home_due(incident).at
    assert at is not None
    return at


def _version(law: str, incident: Incident) -> Regime:
    """The one in force on the day of awareness, in the law's own zone; else the one of today."""
    day = incident.aware_at.astimezone(ZoneInfo(get_regime(law).zone)).date()
    try:
        return get_regime(law, day)
    except KeyError:
        return get_regime(law)


def _report_of(regime: Regime) -> Duty | None:
    """The first duty to tell the authority."""
    return next((duty for duty in regime.duties if duty.tell == Recipient.AUTHORITY), None)
