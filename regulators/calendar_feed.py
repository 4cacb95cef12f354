"""calendar_of(): the open dates a colleague may see, as iCalendar (RFC 5545). No title of a case and nobody's name.

The same moment gives the same bytes. An entry keeps its identity while its duty lasts, so that a date that moves moves
in the reader's calendar, and one that is met disappears from it.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import icalendar

from breachdesk.accounts.staff_mail import absolute
from breachdesk.incidents.models import Incident
from regulators.countdowns import Countdown
from regulators.open_dates import countdowns_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

REFRESH = timedelta(hours=1)
AHEAD = timedelta(hours=24)


def calendar_of(user: "User", now: datetime) -> bytes:
    made = icalendar.Calendar()
    made.add("prodid", "-//BreachDesk//Deadlines//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", "BreachDesk deadlines")
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    if user.has_perm("regulators.view_filing"):
        for incident in Incident.objects.visible_to(user).open().with_moments().order_by("reference"):
            for one in countdowns_of(incident, now):
                made.add_component(_entry(incident, one, now))
    return bytes(made.to_ical())


def _entry(incident: Incident, one: Countdown, now: datetime) -> icalendar.Event:
    doubt, link = "" if one.is_decided else " (if it is owed)", absolute(one.url)
    event = icalendar.Event()
    event.add("uid", str(uuid5(NAMESPACE_URL, f"{incident.pk}/{one.key}")))
    event.add("dtstamp", now)
    event.add("dtstart", one.at)
    event.add("summary", f"{incident.reference}: {one.whom}{doubt}")
    event.add("description", "\n".join([f"{one.title}. {one.law}.", *one.working, link]))
    event.add("url", link)
    event.add("transp", "TRANSPARENT")
    event.add_component(_alarm())
    return event


def _alarm() -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "A deadline ends in 24 hours")
    alarm.add("trigger", -AHEAD)
    return alarm
