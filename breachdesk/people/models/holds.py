"""Who must not be written to for now: by whose wish, why, and until when."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from breachdesk.incidents.models import Incident
from breachdesk.people.models.persons import Person, PersonMatch, PersonQuerySet
from breachdesk.people.models.uploads import Upload

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class HoldQuerySet(models.QuerySet["Hold"]):
    def visible_to(self, user: "User") -> "HoldQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def of(self, incident: Incident) -> "HoldQuerySet":
        return self.filter(incident=incident)

    def open(self) -> "HoldQuerySet":
        return self.filter(released_at=None)

    def of_kind(self, kind: str) -> "HoldQuerySet":
        return self.filter(kind=kind)

    def ended(self) -> "HoldQuerySet":
        return self.filter(released_at__isnull=False)

    def for_a_list(self) -> "HoldQuerySet":
        return self.newest_first().select_related("person", "placed_by", "released_by")

    def past_their_end(self, now: datetime) -> "HoldQuerySet":
        return self.open().filter(until__lte=now)

    def placed_together(self, placing: uuid.UUID) -> "HoldQuerySet":
        return self.filter(placing=placing)

    def answers_to_a_list(self) -> "HoldQuerySet":
        """What became of the mark of a list, which held the person without a hold. It answers no newer list."""
        newer = PersonMatch.objects.filter(
            person=OuterRef("person"),
            changes__has_key="deceased",
            upload__state=Upload.State.LOADED,
            upload__taken_in_at__gt=OuterRef("released_at"),
        )
        return self.filter(~Exists(newer), placed_by=None)

    def on_people(self, people: Iterable[uuid.UUID]) -> "HoldQuerySet":
        return self.filter(person__in=people)

    def on_people_of(self, upload: Upload) -> "HoldQuerySet":
        return self.filter(person__upload=upload)

    def with_an_end(self) -> "HoldQuerySet":
        return self.filter(until__isnull=False).order_by("until")

    def people_by_kind(self) -> dict[str, int]:
        """Somebody held for two reasons stands under both."""
        return dict(self.order_by().values_list("kind").annotate(people=Count("person", distinct=True)))

    def newest_first(self) -> "HoldQuerySet":
        return self.order_by("-placed_at", "pk")


class Hold(models.Model):
    """One reason why one person gets no notice. Several may hold the same person; the last one to end lets go.

    `placed_by` nobody: the person was held without a hold, for a list marks them as deceased, and was let go again.
    """

    class Kind(models.TextChoices):
        POLICE = "police", "The police asked us to wait"
        DECEASED = "deceased", "The person has died"
        DISPUTE = "dispute", "A dispute with the person"
        ASKED = "asked", "They asked not to be contacted"
        NOT_OURS = "not_ours", "They say they are no customer of ours"
        OTHER = "other", "Another reason"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="holds")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="holds")
    # One act of placing, of one person or of a pasted list: an event names all of its rows by it.
    placing = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind)
    sealed_reason = models.BinaryField(null=True)
    until = models.DateTimeField(null=True)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    sealed_release = models.BinaryField(null=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = HoldQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(placed_by__isnull=False, sealed_reason__isnull=False)
                | Q(placed_by=None, sealed_reason=None),
                name="who_holds_says_why",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=False) | Q(released_by=None, sealed_release=None),
                name="released_is_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "-placed_at"], condition=Q(released_at=None), name="open_holds"),
            models.Index(fields=["until"], condition=Q(released_at=None, until__isnull=False), name="holds_that_end"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_open(self) -> bool:
        return self.released_at is None

    @property
    def has_ended(self) -> bool:
        """By itself: its end passed, and nobody released it before."""
        return self.released_at is not None and self.released_by_id is None


def held_by_a_list_alone(people: PersonQuerySet) -> PersonQuerySet:
    """Held back without an open hold: a list marks them as deceased, and nobody has answered that yet."""
    return people.held_back().filter(~Exists(Hold.objects.open().filter(person=OuterRef("pk"))))
