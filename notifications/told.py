"""Who was told, for the waterfall of the people's page: distinct people, whatever the number of notices they got."""

import time
from typing import Any
from uuid import UUID

from django.db import connection

from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Tally
from breachdesk.people.told import Told, counts_told
from notifications.models import Delivery, Notice

State = Delivery.State
HANDED_OVER = [State.HANDED_OVER, State.ASSUMED_SENT, State.DELIVERED, State.BOUNCED, State.COMPLAINED]
REACHED = [State.DELIVERED, State.COMPLAINED]  # who complains has got it
KEPT_SECONDS = 60

_TOLD = """
    SELECT person_id, state = ANY (%(reached)s) AS reached FROM notifications_delivery
    WHERE notice_id = ANY (%(notices)s) AND state = ANY (%(handed_over)s)"""
# Of one notice nobody has two deliveries: then there is nothing to group.
_PEOPLE = {True: "message", False: "(SELECT person_id, bool_or(reached) AS reached FROM message GROUP BY 1)"}
# One statement sees one moment: nobody is told between the two counts.
_COUNT = """
WITH message AS NOT MATERIALIZED ({told})
SELECT * FROM (SELECT count(*), count(*) FILTER (WHERE reached) FROM {people} AS told) AS everybody, (
    SELECT count(DISTINCT person.id), count(DISTINCT person.id) FILTER (WHERE message.reached)
    FROM people_person AS person JOIN message ON message.person_id = person.id
    WHERE person.incident_id = %(incident)s
        AND (person.held OR person.withdrawn OR (NOT person.has_email AND NOT person.has_post))) AS left_out
"""

_remembered: dict[UUID, tuple[object, int, float, Told]] = {}


@counts_told
def told(incident: Incident, tally: Tally) -> Told:
    """Counted afresh when the tally changed; while messages go out, a tenth of the time at most goes into counting."""
    began, last = time.monotonic(), _last_event(incident)
    counted_at, event, until, kept = _remembered.get(incident.pk, (None, 0, 0.0, Told()))
    if counted_at == tally.counted_at and (began < until if event != last else began < until + KEPT_SECONDS):
        return kept
    counted = _count(incident)
    if len(_remembered) > 100:
        _remembered.clear()
    now = time.monotonic()
    _remembered[incident.pk] = (tally.counted_at, last, now + 9 * (now - began), counted)
    return counted


def _last_event(incident: Incident) -> int:
    return Event.objects.of_incident(incident.pk).newest_first().values_list("pk", flat=True).first() or 0


def _count(incident: Incident) -> Told:
    notices = list(Notice.objects.of(incident).values_list("pk", flat=True))
    if not notices:
        return Told()
    statement = _COUNT.format(told=_TOLD, people=_PEOPLE[len(notices) == 1])
    values: dict[str, Any] = {
        "incident": incident.pk,
        "notices": notices,
        "handed_over": HANDED_OVER,
        "reached": REACHED,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        told, reached, left_out, left_out_reached = cursor.fetchone()
    return Told(told - left_out, reached - left_out_reached, left_out)
