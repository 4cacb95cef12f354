"""Who of a notice's people can be reached by post alone, and the letters that are begun for them.

A letter is for somebody whose message was refused or came back, and for somebody without an email address; of the
audience that was approved, with a postal address, not on hold. Nobody has two letters of one notice: the database
holds that. Whose row changed since it was approved gets none; what an approval binds of a person is in `frozen`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q

from breachdesk.people.models import PersonQuerySet
from notifications import verification_codes
from notifications.audience import audience_from
from notifications.delivery import IS_FOR_OTHERS
from notifications.models import Delivery, Edition, Letter, LetterRun
from notifications.recipients import languages_served, last_event, written_in

TABLE = "notifications_letter"
AT_ONCE = 10_000

# Deliveries `d` of an edition that came to nothing, with their people `p`; nobody who has a letter of this notice.
_FAILED = """
FROM notifications_delivery AS d JOIN people_person AS p ON p.id = d.person_id
WHERE d.edition_id = %(edition)s AND d.state IN ('refused', 'bounced') AND NOT EXISTS (
    SELECT FROM notifications_letter AS l
    WHERE l.notice_id = d.notice_id AND l.person_id = d.person_id AND l.voided_at IS NULL)
"""
_AS_APPROVED = f"""
notifications_frozen_row(p) IS NOT DISTINCT FROM coalesce(d.amended, d.frozen) AND NOT ({IS_FOR_OTHERS})
"""
_COUNT = f"""
SELECT count(*) FILTER (WHERE NOT p.held AND p.has_post AND {_AS_APPROVED}), count(*) FILTER (WHERE p.held),
    count(*) FILTER (WHERE NOT p.held AND NOT p.has_post),
    count(*) FILTER (WHERE NOT p.held AND p.has_post AND NOT ({_AS_APPROVED}))
{_FAILED}
"""
_FIND = f"""
SELECT p.id, p.country {_FAILED} AND NOT p.held AND p.has_post AND {_AS_APPROVED} AND NOT EXISTS (
    SELECT FROM notifications_batch AS b WHERE b.id = d.token AND b.settled_at IS NULL)
"""  # noqa: S608 - made of the texts above
_FREEZE = """
INSERT INTO notifications_letter (id, run_id, notice_id, person_id, number, version, verification, frozen)
SELECT new.id, %(run)s, %(notice)s, p.id, new.number, 1, new.verification, notifications_frozen_row(p)
FROM unnest(%(ids)s::uuid[], %(people)s::uuid[], %(numbers)s::int[], %(verifications)s::bytea[])
    AS new (id, person, number, verification)
JOIN people_person AS p ON p.id = new.person
"""


@dataclass(frozen=True)
class Waiting:
    """Of one edition: who can get a letter, and who cannot, and why."""

    ready: int = 0
    held: int = 0
    no_post: int = 0
    changed: int = 0
    without_email: int = 0  # of those who are ready

    @property
    def whole(self) -> int:
        return self.ready + self.held + self.no_post + self.changed


def waiting_for_letters(edition: Edition) -> Waiting:
    """Counted once per event of the case, from plain columns alone."""
    return _counted(edition.pk, last_event(edition.notice.incident, messages=True))


@lru_cache(maxsize=64)
def _counted(edition_id: UUID, _last_event: int) -> Waiting:
    edition = Edition.objects.with_incident().get(pk=edition_id)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"edition": edition.pk})
        ready, held, no_post, changed = cursor.fetchone()
    without = without_email(edition).aggregate(
        ready_too=Count("pk", filter=Q(held=False, has_post=True)),
        held_too=Count("pk", filter=Q(held=True)),
        no_post_too=Count("pk", filter=Q(held=False, has_post=False)),
    )
    return Waiting(
        ready + without["ready_too"],
        held + without["held_too"],
        no_post + without["no_post_too"],
        changed,
        without["ready_too"],
    )


def without_email(edition: Edition) -> PersonQuerySet:
    """Of the audience, without an email address and without a message or a letter of the notice, in its language."""
    notice = edition.notice
    people = audience_from(notice.audience).people_of(notice.incident).without_email().order_by()
    present = people.values_list("language", flat=True).distinct()
    served = languages_served(edition.language, notice.default_language, written_in(notice), notice.fallback, present)
    told = Delivery.objects.filter(notice=notice, person=OuterRef("pk"))
    written_to = Letter.objects.standing().filter(notice=notice, person=OuterRef("pk"))
    return people.filter(~Exists(told), ~Exists(written_to), language__in=served)


def people_for_letters(edition: Edition) -> list[UUID]:
    """Those who can get one, by country, so that what costs the same postage lies together."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"edition": edition.pk})
        found: list[tuple[UUID, str]] = list(cursor.fetchall())
    found += without_email(edition).filter(held=False, has_post=True).values_list("pk", "country")
    return [person for person, _ in sorted(found, key=lambda one: (one[1], one[0]))]


def freeze_letters(run: LetterRun, people: Sequence[UUID]) -> None:
    """One row each, numbered from 1, in the caller's transaction, whose event must name the run's rows."""
    for start in range(0, len(people), AT_ONCE):
        some = people[start : start + AT_ONCE]
        ids = [uuid4() for _ in some]
        values: dict[str, Any] = {
            "run": run.pk,
            "notice": run.edition.notice_id,
            "ids": ids,
            "people": some,
            "numbers": list(range(start + 1, start + 1 + len(some))),
            "verifications": verification_codes.indexes_of(ids),
        }
        with connection.cursor() as cursor:
            cursor.execute(_FREEZE, values)


def rows_of(run: LetterRun) -> tuple[str, UUID]:
    """How an event names the letters of a run."""
    return TABLE, run.pk
