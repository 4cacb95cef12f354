"""What every page must say about the trail: that nobody outside holds its state, or that it is not signed any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from breachdesk.audit.anchors import MAIL, STAMP

DAY = timedelta(days=1)
LONGEST_UNSIGNED = timedelta(minutes=10)


@dataclass(frozen=True)
class Alarm:
    """`what` is a sentence for everybody; `remedy` is for whoever looks after the installation."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Outside:
    """When somebody outside last got a checkpoint. `limit` is None when nobody is configured to."""

    limit: timedelta | None
    since: datetime | None
    has_any: bool

    def is_over(self, now: datetime) -> bool:
        return self.limit is not None and self.since is not None and now - self.since > self.limit


@dataclass(frozen=True)
class TrailHealth:
    checkpoint_size: int
    checkpoint_at: datetime | None
    refused_at: datetime | None
    unsigned_since: datetime | None
    outside: Outside

    @property
    def is_refused(self) -> bool:
        return self.refused_at is not None and (self.checkpoint_at is None or self.refused_at > self.checkpoint_at)


def trail_health() -> TrailHealth:
    """One query, because every page asks."""
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH, {"stamp": STAMP, "mail": MAIL})
        size, signed_at, first_at, refused_at, unsigned, stamped_at, mailed_at = cursor.fetchone()
    outside = _outside(stamped_at, mailed_at, first_at)
    return TrailHealth(size or 0, signed_at, refused_at, unsigned, outside)


_HEALTH = """
WITH newest AS (SELECT size, made_at FROM audit_checkpoint ORDER BY size DESC LIMIT 1)
SELECT (SELECT size FROM newest), (SELECT made_at FROM newest),
       (SELECT made_at FROM audit_checkpoint ORDER BY size LIMIT 1),
       (SELECT at FROM audit_event WHERE type = 'checkpoint.refused' ORDER BY id DESC LIMIT 1),
       (SELECT event.at FROM audit_entry JOIN audit_event AS event USING (event_id)
        WHERE idx = coalesce((SELECT size FROM newest), 0)),
       (SELECT at FROM audit_anchor WHERE kind = %(stamp)s AND ok ORDER BY id DESC LIMIT 1),
       (SELECT at FROM audit_anchor WHERE kind = %(mail)s AND ok AND target <> 'dpo' ORDER BY id DESC LIMIT 1)
"""


def _outside(stamped_at: datetime | None, mailed_at: datetime | None, first_at: datetime | None) -> Outside:
    """Stamps count by the hour; where only mail is configured, it is a day later. The DPO is not outside."""
    hours = timedelta(hours=settings.BREACHDESK.anchor_hours)
    if settings.BREACHDESK.tsa_urls:
        return Outside(hours, stamped_at or first_at, stamped_at is not None)
    if settings.BREACHDESK.anchor_mail:
        return Outside(hours + DAY, mailed_at or first_at, mailed_at is not None)
    return Outside(None, None, False)


def alarms(now: datetime) -> list[Alarm]:
    """The worst first."""
    health = trail_health()
    found: list[Alarm | None] = [_of_signer(health, now), _of_outside(health.outside, now)]
    return [alarm for alarm in found if alarm]


def _of_signer(health: TrailHealth, now: datetime) -> Alarm | None:
    if health.is_refused:
        return Alarm(
            "The trail is not signed any more: the signer refuses, because what is stored is not what it signed "
            "before, or because its key or its last note is missing.",
            "Delete nothing. Read the signer’s own output, and run manage.py verify_audit.",
        )
    if health.unsigned_since and now - health.unsigned_since > LONGEST_UNSIGNED:
        return Alarm(
            f"The trail has not been signed for {_span(now - health.unsigned_since)}. Work goes on, its proof waits.",
            "Look at the signer’s log, then start it: manage.py run_signer.",
        )
    return None


def _of_outside(outside: Outside, now: datetime) -> Alarm | None:
    if outside.limit is None and not settings.BREACHDESK.demo:
        return Alarm(
            "Nobody outside holds the state of the trail: whoever has this server and its key could rewrite it.",
            "Set BREACHDESK_TSA_URLS and BREACHDESK_TSA_ROOTS_FILE, or BREACHDESK_ANCHOR_MAIL.",
        )
    if outside.since is not None and outside.is_over(now):
        ago = _span(now - outside.since)
        got = f"for {ago}" if outside.has_any else f"since the trail was first signed, {ago} ago"
        return Alarm(
            f"Nobody outside has got the state of the trail {got}. What happened since could be rewritten unseen.",
            "The status page says which place fails and why.",
        )
    return None


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def refusal_in_words(content: dict[str, Any]) -> str:
    """What the event of a refusal says, for the status page."""
    data = content["data"]
    return f"Refused at {data['size']:,} entries ({data['why']}); the last signed state has {data['last_size']:,}."
