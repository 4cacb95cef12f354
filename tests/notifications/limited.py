"""Editions that are sent under limits, and a clock that is moved by moving the rows that remember it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from notifications import sending
from notifications.actions import set_schedule, start_edition
from notifications.ends import End
from notifications.models import Delivery, Edition, Pace
from notifications.routes import connect
from notifications.schedule import Schedule
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
    unguarded,
)
from tests.notifications.sink import Sink

PEOPLE = 60


def addresses(people: int, domain: str = "example.com") -> list[str]:
    return [f"person{n:04}@{domain}" for n in range(people)]


def approved(schedule: Schedule, *, people: list[str] | None = None, country: str = "GB") -> Edition:
    """An approved edition to so many people of one country."""
    make_organisation()
    incident = make_incident()
    rows = [f"HR-{n},Ana,Person,{to},en,{country}" for n, to in enumerate(people or addresses(PEOPLE))]
    make_people(incident, "\n".join(["customer_id,first_name,last_name,email,language,country", *rows]))
    edition = make_edition(incident)
    edition = set_schedule(edition, schedule=schedule, by=edition.authors.get().author)
    return make_approved_edition(make_edition_in_review(edition))


def being_sent(schedule: Schedule, **people: Any) -> Edition:
    return start_edition(approved(schedule, **people), by=make_user("approver"))


@contextmanager
def sink(*faults: Any, **changes: Any) -> Iterator[Sink]:
    """A mail server that the product sends through."""
    before = settings.BREACHDESK
    with Sink(list(faults)) as caught:
        usual = {"smtp_port": caught.port, "smtp_timeout": 15, "lease_margin": 20, "smtp_connections": 4}
        settings.BREACHDESK = before.model_copy(update={**usual, **changes})
        try:
            yield caught
        finally:
            settings.BREACHDESK = before


def drain(edition: Edition, seconds: float = 20, **options: Any) -> End:
    return sending.drain_edition(edition.pk, connect=connect, seconds=seconds, **options)


def states(edition: Edition) -> Counter[str]:
    return Counter(Delivery.objects.filter(edition=edition).values_list("state", flat=True))


def later(edition: Edition, **span: float) -> None:
    """As if so much time had passed: what rows remember moves back."""
    gone = timedelta(**span)
    with unguarded():
        Delivery.objects.filter(edition=edition, next_at__isnull=False).update(next_at=F("next_at") - gone)
        for pace in Pace.objects.filter(edition=edition):
            for name in ("free_at", "queued_until", "wave_at", "canary_at"):
                if at := getattr(pace, name):
                    setattr(pace, name, at - gone)
            pace.save()
