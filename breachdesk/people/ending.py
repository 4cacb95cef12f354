"""What time ends by itself: holds whose end has passed, and exports whose day is over. Beat calls; nobody decides."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from breachdesk.audit.record import record
from breachdesk.people import exports
from breachdesk.people.counting import recount_left_out
from breachdesk.people.holds import lock_people, still_held
from breachdesk.people.models import Hold, PeopleExport, Person, Upload

FORGOTTEN_AFTER = timedelta(hours=1)  # longer than any file takes to be made


def release_ended_holds(now: datetime) -> int:
    """How many holds ended. What was placed together ends together, with one event."""
    placings = set(Hold.objects.past_their_end(now).values_list("placing", flat=True))
    return sum(_end_placing(placing, now) for placing in sorted(placings))


@transaction.atomic
def _end_placing(placing: UUID, now: datetime) -> int:
    ended = Hold.objects.placed_together(placing).past_their_end(now)
    people = lock_people(ended.values_list("person", flat=True))
    holds = list(ended.on_people([person.pk for person in people]).select_for_update())
    if not holds:
        return 0  # somebody released them meanwhile
    Hold.objects.filter(pk__in=[hold.pk for hold in holds]).update(released_at=now, version=F("version") + 1)
    kept = still_held(people)
    free = [person for person in people if person.held and person.pk not in kept]
    Person.objects.filter(pk__in=[person.pk for person in free]).update(held=False, version=F("version") + 1)
    _record_end(holds, free)
    recount_left_out(people[0].incident)
    return len(holds)


def _record_end(holds: list[Hold], free: list[Person]) -> None:
    incident = holds[0].incident_id
    lists = [("people_person", upload) for upload in sorted({person.upload_id for person in free})]
    batches = [("people_hold", holds[0].placing), *lists]
    if len(holds) == 1:
        record("person.released", by=None, on=Person.objects.get(pk=holds[0].person_id), batches=batches, ended=True)
    else:
        record(
            "people.released", by=None, on=holds[0].incident, incident=incident, batches=batches, people=len(free),
            placing=holds[0].placing, ended=True,
        )  # fmt: skip


def forget_holds(upload: Upload) -> list[tuple[str, object]]:
    """Of people who leave with their list, in the caller's transaction, whose event must name these batches."""
    holds = Hold.objects.on_people_of(upload)
    placings = sorted(set(holds.values_list("placing", flat=True)))
    holds.delete()
    return [("people_hold", placing) for placing in placings]


def expire_exports(now: datetime) -> int:
    """Deletes the files whose day is over, and what a crash left. How many exports ended."""
    over = list(PeopleExport.objects.past_their_end(now).values_list("pk", flat=True))
    ended = sum(_expire(pk, now) for pk in over)
    exports.discard_forgotten(now - FORGOTTEN_AFTER)
    return ended


@transaction.atomic
def _expire(pk: UUID, now: datetime) -> bool:
    due = PeopleExport.objects.past_their_end(now).select_for_update(skip_locked=True)
    export = due.filter(pk=pk).first()
    if export is None:
        return False
    exports.discard_after(export)
    export.state, export.file_id = PeopleExport.State.EXPIRED, None
    export.version += 1
    export.save()
    record("people.export_expired", by=None, on=export)
    return True
