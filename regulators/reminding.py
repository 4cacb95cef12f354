"""remind(): e-mails about dates that come near, to whoever may write filings; to their deputies when nobody reacted.

A warning is claimed before anything is sent: a row and its event, in one transaction. No transaction is open while the
relay talks. If the relay or this process fails in between, a later beat tries again; a colleague may then get the same
e-mail twice, never not at all. What was done meanwhile is not reminded of any more.

Nobody reacted: a warning about the same date went before and nothing was begun, or the date has passed. E-mails hold
the reference of the case, laws, authorities and dates: no title and nobody's name.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from breachdesk.accounts.models import User, UserQuerySet
from breachdesk.accounts.staff_mail import absolute, letter_to, send
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from regulators.countdowns import Countdown
from regulators.models import Reminder
from regulators.open_dates import countdowns_of, work_out
from regulators.warning_times import Reached, read_times, warnings_of

MAY = "regulators.write_filing"
AT_ONCE = 80
"""Warnings that one event names. What is left waits for the next beat."""
LISTED = 12

log = logging.getLogger(__name__)


def remind(moment: datetime) -> int:
    """Makes the warnings whose time has come and sends what was not sent yet. Returns how many were made."""
    made = sum(_warn(incident, moment) for incident in Incident.objects.open().with_moments())
    for incident_id, made_at in Reminder.objects.untold(moment).values_list("incident_id", "made_at").distinct():
        _tell(incident_id, made_at, moment)
    return made


def _warn(incident: Incident, moment: datetime) -> int:
    known = set(Reminder.objects.of(incident).values_list("duty", "warning", "due_at"))
    warned = {(key, due_at) for key, _, due_at in known}
    reached = _reached(work_out(incident, moment), moment)
    new = [(one, warning) for one, warning in reached if (one.key, warning.code, one.at) not in known]
    rows = [_reminder(incident, one, warning, warned, moment) for one, warning in new[:AT_ONCE]]
    if rows:
        try:
            _claim(incident, rows)
        except IntegrityError:
            log.info("Another process made the same warnings first.")
            return 0
    return len(rows)


def _reached(countdowns: Iterable[Countdown], moment: datetime) -> Iterator[tuple[Countdown, Reached]]:
    times = read_times(settings.BREACHDESK.deadline_warnings)
    return ((one, warning) for one in countdowns for warning in warnings_of(one.period, moment, times))


def _reminder(
    incident: Incident, one: Countdown, warning: Reached, warned: set[tuple[str, datetime]], moment: datetime
) -> Reminder:
    ignored = not one.is_begun and (one.key, one.at) in warned
    return Reminder(
        incident=incident,
        duty=one.key,
        warning=warning.code,
        due_at=one.at,
        calls_deputies=ignored or warning.is_overdue,
        made_at=moment,
    )


@transaction.atomic
def _claim(incident: Incident, rows: list[Reminder]) -> None:
    Reminder.objects.bulk_create(rows)
    asked = sorted(str(user) for user in _writers().values_list("pk", flat=True))
    called = _deputies() if any(row.calls_deputies for row in rows) else User.objects.none()
    record(
        "deadline.warned",
        by=None,
        on=incident,
        also=rows,
        incident=incident.pk,
        asked=len(asked),
        users=asked,
        deputies=sorted(str(user) for user in called.values_list("pk", flat=True)),
        warnings=len(rows),
    )


def _tell(incident_id: UUID, made_at: datetime, moment: datetime) -> None:
    together = Reminder.objects.made_together(incident_id, made_at)
    if not together.untold(moment).update(tried_at=moment):
        return
    incident = Incident.objects.with_moments().get(pk=incident_id)
    rows = list(together)
    told = _send(incident, rows, _writers(), moment)
    if called := [row for row in rows if row.calls_deputies]:
        told = _send(incident, called, _deputies(), moment, as_deputy=True) and told
    if told:
        together.update(told_at=moment)


def _send(
    incident: Incident, rows: list[Reminder], users: UserQuerySet, moment: datetime, *, as_deputy: bool = False
) -> bool:
    """True when the relay took at least one, or there was nothing or nobody to write to."""
    keys = {row.duty for row in rows}
    concerned = [one for one in countdowns_of(incident, moment) if one.key in keys]
    if not concerned or incident.status != Incident.Status.OPEN:
        return True
    context = {
        "reference": incident.reference,
        "lines": [(one, one.until, left_of(one, moment)) for one in concerned[:LISTED]],
        "more": len(concerned) - LISTED,
        "is_overdue": concerned[0].at < moment,
        "link": absolute(reverse("duties", args=[incident.reference])),
        "as_deputy": as_deputy,
    }
    problems = [send(letter_to(user, "deadline", context)) for user in users]
    return not problems or "" in problems


def left_of(one: Countdown, moment: datetime) -> str:
    """In whole hours up to three days, in days beyond."""
    hours = abs(one.at - moment).total_seconds() / 3600
    amount = f"{int(hours)} hour{'' if int(hours) == 1 else 's'}" if hours < 72 else f"{int(hours / 24)} days"
    amount = "less than an hour" if hours < 1 else amount
    return f"overdue by {amount}" if moment > one.at else f"{amount} left"


def _writers() -> UserQuerySet:
    return User.objects.who_may(MAY).by_name()


def _deputies() -> UserQuerySet:
    return User.objects.active().filter(stands_in_for__in=User.objects.who_may(MAY)).distinct().by_name()
