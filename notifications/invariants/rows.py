"""What the rows say by themselves: one question each, of which every answer is an id of something that is wrong.

`chosen` are the editions that are asked about. `may_be_out` counts how often a delivery's message may be in somebody's
inbox: the tries that were answered with yes or not at all.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from notifications.delivery import terms
from notifications.invariants.findings import Finding, found
from notifications.sweeping import LEFT_OUT

Scope = Mapping[str, UUID | None]
UNATTENDED = 600  # seconds
BEFORE = """
WITH chosen AS (
    SELECT e.* FROM notifications_edition AS e JOIN notifications_notice AS n ON n.id = e.notice_id
    WHERE (%(incident)s::uuid IS NULL OR n.incident_id = %(incident)s)
      AND (%(edition)s::uuid IS NULL OR e.id = %(edition)s)
), tried AS (
    SELECT a.delivery_id AS id, a.n FROM notifications_attempt AS a WHERE a.outcome IN ('unknown', 'handed_over')
), may_be_out AS (
    SELECT t.id, count(*) AS times FROM (
        SELECT id, n FROM tried UNION
        SELECT d.id, d.tries FROM notifications_delivery AS d WHERE d.id IN (SELECT id FROM tried)
            AND d.code BETWEEN 200 AND 299 AND d.state IN ('handed_over', 'delivered', 'bounced', 'complained')
    ) AS t GROUP BY t.id
)
"""


class Question(NamedTuple):
    number: int
    what: str
    of_rows: str


QUESTIONS = [
    Question(
        1,
        "Deliveries that went out, or may have, more often than people chose",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           JOIN may_be_out AS m ON m.id = d.id WHERE m.times > 1 + d.generation""",
    ),
    Question(
        2,
        "Deliveries that count as handed over though no answer, look-up or report says so",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           WHERE d.state IN ('handed_over', 'delivered', 'bounced', 'complained')
             AND (d.code BETWEEN 200 AND 299) IS NOT TRUE
             AND NOT EXISTS (SELECT FROM notifications_attempt AS a
                             WHERE a.delivery_id = d.id AND a.outcome = 'handed_over')
             AND NOT EXISTS (SELECT FROM notifications_mailevent AS m WHERE m.delivery_id = d.id)""",
    ),
    Question(
        3,
        "Deliveries that went out, or may have, without an intent that was committed before",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           WHERE d.state IN ('handing_over', 'handed_over', 'unknown', 'delivered', 'bounced', 'complained',
                             'assumed_sent')
             AND (d.handing_over_at IS NULL OR d.recipient IS NULL OR d.tries = 0)""",
    ),
    Question(
        4,
        "Deliveries that count as not sent though their latest sending may have arrived",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           JOIN may_be_out AS m ON m.id = d.id WHERE m.times > d.generation
             AND d.state IN ('planned', 'claimed', 'retry_wait', 'refused', 'blocked', 'cancelled', 'suppressed')""",
    ),
    Question(
        5,
        "Unknown deliveries of which no attempt says how they became so",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           WHERE d.state = 'unknown' AND NOT EXISTS (SELECT FROM notifications_attempt AS a
               WHERE a.delivery_id = d.id AND a.n = d.tries AND a.outcome = 'unknown')""",
    ),
    Question(
        6,
        "Unknown deliveries that were tried again, or taken as sent, though nobody decided it",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           LEFT JOIN notifications_deliverydecision AS g ON g.id = d.decision_id
           WHERE (d.state = 'assumed_sent'
                  AND (g.kind = 'assume_sent' AND g.confirmed_at IS NOT NULL AND g.voided_at IS NULL) IS NOT TRUE)
              OR (d.generation = 0 AND d.id IN (SELECT id FROM tried) AND EXISTS (
                  SELECT FROM notifications_attempt AS a WHERE a.delivery_id = d.id AND a.outcome = 'unknown'
                    AND (d.tries > a.n OR d.state IN ('planned', 'claimed', 'retry_wait'))))""",
    ),
    Question(
        6,
        "Editions of which more was sent again than people decided",
        """SELECT e.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           WHERE d.generation > 0 GROUP BY e.id HAVING sum(d.generation) > (
               SELECT coalesce(sum(g.people), 0) FROM notifications_deliverydecision AS g
               WHERE g.edition_id = e.id AND g.confirmed_at IS NOT NULL AND g.voided_at IS NULL
                 AND g.kind IN ('resend', 'second_address', 'try_again')
                 AND (g.kind <> 'resend' OR g.asked_by_id <> g.confirmed_by_id))""",
    ),
    Question(
        7,
        "Editions whose rows are not as many as the people that were approved",
        """SELECT e.id FROM chosen AS e
           WHERE e.recipients_count IS NOT NULL AND (e.state <> 'cancelled' OR e.started_at IS NOT NULL)
             AND e.recipients_count <> (SELECT count(*) FROM notifications_delivery AS d
                                        WHERE d.edition_id = e.id AND d.frozen IS NOT NULL)""",
    ),
    Question(
        10,
        "Deliveries that a worker holds though its lease was over long ago, or its batch is sealed",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           LEFT JOIN notifications_batch AS b ON b.id = d.token AND b.settled_at IS NULL
           WHERE d.state IN ('claimed', 'handing_over')
             AND (b.lease_until > now() - make_interval(secs => %(margin)s + 60)) IS NOT TRUE""",
    ),
    Question(
        10,
        "Batches that nobody sealed though their lease was over long ago",
        """SELECT b.id FROM chosen AS e JOIN notifications_batch AS b ON b.edition_id = e.id
           WHERE b.settled_at IS NULL AND b.lease_until < now() - make_interval(secs => %(margin)s + 60)""",
    ),
    Question(
        12,
        "Deliveries to somebody who is on no list that was approved",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           LEFT JOIN notifications_amendment AS a ON a.id = d.amendment_id AND a.edition_id = e.id
           WHERE d.frozen IS NULL AND (a.id IS NULL OR (d.tries > 0 AND a.approved_at IS NULL))""",
    ),
    Question(
        13,
        "Deliveries that fell back behind what was reported of them",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           JOIN notifications_mailevent AS m ON m.delivery_id = d.id
           WHERE m.applied_at > d.settled_at + make_interval(secs => %(skew)s)
             AND coalesce(m.generation, 0) = d.generation
             AND d.state IN ('handed_over', 'delivered', 'bounced')
             AND array_position(ARRAY['handed_over', 'delivered', 'bounced', 'complained'], m.kind::text)
                 > array_position(ARRAY['handed_over', 'delivered', 'bounced'], d.state::text)""",
    ),
    Question(
        14,
        "Notices of which one person has two deliveries",
        """SELECT DISTINCT d.notice_id FROM notifications_delivery AS d JOIN people_person AS p ON p.id = d.person_id
           WHERE d.notice_id IN (SELECT notice_id FROM chosen)
           GROUP BY d.notice_id, p.identity_index HAVING count(*) > 1""",
    ),
    Question(
        15,
        "Deliveries that wait though their edition is finished",
        """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
           WHERE e.state = 'finished' AND d.state IN ('planned', 'claimed', 'handing_over', 'retry_wait')""",
    ),
    Question(
        15,
        "Editions being sent of which somebody is due and nobody takes them",
        """SELECT e.id FROM chosen AS e
           WHERE e.state = 'sending' AND NOT e.schedule ?| ARRAY['per_minute', 'per_domain', 'wave_size', 'canary']
             AND e.rate IS NULL
             AND NOT EXISTS (SELECT FROM notifications_batch AS b WHERE b.edition_id = e.id
                             AND b.opened_at > now() - make_interval(secs => %(unattended)s))
             AND EXISTS (SELECT FROM notifications_delivery AS d JOIN people_person AS p ON p.id = d.person_id
                         WHERE d.edition_id = e.id AND d.next_at < now() - make_interval(secs => %(unattended)s)
                           AND NOT {left_out})""".replace("{left_out}", LEFT_OUT),
    ),
    Question(
        17,
        "Editions approved by somebody who wrote a part of them",
        """SELECT e.id FROM chosen AS e JOIN notifications_approval AS a ON a.edition_id = e.id
           WHERE a.voided_at IS NULL AND (
               EXISTS (SELECT FROM notifications_editionauthor AS w
                       WHERE w.edition_id = e.id AND w.author_id = a.approver_id)
               OR EXISTS (SELECT FROM notifications_noticeauthor AS w
                          WHERE w.notice_id = e.notice_id AND w.author_id = a.approver_id))""",
    ),
    Question(
        17,
        "Editions that began though too few said yes to exactly this",
        """SELECT e.id FROM chosen AS e WHERE e.started_at IS NOT NULL AND coalesce(e.approvers_needed, 1) > (
               SELECT count(DISTINCT a.approver_id) FROM notifications_approval AS a
               WHERE a.edition_id = e.id AND a.digest = e.digest AND a.voided_at IS NULL
           ) + CASE WHEN 2 <= (SELECT count(DISTINCT g.given_by_id) FROM notifications_breakglass AS g
               WHERE g.edition_id = e.id AND g.digest = e.digest AND g.voided_at IS NULL) THEN 1 ELSE 0 END""",
    ),
]
AT_REST = Question(
    15,
    "Deliveries that nobody finished though nobody works any more",
    """SELECT d.id FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id
       WHERE d.state IN ('claimed', 'handing_over')
          OR (e.state NOT IN ('in_review', 'approved', 'paused') AND d.state IN ('planned', 'retry_wait'))""",
)
UNKNOWN = """
SELECT count(*) FROM chosen AS e JOIN notifications_delivery AS d ON d.edition_id = e.id WHERE d.state = 'unknown'
"""


def check(scope: Scope, *, skew: float, at_rest: bool) -> list[Finding]:
    values = {**scope, "skew": skew, "margin": terms().margin + skew, "unattended": UNATTENDED + skew}
    findings: list[Finding] = []
    for question in [*QUESTIONS, *([AT_REST] if at_rest else [])]:
        findings += found(question.number, question.what, (row[0] for row in _ask(question.of_rows, values)))
    return findings


def check_unknown(scope: Scope, most: int | None) -> list[Finding]:
    """I5: no more doubts than the faults can have made."""
    [[unknown]] = _ask(UNKNOWN, dict(scope))
    if most is None or unknown <= most:
        return []
    return [Finding(5, f"{unknown:,} deliveries are unknown; what happened explains {most:,} at most.")]


def _ask(of_rows: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(BEFORE + of_rows, values)
        return list(cursor.fetchall())
