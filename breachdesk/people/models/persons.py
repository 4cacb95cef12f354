"""Affected customers, and the rows about them."""

import uuid
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from breachdesk.incidents.kinds import labels_of
from breachdesk.incidents.models import Incident
from breachdesk.people.models.uploads import Upload

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


# Who gets no notice, whatever the reason; with an index of its own, for they are few and are counted at every hold.
LEFT_OUT = Q(held=True) | Q(withdrawn=True) | Q(has_email=False, has_post=False)


class PersonQuerySet(models.QuerySet["Person"]):
    def known_in(self, incident: Incident) -> "PersonQuerySet":
        """Everybody whose list was taken in, even if no longer affected."""
        return self.filter(incident=incident, upload__state=Upload.State.LOADED)

    def of(self, incident: Incident) -> "PersonQuerySet":
        """Everybody affected: whose list was taken in, and who was not taken off since."""
        return self.known_in(incident).filter(withdrawn=False)

    def visible_to(self, user: "User") -> "PersonQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def reachable_by_email(self) -> "PersonQuerySet":
        return self.filter(has_email=True, held=False)

    def left_out(self) -> "PersonQuerySet":
        """On hold, no longer affected, or without any way to reach them; on top of known_in()."""
        return self.filter(LEFT_OUT)

    def without_email(self) -> "PersonQuerySet":
        return self.filter(has_email=False)

    def without_country(self) -> "PersonQuerySet":
        return self.filter(country="")

    def in_country(self, code: str) -> "PersonQuerySet":
        return self.filter(country=code)

    def minors(self) -> "PersonQuerySet":
        return self.filter(minor=True)

    def held_back(self) -> "PersonQuerySet":
        return self.filter(held=True)

    def found_by(self, *, email_index: bytes | None, reference_index: bytes) -> "PersonQuerySet":
        by_reference = Q(reference_index=reference_index)
        return self.filter(by_reference | Q(email_index=email_index) if email_index else by_reference)

    def with_any_index(self, indexes: list[bytes]) -> "PersonQuerySet":
        return self.filter(Q(email_index__in=indexes) | Q(reference_index__in=indexes))

    def with_list(self) -> "PersonQuerySet":
        return self.select_related("upload", "incident")

    def ever_at(self, incident: Incident, email_index: bytes) -> "PersonQuerySet":
        """Who has this address, or had it before a newer file brought another."""
        earlier = PersonMatch.objects.filter(upload__incident=incident, email_index=email_index).values("person")
        return self.known_in(incident).filter(Q(email_index=email_index) | Q(pk__in=earlier))

    def in_order(self) -> "PersonQuerySet":
        """A stable order that an index gives, and that says nothing about the people."""
        return self.order_by("identity_index")

    def after(self, person: "Person | None") -> "PersonQuerySet":
        """Those behind a person in that order, all without one. The index finds the place."""
        return (self.filter(identity_index__gt=person.identity_index) if person else self).in_order()

    def before(self, person: "Person | None") -> "PersonQuerySet":
        """Those ahead of a person, the nearest first; without one the last of all."""
        ahead = self.filter(identity_index__lt=person.identity_index) if person else self
        return ahead.order_by("-identity_index")


class Person(models.Model):
    """An affected customer. Everything personal is in `sealed`; plain columns hold what counting and routing need."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="people", db_index=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+", db_index=False)
    row_number = models.PositiveIntegerField(default=0)
    # Of all personal values of the one source row that gave them: a name beside another row's address is noticed.
    row_checksum = models.BinaryField(max_length=16, default=b"")
    sealed = models.BinaryField()
    email_index = models.BinaryField(null=True)
    identity_index = models.BinaryField()
    reference_index = models.BinaryField(null=True)
    country = models.CharField(max_length=2, blank=True)
    state = models.CharField(max_length=3, blank=True)
    language = models.CharField(max_length=12, blank=True)
    kinds = ArrayField(models.CharField(max_length=30), default=list)
    minor = models.BooleanField(default=False)
    vulnerable = models.BooleanField(default=False)
    deceased = models.BooleanField(default=False)
    has_email = models.BooleanField()
    has_post = models.BooleanField(default=False)
    held = models.BooleanField(default=False)
    withdrawn = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    objects = PersonQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_counts", "See how many people are affected, masked"),
            ("reveal_person", "See one person's data"),
            ("hold_person", "Hold a person back from notices"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["incident", "identity_index"], name="one_row_per_person"),
            models.CheckConstraint(
                condition=Q(has_email=True, email_index__isnull=False) | Q(has_email=False, email_index=None),
                name="has_email_is_true",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "email_index"], name="person_by_email"),
            models.Index(fields=["incident", "reference_index"], name="person_by_reference"),
            models.Index(fields=["incident"], condition=Q(held=True), name="people_on_hold"),
            models.Index(fields=["incident"], condition=LEFT_OUT, name="people_left_out"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def kind_labels(self) -> list[str]:
        return labels_of(self.kinds)


class PersonMatch(models.Model):
    """A row about somebody who was known already: a further source of that person, and what it changes, if anything.

    What it changes stands here sealed for the person's own place: `sealed`, the indexes, and in `changes` the plain
    columns. When the list is taken in, these trade places with the person's own, and when it is taken out once more.
    """

    class FoundBy(models.TextChoices):
        IDENTITY = "identity", "Same address and name"
        REFERENCE = "reference", "Same customer number"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="matches", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="matches")
    row_number = models.PositiveIntegerField()
    row_checksum = models.BinaryField(max_length=16)
    found_by = models.CharField(max_length=10, choices=FoundBy)
    # Null or without a key where the row changes nothing; see merging.py.
    sealed = models.BinaryField(null=True)
    email_index = models.BinaryField(null=True)
    identity_index = models.BinaryField(null=True)
    reference_index = models.BinaryField(null=True)
    changes = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["upload", "row_number"], name="one_match_per_row"),
            models.UniqueConstraint(
                fields=["upload", "person"], condition=Q(sealed__isnull=False), name="values_come_from_one_row"
            ),
        ]
        # For the further rows of the same file, which may be about somebody as this file makes them.
        indexes = [
            models.Index(
                fields=["upload", "identity_index"], condition=Q(identity_index__isnull=False), name="match_by_identity"
            ),
            models.Index(
                fields=["upload", "reference_index"],
                condition=Q(reference_index__isnull=False),
                name="match_by_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"Row {self.row_number:,}"
