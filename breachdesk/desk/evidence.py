"""evidence_of(): what happened, what was decided and done, and where the trail says so: one object, printed and sent.

Everything in it comes from the case as it stands and from the trail; nothing is written for the report. Its canonical
JSON (RFC 8785) is the attachment evidence.json, and the SHA-256 of that is at the foot of every page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import time_text
from breachdesk.audit.models import Checkpoint, Entry, Event
from breachdesk.audit.timeline import Line, describe
from breachdesk.desk.head import people_loaded
from breachdesk.desk.workspace import DECISIONS
from breachdesk.incidents.models import Incident
from notifications.models import Delivery, Edition, Notice
from notifications.progress import Progress
from notifications.reach import count_reach
from regulators.clocks import Due, is_late
from regulators.models import Filing
from regulators.standing import dues_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

SHAPE = 2  # grows when a key comes or goes: a test holds the keys of this one. 1 had no letters, reach and broken glass
CLOCKS = ("moment.stated", "moment.corrected", "filing.submitted", "edition.started", "edition.finished")
FOLDED = {"filing.answered": "gave {:,} answers in the form", "edition.saved": "changed the text {:,} times"}
MOST_LINES = 600  # of the timeline and of the extract; a bundle holds all


def evidence_of(incident: Incident, user: "User", at: datetime, checkpoint: Checkpoint | None) -> dict[str, Any]:
    lines = describe(_events(incident), private=True)
    entries = Entry.objects.in_bulk([line.event.event_id for line in lines], field_name="event_id")
    organisation = Organisation.objects.first()
    filings = list(Filing.objects.of(incident).with_case())
    editions = list(
        Edition.objects.of(incident)
        .select_related("notice__incident")
        .prefetch_related("approvals__approver", "broken_glass__given_by")
    )
    return {
        "kind": "breachdesk.evidence",
        "v": SHAPE,
        "as_of": time_text(at),
        "incident": incident.reference,
        "title": incident.title,
        "organisation": organisation.legal_name if organisation else "",
        "prepared_by": user.name,
        "aware_at": time_text(incident.aware_at),
        "zone": incident.aware.zone,
        "people": people_loaded(incident),
        "facts": list(_facts(incident)),
        "moments": list(_moments(incident)),
        "timeline": [_step(run, entries) for run in _runs(lines)][:MOST_LINES],
        "decisions": [_decision(line, entries) for line in lines if _is_decision(line)],
        "obligations": [*_reports(filings, dues_of(incident, filings)), *_telling(editions)],
        "notices": _notices(editions),
        "extract": [_extracted(line, entries) for line in lines[:MOST_LINES]],
        "left_out": _left_out(incident, lines),
        "checkpoint": _checkpoint(checkpoint),
    }


def _events(incident: Incident) -> Iterable[Event]:
    return Event.objects.of_incident(incident.pk).without_machinery().oldest_first()


def _left_out(incident: Incident, lines: Sequence[Line]) -> dict[str, int]:
    """What the extract does not print: batches and sweeps, and what is beyond its length."""
    whole = Event.objects.of_incident(incident.pk).count()
    return {"by_itself": whole - len(lines), "beyond": max(0, len(lines) - MOST_LINES)}


def _facts(incident: Incident) -> Iterator[dict[str, str]]:
    where = incident.get_origin_display()
    yield {"label": "What happened", "text": incident.what_happened}
    yield {"label": "Where", "text": f"{where}: {incident.processor}" if incident.processor else where}
    yield {"label": "Our role", "text": incident.get_our_role_display()}
    kinds = ", ".join(incident.kind_labels) or "Not known"
    yield {"label": "Kinds of data", "text": f"{kinds} (not certain yet)" if incident.kinds_uncertain else kinds}
    yield {"label": "People, as estimated", "text": incident.people_estimate}
    yield {"label": "State", "text": incident.get_status_display()}


def _moments(incident: Incident) -> Iterator[dict[str, Any]]:
    for moment in sorted(incident.moments.all(), key=lambda moment: moment.stated_at):
        yield {
            "label": moment.get_kind_display(),
            "at": time_text(moment.at) if moment.at else None,
            "zone": moment.zone,
            "precision": moment.precision,
            "basis": moment.basis,
            "replaced": moment.superseded_at is not None,
            "reason": moment.reason,
        }


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that one colleague wrote one after the other, and that say the same, are one step."""
    for (kind, _), run in groupby(lines, key=lambda line: (line.event.type, line.actor)):
        if kind in FOLDED:
            yield list(run)
        else:
            yield from ([line] for line in run)


def _step(run: Sequence[Line], entries: dict[Any, Entry]) -> dict[str, Any]:
    """Told as of the last of its lines, where all of it had happened."""
    last = run[-1]
    text = last.text if len(run) == 1 else f"{last.actor} {FOLDED[last.event.type].format(len(run))}"
    return {
        "n": _position(last, entries),
        "at": time_text(last.at),
        "text": text,
        "is_key": last.event.type in CLOCKS,
    }


def _is_decision(line: Line) -> bool:
    return line.event.type == "moment.corrected" or line.event.type.rpartition(".")[2] in DECISIONS


def _decision(line: Line, entries: dict[Any, Entry]) -> dict[str, Any]:
    return {
        "what": line.sentence[:1].upper() + line.sentence[1:],
        "why": line.private.get("reason") or line.private.get("basis") or "",
        "who": line.actor,
        "at": time_text(line.at),
        "n": _position(line, entries),
    }


def _reports(filings: Iterable[Filing], dues: Mapping[UUID, Due]) -> Iterator[dict[str, Any]]:
    for filing in filings:
        receipts = [version.receipt for version in filing.versions.all() if hasattr(version, "receipt")]
        first = min((receipt.submitted_at for receipt in receipts), default=None)
        form, due = filing.definition, dues.get(filing.pk)
        yield {
            "what": f"{form.title} to the {filing.addressee.short_name}",
            "short": f"{filing.addressee.short_name}, first report",
            "law": due.article if due else form.law,
            "due": time_text(due.at) if due and due.at else None,
            "met": time_text(first) if first else None,
            "is_late": bool(first and due and is_late(due, first)),
            "references": [receipt.authority_reference for receipt in receipts if receipt.authority_reference],
        }


def _telling(editions: Iterable[Edition]) -> Iterator[dict[str, Any]]:
    started = min((edition.started_at for edition in editions if edition.started_at), default=None)
    yield {
        "what": "Tell the people affected",
        "short": "People affected",
        "law": "UK GDPR Art 34(1)",
        "due": None,
        "met": time_text(started) if started else None,
        "is_late": False,
        "references": [],
    }


def _notices(editions: Sequence[Edition]) -> list[dict[str, Any]]:
    counts = Delivery.objects.tally(editions) if editions else {}
    reached = {notice.pk: _reached(notice) for notice in {edition.notice for edition in editions}}
    return [
        {**_notice(edition, Progress(counts.get(edition.pk, {}))), **reached[edition.notice_id]} for edition in editions
    ]


def _reached(notice: Notice) -> dict[str, Any]:
    """Of all its languages together: a letter counts once it was posted."""
    whole = count_reach(notice, timezone.now()).all
    return {
        "reached": {"reached": whole.reached, "not_reached": whole.not_reached, "not_known": whole.not_known},
        "letters_posted": whole.ways["posted"],
    }


def _notice(edition: Edition, progress: Progress) -> dict[str, Any]:
    approvals = sorted((one for one in edition.approvals.all() if not one.voided_at), key=lambda one: one.approved_at)
    glass = sorted((one for one in edition.broken_glass.all() if not one.voided_at), key=lambda one: one.given_at)
    return {
        "notice": edition.notice.title,
        "language": edition.language,
        "revision": edition.revision,
        "state": edition.get_state_display(),
        "digest": bytes(edition.digest).hex() if edition.digest else None,
        "approvals": [{"who": one.approver.name, "at": time_text(one.approved_at)} for one in approvals],
        "approvers_needed": edition.approvers_needed,
        "glass_broken": [{"who": one.given_by.name, "at": time_text(one.given_at), "why": one.reason} for one in glass],
        "recipients": progress.total,
        "results": [{"label": part.label, "number": part.number} for part in progress.slices if part.number],
    }


def _extracted(line: Line, entries: dict[Any, Entry]) -> dict[str, Any]:
    return {
        "n": _position(line, entries),
        "at": time_text(line.at),
        "who": line.actor,
        "type": line.event.type,
        "sha256": bytes(line.event.body_sha256).hex(),
    }


def _position(line: Line, entries: dict[Any, Entry]) -> int | None:
    entry = entries.get(line.event.event_id)
    return entry.idx if entry else None


def _checkpoint(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    made_at = time_text(checkpoint.made_at)
    return {"size": checkpoint.size, "root": bytes(checkpoint.root).hex(), "made_at": made_at, "note": checkpoint.note}
