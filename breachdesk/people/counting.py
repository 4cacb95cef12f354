"""recount(): an incident's people in numbers, counted from their rows in two statements and kept in its Tally.

Whoever changes what counts calls it in the same transaction: the worker when a list is taken in or out,
recount_left_out() whoever puts somebody on hold or lets them go. The first statement of each locks the tally, so that
the count after it sees what others have committed meanwhile: two who change the same incident count one after the
other.

What is derived needs no event: `manage.py recount_people` gives the same numbers from the rows at any time.
"""

from typing import TYPE_CHECKING

from django.db import connection
from django.utils import timezone

from breachdesk.incidents.models import Incident
from breachdesk.people.models import CountEntry, Tally, Upload

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

_LOCK = """
INSERT INTO people_tally (incident_id, files, rows_read, rows_rejected, rows_repeated, known, people, minors,
    vulnerable, deceased, without_email, without_contact, without_country, by_post_only, held, excluded, countries,
    states, languages, kinds, counted_at)
VALUES (%(incident)s, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', '{}', '{}', '{}', '{}', clock_timestamp())
ON CONFLICT (incident_id) DO UPDATE SET counted_at = clock_timestamp()
"""

# Everybody once, by everything that is asked for: one pass over the rows, a few thousand cells whatever their number.
_COUNT = """
WITH list AS (
    SELECT id, rows_read, rows_rejected, rows_repeated FROM people_upload
    WHERE incident_id = %(incident)s AND state = 'loaded'
), cell AS (
    SELECT country, state, language, kinds, minor, vulnerable, deceased, held, has_email, has_post, withdrawn,
        count(*) AS people
    FROM people_person WHERE incident_id = %(incident)s AND upload_id IN (SELECT id FROM list)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
), affected AS (
    SELECT * FROM cell WHERE NOT withdrawn
)
UPDATE people_tally SET (files, rows_read, rows_rejected, rows_repeated) = (
        SELECT count(*), coalesce(sum(rows_read), 0), coalesce(sum(rows_rejected), 0), coalesce(sum(rows_repeated), 0)
        FROM list),
    known = (SELECT coalesce(sum(people), 0) FROM cell),
    (people, minors, vulnerable, deceased, without_email, without_contact, without_country) = (
        SELECT coalesce(sum(people), 0), coalesce(sum(people) FILTER (WHERE minor), 0),
            coalesce(sum(people) FILTER (WHERE vulnerable), 0), coalesce(sum(people) FILTER (WHERE deceased), 0),
            coalesce(sum(people) FILTER (WHERE NOT has_email), 0),
            coalesce(sum(people) FILTER (WHERE NOT has_email AND NOT has_post), 0),
            coalesce(sum(people) FILTER (WHERE country = ''), 0)
        FROM affected),
    countries = (SELECT coalesce(jsonb_object_agg(country, people), '{}') FROM (
        SELECT country, sum(people) AS people FROM affected GROUP BY 1) AS line),
    states = (SELECT coalesce(jsonb_object_agg(state, people), '{}') FROM (
        SELECT state, sum(people) AS people FROM affected WHERE country = 'US' GROUP BY 1) AS line),
    languages = (SELECT coalesce(jsonb_object_agg(language, people), '{}') FROM (
        SELECT language, sum(people) AS people FROM affected GROUP BY 1) AS line),
    kinds = (SELECT coalesce(jsonb_object_agg(kind, people), '{}') FROM (
        SELECT kind, sum(people) AS people FROM affected,
            unnest(CASE WHEN kinds = '{}' THEN ARRAY['']::varchar[] ELSE kinds END) AS kind GROUP BY 1) AS line)
WHERE incident_id = %(incident)s
"""

# The planner expects a hundred times as many cells as there are, and would rather sort all rows than hold them.
_ROOM, _NO_ROOM = "SET LOCAL work_mem = '128MB'", "RESET work_mem"

# Only who gets no notice: few, and under an index. Each stands under the first reason that holds; several holds on one
# person count as the first of them in this order.
_LEFT_OUT = """
WITH open_hold AS (
    SELECT person_id,
        min(array_position(ARRAY['deceased', 'police', 'dispute', 'asked', 'not_ours', 'other'], kind)) AS place
    FROM people_hold WHERE incident_id = %(incident)s AND released_at IS NULL GROUP BY 1
), answered AS (
    SELECT DISTINCT person_id FROM people_hold AS hold WHERE incident_id = %(incident)s AND placed_by_id IS NULL
        AND NOT EXISTS (
            SELECT FROM people_personmatch AS said JOIN people_upload AS list ON list.id = said.upload_id
            WHERE said.person_id = hold.person_id AND said.changes ? 'deceased' AND list.state = 'loaded'
                AND list.taken_in_at > hold.released_at)
), left_out AS (
    SELECT person.withdrawn, person.held, NOT person.has_email AND person.has_post AS by_post_only, CASE
        WHEN person.withdrawn THEN 'withdrawn'
        WHEN person.held AND person.deceased AND answered.person_id IS NULL THEN 'deceased'
        WHEN person.held AND open_hold.place IS NOT NULL
            THEN (ARRAY['deceased', 'police', 'dispute', 'asked', 'not_ours', 'other'])[open_hold.place]
        WHEN person.held THEN 'held'
        ELSE 'no_way' END AS reason
    FROM people_person AS person
        LEFT JOIN open_hold ON open_hold.person_id = person.id LEFT JOIN answered ON answered.person_id = person.id
    WHERE person.incident_id = %(incident)s AND person.upload_id IN (
            SELECT id FROM people_upload WHERE incident_id = %(incident)s AND state = 'loaded')
        AND (person.held OR person.withdrawn OR (NOT person.has_email AND NOT person.has_post))
)
UPDATE people_tally SET held = (SELECT count(*) FROM left_out WHERE held AND NOT withdrawn),
    by_post_only = without_email - without_contact - (
        SELECT count(*) FROM left_out WHERE held AND by_post_only AND NOT withdrawn),
    excluded = (SELECT coalesce(jsonb_object_agg(reason, people), '{}') FROM (
        SELECT reason, count(*) AS people FROM left_out GROUP BY 1) AS line)
WHERE incident_id = %(incident)s
"""


def recount(incident: Incident) -> Tally:
    """In the caller's transaction, after what it changed. The tally as it is now."""
    _run(incident, _LOCK, _ROOM, _COUNT, _NO_ROOM, _LEFT_OUT)
    return Tally.objects.of(incident)


def recount_left_out(incident: Incident) -> None:
    """After a hold or a release: nothing else changes, and a page must not wait for 430,000 rows."""
    _run(incident, _LOCK, _LEFT_OUT)


def _run(incident: Incident, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {"incident": incident.pk})


def recount_and_state(upload: Upload, *, by: "User") -> CountEntry:
    """After a list was taken in or out: the tally, and the entry in the ledger that the event must name besides.

    Without any list left the number is not known: it is not 0.
    """
    tally = recount(upload.incident)
    number = tally.people if tally.files else None
    return CountEntry.objects.create(
        incident=upload.incident,
        low=number,
        high=number,
        basis=CountEntry.Basis.LIST,
        upload=upload,
        stated_by=by,
        stated_at=timezone.now(),
    )
