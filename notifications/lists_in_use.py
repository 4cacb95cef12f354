"""Why a list of people cannot be taken out again: a notice is frozen for them, or was sent to them."""

from breachdesk.people.in_use import answers_in_use
from breachdesk.people.models import Upload
from breachdesk.prepared import run

# Whoever the list brought would be gone, so any delivery to them counts. Whoever it only changed would be changed back,
# so what counts is what was frozen or sent with the changed data.
_NOTICE = """
WITH theirs AS (
    SELECT d.notice_id, d.person_id FROM people_person AS p JOIN notifications_delivery AS d ON d.person_id = p.id
    WHERE p.incident_id = %(incident)s AND p.upload_id = %(upload)s
    UNION
    SELECT d.notice_id, d.person_id FROM people_personmatch AS m
        JOIN notifications_delivery AS d ON d.person_id = m.person_id
        JOIN notifications_edition AS e ON e.id = d.edition_id
    WHERE m.upload_id = %(upload)s AND (m.sealed IS NOT NULL OR m.changes ? 'was') AND d.state <> 'cancelled'
        AND greatest(e.submitted_at, d.handing_over_at, d.settled_at) > %(taken_in_at)s
)
SELECT n.title, count(*) FROM theirs JOIN notifications_notice AS n ON n.id = theirs.notice_id
GROUP BY n.id ORDER BY 2 DESC, 1 LIMIT 1
"""


@answers_in_use
def notice_to(upload: Upload) -> str:
    keys = {"upload": upload.pk, "incident": upload.incident_id, "taken_in_at": upload.taken_in_at}
    found = run(_NOTICE, keys).fetchone()
    if not found:
        return ""
    title, people = found
    who = "one person" if people == 1 else f"{people:,} people"
    return (
        f"The notice “{title}” has {who} of this list on its frozen list or was sent to them. To take people off, hand "
        "in a list of those who are no longer affected."
    )
