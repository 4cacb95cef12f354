"""What an evidence bundle says of the notices: what was approved, in its own words, and what became of it in numbers.

Nobody who was written to is named; the title of a notice, which only colleagues see, comes with private values alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.sections import delivery_rows, section
from notifications.audience import audience_from
from notifications.audience_words import sentence_of
from notifications.batches import delivery_lines
from notifications.mail_events import counts_of_case
from notifications.models import Amendment, BreakGlass, Delivery, DeliveryDecision, Edition, LetterRun, Notice, Override
from notifications.reach import count_reach
from notifications.readership import names_in

delivery_rows(delivery_lines)


MAIL_EVENT = ("edition", "source", "kind", "enhanced", "applied", "events")


@section("notices")
def notices_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    editions = Edition.objects.of_case(incident_id).in_order().with_approvals()
    editions = editions.prefetch_related("overrides", "broken_glass", "amendments", "delivery_decisions", "letter_runs")
    counts = Delivery.objects.tally(editions)
    told: dict[UUID, list[dict[str, Any]]] = {}
    for edition in editions:
        told.setdefault(edition.notice_id, []).append(_edition(edition, counts.get(edition.pk, {}), private=private))
    notices = Notice.objects.of_case(incident_id).select_related("incident").oldest_first()
    return {"v": 1, "notices": [_notice(notice, told.get(notice.pk, []), private=private) for notice in notices]}


def _notice(notice: Notice, editions: list[dict[str, Any]], *, private: bool) -> dict[str, Any]:
    said = {
        "id": str(notice.pk),
        "default_language": notice.default_language,
        "audience": notice.audience,
        "fallback": notice.fallback,
        "created_at": time_text(notice.created_at),
        "editions": editions,
        "reached": _reached(notice),
    }
    return said | ({"title": notice.title, "audience_in_words": _in_words(notice)} if private else {})


def _reached(notice: Notice) -> dict[str, Any]:
    """People by what became of their notice, and by place: counted when the bundle was made."""
    reach = count_reach(notice, timezone.now())
    return {
        "at": time_text(reach.at),
        "ways": dict(sorted(reach.all.ways.items())),
        "places": [
            {
                "place": place.code,
                "reached": place.reached,
                "not_reached": place.not_reached,
                "not_known": place.not_known,
            }
            for place in reach.places
        ],
    }


def _decision(row: DeliveryDecision, *, private: bool) -> dict[str, Any]:
    """About deliveries that no worker may decide about. The root is over their ids: replanning.py."""
    said = {
        "id": str(row.pk),
        "kind": row.kind,
        "people": row.people,
        "rows_root": _bytes(row.rows_root),
        "asked_at": time_text(row.asked_at),
        "confirmed_at": _time(row.confirmed_at),
        "voided_at": _time(row.voided_at),
    }
    return said | ({"reason": row.reason} if private else {})


def _letters(run: LetterRun) -> dict[str, Any]:
    """Letters that were printed together. The digests are those of the files that went to the printer."""
    return {
        "id": str(run.pk),
        "state": run.state,
        "people": run.people,
        "letters": run.letters_made,
        "pages": run.pages,
        "window": run.window,
        "files": [{key: file[key] for key in ("part", "letters", "pages", "bytes", "sha256")} for file in run.files],
        "made_at": time_text(run.made_at),
        "posted_at": _time(run.posted_at),
        "voided_at": _time(run.voided_at),
    }


def _in_words(notice: Notice) -> str:
    """With what colleagues call other notices and the files."""
    audience = audience_from(notice.audience)
    return sentence_of(audience, names_in(audience, notice.incident))


def _override(row: Override, *, private: bool) -> dict[str, Any]:
    """What failed may quote the text, and why it went out all the same was typed: both come with private values."""
    said = {"id": str(row.pk), "group": row.check_key.split(".", 1)[0], "at": time_text(row.given_at)}
    return said | ({"what": row.sentence, "reason": row.reason} if private else {})


def _glass(row: BreakGlass, *, private: bool) -> dict[str, Any]:
    """Why one approval of two was to be enough was typed: it comes with private values."""
    said = {"id": str(row.pk), "at": time_text(row.given_at)}
    return said | ({"reason": row.reason} if private else {})


def _amendment(row: Amendment) -> dict[str, Any]:
    """Who came to the list, or changed on it, after it was approved; in force once it was approved itself."""
    return {
        "id": str(row.pk),
        "digest": _bytes(row.digest),
        "rows_root": _bytes(row.rows_root),
        "added": row.added,
        "changed": row.changed,
        "asked_at": time_text(row.asked_at),
        "approved_at": _time(row.approved_at),
        "voided_at": _time(row.voided_at),
    }


def _edition(edition: Edition, counts: Mapping[str, int], *, private: bool) -> dict[str, Any]:
    """The words only once they were approved; before that they are a draft and state nothing."""
    approvals = sorted(
        (row for row in edition.approvals.all() if row.voided_at is None), key=lambda row: row.approved_at
    )
    return {
        "id": str(edition.pk),
        "language": edition.language,
        "revision": edition.revision,
        "state": edition.state,
        "digest": _bytes(edition.digest),
        "subject": edition.subject if approvals else None,
        "body": edition.body if approvals else None,
        "approvals": [{"id": str(row.pk), "at": time_text(row.approved_at)} for row in approvals],
        "approvers_needed": edition.approvers_needed,
        "glass_broken": [
            _glass(row, private=private)
            for row in sorted(edition.broken_glass.all(), key=lambda row: (row.given_at, row.pk))
            if row.voided_at is None
        ],
        "amendments": [_amendment(row) for row in sorted(edition.amendments.all(), key=lambda row: row.asked_at)],
        "overrides": [_override(row, private=private) for row in edition.overrides.all() if row.voided_at is None],
        "decisions": [
            _decision(row, private=private)
            for row in sorted(edition.delivery_decisions.all(), key=lambda row: (row.asked_at, row.pk))
        ],
        "letters": [_letters(run) for run in sorted(edition.letter_runs.all(), key=lambda run: (run.made_at, run.pk))],
        "recipients_count": edition.recipients_count,
        "recipients_root": _bytes(edition.recipients_root),
        "counts": dict(sorted(counts.items())),
        # As somebody set them on the way: the events say who and when, beside what was approved.
        "rate": edition.rate,
        "route": edition.route,
        "started_at": _time(edition.started_at),
        "finished_at": _time(edition.finished_at),
    }


def _bytes(value: "bytes | memoryview | None") -> str | None:
    return None if value is None else base64url(bytes(value))


def _time(moment: datetime | None) -> str | None:
    return time_text(moment) if moment else None


@section("mail_events")
def mail_events_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    """What came later about messages of this case: by edition, source, kind and status code, how many events."""
    counts = counts_of_case(incident_id)
    return {"v": 1, "events": [dict(zip(MAIL_EVENT, row, strict=True)) for row in counts]}
