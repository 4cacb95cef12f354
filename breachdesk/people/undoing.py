"""Whether a list can be taken out again: lists go last first, and nothing may hang on their people."""

from breachdesk.people import in_use
from breachdesk.people.models import Upload
from breachdesk.prepared import run

# A later row that changed nothing may only have found what this list had said already, so it counts like any other.
_LATER = """
WITH concerned AS (
    SELECT id AS person_id FROM people_person WHERE incident_id = %(incident)s AND upload_id = %(upload)s
    UNION
    SELECT person_id FROM people_personmatch
    WHERE upload_id = %(upload)s AND (sealed IS NOT NULL OR changes ? 'was')
)
SELECT u.file_name FROM people_upload AS u
WHERE u.incident_id = %(incident)s AND u.id <> %(upload)s AND u.state = 'loaded' AND u.taken_in_at > %(taken_in_at)s
    AND (EXISTS (
        SELECT FROM concerned AS c JOIN people_personmatch AS m ON m.person_id = c.person_id AND m.upload_id = u.id)
    OR EXISTS (
        SELECT FROM people_personmatch AS m JOIN people_person AS p ON p.incident_id = %(incident)s
            AND p.identity_index = m.identity_index AND p.id <> m.person_id AND p.upload_id = u.id
        WHERE m.upload_id = %(upload)s AND m.identity_index IS NOT NULL)
    OR EXISTS (
        SELECT FROM people_personmatch AS m JOIN people_person AS p ON p.incident_id = %(incident)s
            AND p.reference_index = m.reference_index AND p.id <> m.person_id AND p.upload_id = u.id
        WHERE m.upload_id = %(upload)s AND m.reference_index IS NOT NULL))
ORDER BY u.taken_in_at DESC LIMIT 1
"""


def why_not_undone(upload: Upload) -> str:
    """A sentence, or nothing when it can be undone."""
    if other := Upload.objects.before(upload).first():
        return f"“{other.file_name}” of this incident is being read or waits for a decision. Settle that one first."
    keys = {"upload": upload.pk, "incident": upload.incident_id, "taken_in_at": upload.taken_in_at}
    if later := run(_LATER, keys).fetchone():
        return f"“{later[0]}” was taken in later and speaks of the same people. Undo that one first."
    return in_use.why_in_use(upload)
