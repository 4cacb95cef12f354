from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import lock_open
from breachdesk.incidents.models import Incident, Moment
from breachdesk.vault.sealing import create_key

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

TYPED = ("title", "what_happened", "processor", "effects", "action_taken")


@dataclass(frozen=True)
class Facts:
    what_happened: str
    title: str = ""
    origin: str = Incident.Origin.UNKNOWN
    processor: str = ""
    our_role: str = Incident.Role.CONTROLLER
    kinds: Sequence[str] = field(default_factory=tuple)
    kinds_uncertain: bool = False
    people_low: int | None = None
    people_high: int | None = None
    effects: str = ""
    action_taken: str = ""


@dataclass(frozen=True)
class StatedMoment:
    """`at` is None exactly when the precision is "not known"."""

    kind: str
    at: datetime | None
    precision: str = Moment.Precision.EXACT
    zone: str = "Europe/London"
    basis: str = ""


@action("incidents.open_incident")
def open_incident(facts: Facts, moments: Sequence[StatedMoment], *, by: "User", intake: UUID | None = None) -> Incident:
    """Logged once for each `intake`: the same form pressed twice gives the same incident."""
    now = timezone.now()
    if not any(moment.kind == Moment.Kind.AWARE and moment.at for moment in moments):
        raise ValidationError("Say when you became aware: the clocks run from that moment.")
    reference = _next_reference(now)
    if intake and (earlier := Incident.objects.filter(pk=intake, opened_by=by).first()):
        return earlier
    incident = Incident(id=intake or uuid4(), reference=reference, opened_by=by, opened_at=now)
    _apply(facts, incident)
    _check(incident)
    incident.save(force_insert=True)
    key = create_key(incident.pk)
    record("key.created", by=by, on=key, incident=incident.pk)
    record(
        "incident.opened",
        by=by,
        on=incident,
        private=_typed(incident),
        reference=incident.reference,
        **_plain(incident),
    )
    for stated in moments:
        _add_moment(incident, stated, by=by, now=now)
    return incident


@action("incidents.change_facts")
def change_facts(incident: Incident, facts: Facts, *, expected_version: int, by: "User") -> Incident:
    """Replaces the facts. A change that changes nothing leaves no event."""
    incident = _lock_version(incident, expected_version)
    before = {item.name: _comparable(getattr(incident, item.name)) for item in fields(Facts)}
    _apply(facts, incident)
    changed = sorted(name for name, value in before.items() if _comparable(getattr(incident, name)) != value)
    if not changed:
        return incident
    _check(incident)
    incident.version += 1
    incident.save()
    private = {name: text for name, text in _typed(incident).items() if name in changed}
    record("incident.facts_changed", by=by, on=incident, private=private, fields=changed, **_plain(incident))
    return incident


@action("incidents.change_facts")
def state_moment(
    incident: Incident, stated: StatedMoment, *, expected_version: int, by: "User", reason: str = ""
) -> Moment:
    """States a moment, or corrects the one that stands; the old one stays visible with who said it."""
    incident = _lock_version(incident, expected_version)
    incident.version += 1
    incident.save(update_fields=["version"])
    return _add_moment(incident, stated, by=by, now=timezone.now(), reason=reason.strip())


@action("incidents.close_incident")
def close_incident(incident: Incident, *, reason: str, expected_version: int, by: "User") -> Incident:
    incident = _lock_version(incident, expected_version)
    if not reason.strip():
        raise ValidationError("Say why the incident is closed. Auditors read this first.")
    incident.status, incident.closed_at = Incident.Status.CLOSED, timezone.now()
    incident.version += 1
    incident.save()
    record("incident.closed", by=by, on=incident, private={"reason": reason.strip()})
    return incident


def _lock_version(incident: Incident, expected_version: int) -> Incident:
    locked = lock_open(incident)
    if locked.version != expected_version:
        raise ValidationError(
            f"Somebody changed {locked.reference} while you were typing. Nothing was overwritten: look at the new "
            "facts, then make your change again."
        )
    return locked


def _add_moment(incident: Incident, stated: StatedMoment, *, by: "User", now: datetime, reason: str = "") -> Moment:
    _check_moment(stated, now)
    current = incident.moments.filter(kind=stated.kind, superseded_at=None).first()
    if current and not reason:
        raise ValidationError("Say why this time is corrected. The old one stays visible beside your reason.")
    if current:
        current.superseded_at = now
        current.version += 1
        current.save(update_fields=["superseded_at", "version"])
    moment = Moment.objects.create(incident=incident, reason=reason, stated_by=by, stated_at=now, **asdict(stated))
    private = {name: text for name, text in {"basis": stated.basis, "reason": reason}.items() if text}
    record(
        "moment.corrected" if current else "moment.stated",
        by=by,
        on=moment,
        also=[incident, current] if current else [incident],
        private=private,
        kind=str(stated.kind),
        precision=str(stated.precision),
        at=stated.at,
        zone=stated.zone,
        **_replaced(current),
    )
    return moment


def _replaced(moment: Moment | None) -> dict[str, Any]:
    if moment is None:
        return {}
    return {
        "replaces": moment.pk,
        "before": moment.at,
        "before_precision": str(moment.precision),
        "before_zone": moment.zone,
    }


def _check_moment(stated: StatedMoment, now: datetime) -> None:
    if (stated.at is None) != (stated.precision == Moment.Precision.NOT_KNOWN):
        raise ValidationError("Give a date and a time, or answer “not known”.")
    if stated.at and stated.at > now:
        raise ValidationError(f"{stated.at.astimezone(UTC):%d %B %Y, %H:%M} UTC is in the future. Give a past time.")
    if stated.kind == Moment.Kind.AWARE and stated.at is None:
        raise ValidationError("Say when you became aware: the clocks run from that moment. “About” is an answer.")


def _apply(facts: Facts, incident: Incident) -> None:
    for item in fields(Facts):
        value = getattr(facts, item.name)
        setattr(incident, item.name, value.strip() if isinstance(value, str) else value)
    incident.kinds = sorted(set(facts.kinds))
    incident.title = incident.title or _title_from(incident.what_happened)


def _check(incident: Incident) -> None:
    if incident.origin == Incident.Origin.PROCESSOR and not incident.processor:
        raise ValidationError({"processor": "Name the company, or choose “Not known yet” above."})
    if 0 in (incident.people_low, incident.people_high):
        raise ValidationError({"people_low": "Zero is a claim that nobody is affected. Leave it empty if not known."})
    low, high = incident.people_low, incident.people_high
    if low is not None and high is not None and low > high:
        raise ValidationError({"people_high": "“At most” is smaller than “at least”."})
    # The constraints say what was just asked, and asking them costs nine queries; the database keeps them anyhow.
    incident.full_clean(exclude=["opened_by", "reference", "closed_at"], validate_constraints=False)


def _title_from(text: str, limit: int = 80) -> str:
    sentence = text.strip().split("\n")[0].split(". ")[0].rstrip(".")
    return sentence if len(sentence) <= limit else f"{sentence[:limit].rsplit(' ', 1)[0]} …"


def _next_reference(now: datetime) -> str:
    """The year's next number. The lock holds until commit, so that two people at once get two numbers."""
    year = now.astimezone(UTC).year
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('incident reference'))")
    last = Incident.objects.filter(reference__startswith=f"BD-{year}-").order_by("-reference").first()
    return f"BD-{year}-{int(last.reference.rsplit('-', 1)[1]) + 1 if last else 1:04}"


def _comparable(value: object) -> object:
    return sorted(value) if isinstance(value, list | tuple) else value


def _typed(incident: Incident) -> dict[str, str]:
    return {name: getattr(incident, name) for name in TYPED if getattr(incident, name)}


def _plain(incident: Incident) -> dict[str, Any]:
    return {
        "origin": str(incident.origin),
        "our_role": str(incident.our_role),
        "kinds": list(incident.kinds),
        "kinds_uncertain": incident.kinds_uncertain,
        "people_low": incident.people_low,
        "people_high": incident.people_high,
    }
