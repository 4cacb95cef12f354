"""What taking a list in does to people who were known before, and taking it out again: sets of rows, in SQL alone.

A match keeps what the person was while the person is what the match says: on the way in the two trade places, and on
the way out once more. Values trade whole, all that one row said. Kinds of data and marks are added; `was`, in what the
first row about a person changes, keeps what they were before.
"""

from typing import Any
from uuid import UUID

from breachdesk.people.models import Upload
from breachdesk.prepared import run

# Every part reads the rows as they were before the statement, so values are neither lost nor doubled on their way.
_TRADE = """
WITH matched AS (
    SELECT * FROM people_personmatch WHERE upload_id = %(upload)s AND sealed IS NOT NULL
), before AS (
    SELECT m.id AS match, p.sealed, p.row_checksum, p.email_index, p.identity_index, p.reference_index,
        jsonb_build_object('country', p.country, 'state', p.state, 'language', p.language, 'has_email', p.has_email,
            'has_post', p.has_post) AS plain
    FROM matched AS m JOIN people_person AS p ON p.id = m.person_id
), person AS (
    UPDATE people_person AS p SET sealed = m.sealed, row_checksum = m.row_checksum, email_index = m.email_index,
        identity_index = m.identity_index, reference_index = m.reference_index, country = m.changes ->> 'country',
        state = m.changes ->> 'state', language = m.changes ->> 'language',
        has_email = (m.changes -> 'has_email')::boolean, has_post = (m.changes -> 'has_post')::boolean,
        version = p.version + 1
    FROM matched AS m WHERE p.id = m.person_id
    RETURNING p.id
), kept AS (
    UPDATE people_personmatch AS m SET sealed = b.sealed, row_checksum = b.row_checksum, email_index = b.email_index,
        identity_index = b.identity_index, reference_index = b.reference_index, changes = m.changes || b.plain
    FROM before AS b WHERE m.id = b.match
)
SELECT count(*) FROM person
"""

# Several rows of the list can speak of one person: what they say is put together, and the first of them remembers.
_ADD = """
WITH said AS (
    SELECT person_id, (array_agg(id ORDER BY row_number))[1] AS first,
        bool_or(changes ? 'minor') AS minor, bool_or(changes ? 'vulnerable') AS vulnerable,
        bool_or(changes ? 'deceased') AS deceased
    FROM people_personmatch WHERE upload_id = %(upload)s AND changes ?| '{kinds,minor,vulnerable,deceased}'
    GROUP BY person_id
), named AS (
    SELECT person_id, array_agg(DISTINCT kind ORDER BY kind) AS kinds
    FROM people_personmatch, jsonb_array_elements_text(changes -> 'kinds') AS kind
    WHERE upload_id = %(upload)s AND changes ? 'kinds' GROUP BY person_id
), before AS (
    SELECT s.*, p.kinds, p.minor AS was_minor, p.vulnerable AS was_vulnerable, p.deceased AS was_deceased,
        p.held AS was_held,
        ARRAY(SELECT kind FROM unnest(n.kinds) AS kind WHERE kind <> ALL (p.kinds) ORDER BY kind) AS more
    FROM said AS s JOIN people_person AS p ON p.id = s.person_id LEFT JOIN named AS n ON n.person_id = s.person_id
), person AS (
    UPDATE people_person AS p SET kinds = p.kinds || b.more, minor = p.minor OR b.minor,
        vulnerable = p.vulnerable OR b.vulnerable, deceased = p.deceased OR b.deceased,
        held = p.held OR b.deceased, version = p.version + 1
    FROM before AS b WHERE p.id = b.person_id
    RETURNING p.id
), kept AS (
    UPDATE people_personmatch AS m SET changes = m.changes || jsonb_build_object('was', jsonb_build_object(
        'kinds', to_jsonb(b.kinds), 'minor', b.was_minor, 'vulnerable', b.was_vulnerable, 'deceased', b.was_deceased,
        'held', b.was_held))
    FROM before AS b WHERE m.id = b.first
)
SELECT count(*) FROM person
"""

# Whoever is held since, or was let go, stays so, unless the mark of this list alone holds them: it was the first, or
# the data protection officer had answered those before it (a hold that nobody placed), and no hold is left of those
# that stood when it came. Lists that were taken in earlier do not say who was held.
_TAKE_BACK = """
WITH was AS (
    SELECT m.person_id, m.changes -> 'was' AS was, u.taken_in_at,
        coalesce(m.changes -> 'was' -> 'held', m.changes -> 'was' -> 'deceased')::boolean AS held
    FROM people_personmatch AS m JOIN people_upload AS u ON u.id = m.upload_id
    WHERE m.upload_id = %(upload)s AND m.changes -> 'was' ? 'kinds'
), marked AS (
    SELECT w.person_id FROM was AS w WHERE (w.was -> 'deceased')::boolean AND NOT EXISTS (
        SELECT FROM people_hold AS h WHERE h.person_id = w.person_id AND h.placed_by_id IS NULL
            AND h.released_at < w.taken_in_at AND NOT EXISTS (
                SELECT FROM people_personmatch AS m JOIN people_upload AS u ON u.id = m.upload_id
                WHERE m.person_id = h.person_id AND m.upload_id <> %(upload)s AND m.changes ? 'deceased'
                    AND u.state = 'loaded' AND u.taken_in_at > h.released_at))
), person AS (
    UPDATE people_person AS p SET kinds = ARRAY(SELECT jsonb_array_elements_text(w.was -> 'kinds')),
        minor = (w.was -> 'minor')::boolean, vulnerable = (w.was -> 'vulnerable')::boolean,
        deceased = (w.was -> 'deceased')::boolean,
        held = p.held AND (NOT p.deceased
            OR EXISTS (SELECT FROM people_hold AS h WHERE h.person_id = p.id AND h.released_at IS NULL)
            OR w.held AND (EXISTS (SELECT FROM marked WHERE marked.person_id = p.id) OR NOT EXISTS (
                SELECT FROM people_hold AS h WHERE h.person_id = p.id AND h.placed_by_id IS NOT NULL
                    AND h.released_at > w.taken_in_at))),
        version = p.version + 1
    FROM was AS w WHERE p.id = w.person_id
    RETURNING p.id
)
SELECT count(*) FROM person
"""

_WITHDRAW = """
WITH listed AS (
    SELECT person_id, (array_agg(id ORDER BY row_number))[1] AS first FROM people_personmatch
    WHERE upload_id = %(upload)s GROUP BY person_id
), person AS (
    UPDATE people_person AS p SET withdrawn = true, version = p.version + 1
    FROM listed AS l WHERE p.id = l.person_id AND NOT p.withdrawn
    RETURNING l.first
), kept AS (
    UPDATE people_personmatch AS m SET changes = m.changes || '{"was": {"withdrawn": false}}'
    FROM person WHERE m.id = person.first
)
SELECT count(*) FROM person
"""

_BRING_BACK = """
WITH person AS (
    UPDATE people_person AS p SET withdrawn = false, version = p.version + 1
    FROM people_personmatch AS m
    WHERE m.upload_id = %(upload)s AND m.changes -> 'was' ? 'withdrawn' AND p.id = m.person_id
    RETURNING p.id
)
SELECT count(*) FROM person
"""

_LISTS = """
SELECT DISTINCT p.upload_id FROM people_personmatch AS m JOIN people_person AS p ON p.id = m.person_id
WHERE m.upload_id = %(upload)s
"""

_DELETE = """
WITH row AS (DELETE FROM people_rejectedrow WHERE upload_id = %(upload)s),
    match AS (DELETE FROM people_personmatch WHERE upload_id = %(upload)s)
DELETE FROM people_person WHERE incident_id = %(incident)s AND upload_id = %(upload)s
"""


def take_in(upload: Upload) -> tuple[int, int]:
    """In the caller's transaction. How many times it changed somebody, and how many are no longer affected."""
    if upload.purpose == Upload.Purpose.WITHDRAW:
        return 0, _number(_WITHDRAW, upload)
    return _number(_TRADE, upload) + _number(_ADD, upload), 0


def take_out(upload: Upload) -> int:
    """In the caller's transaction: undoes what take_in() did, in the other order. How many people it changed."""
    if upload.purpose == Upload.Purpose.WITHDRAW:
        return _number(_BRING_BACK, upload)
    return _number(_TAKE_BACK, upload) + _number(_TRADE, upload)


def delete_rows(upload: Upload) -> None:
    run(_DELETE, {"upload": upload.pk, "incident": upload.incident_id})


def lists_touched(upload: Upload) -> list[UUID]:
    """The lists that brought the people whom this one speaks of: a change of them names those."""
    return [row[0] for row in run(_LISTS, {"upload": upload.pk})]


def _number(statement: str, upload: Upload) -> int:
    row: Any = run(statement, {"upload": upload.pk}).fetchone()
    return int(row[0])
