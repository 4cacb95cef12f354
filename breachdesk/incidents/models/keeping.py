"""How long a case's personal data is kept, what forbids its destruction, and who asked for it and who agreed."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from breachdesk.incidents.models.cases import Incident

USER = settings.AUTH_USER_MODEL


class Retention(models.Model):
    """The two dates of a case, where somebody chose others than the usual ones (keeping.py)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="retention")
    delete_on = models.DateField()
    index_until = models.DateField()
    reason = models.TextField(max_length=1000)
    set_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(index_until__gte=F("delete_on")), name="the_index_lives_as_long_or_longer"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="dates_have_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.delete_on}, index {self.index_until}"


class LegalHold(models.Model):
    """A dispute, or an order, for which everything must be kept. It blocks every destruction until it is lifted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.TextField(max_length=1000)
    set_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    release_reason = models.TextField(max_length=1000, blank=True)
    released_by = models.ForeignKey(USER, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        ordering = ["-set_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=Q(released_at=None), name="one_legal_hold_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_legal_hold_has_a_reason"),
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None)
                | (Q(released_at__isnull=False, released_by__isnull=False) & ~Q(release_reason="")),
                name="a_legal_hold_is_lifted_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"Legal hold since {self.set_at:%d %B %Y}"


class DestructionQuerySet(models.QuerySet["Destruction"]):
    def of(self, incident: Incident) -> "DestructionQuerySet":
        return self.filter(incident=incident)

    def in_work(self) -> "DestructionQuerySet":
        """Asked for or confirmed, even if its time is over by now."""
        return self.filter(state__in=IN_WORK)

    def lapsed_at(self, now: datetime) -> "DestructionQuerySet":
        return self.in_work().filter(lapses_at__lte=now)

    def due_at(self, now: datetime) -> "DestructionQuerySet":
        """Confirmed, its time to think it over is up, and it has not lapsed; the oldest first."""
        due = self.filter(state=Destruction.State.CONFIRMED, not_before__lte=now, lapses_at__gt=now)
        return due.order_by("decided_at")

    def confirmed(self) -> "DestructionQuerySet":
        return self.filter(state=Destruction.State.CONFIRMED)

    def done(self) -> "DestructionQuerySet":
        return self.filter(state=Destruction.State.DONE).order_by("done_at")

    def with_people(self) -> "DestructionQuerySet":
        return self.select_related("asked_by", "decided_by")

    def newest_first(self) -> "DestructionQuerySet":
        return self.order_by("-asked_at")


class Destruction(models.Model):
    """One of a case's two keys is to be destroyed: one person asks, another confirms, the eraser does it."""

    class What(models.TextChoices):
        DATA = "data", "The personal data"
        INDEX = "index", "The index of addresses"

    class State(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        CONFIRMED = "confirmed", "Confirmed"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        LAPSED = "lapsed", "Lapsed"
        DONE = "done", "Destroyed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="destructions")
    what = models.CharField(max_length=10, choices=What)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    reason = models.TextField(max_length=1000)
    asked_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    decided_by = models.ForeignKey(USER, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    refusal = models.TextField(max_length=1000, blank=True)
    # Until then whoever may ask or confirm can still take it back.
    not_before = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    # What was there: of each part how much, as it was shown to whoever confirmed, and in the end as it was destroyed.
    counts = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)

    objects = DestructionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=Q(state__in=["asked", "confirmed"]), name="one_destruction_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["incident", "what"], condition=Q(state="done"), name="each_key_is_destroyed_once"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="nobody_confirms_their_own_request"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "done"])
                | Q(decided_by__isnull=False, decided_at__lt=F("lapses_at"), not_before__gte=F("decided_at")),
                name="two_people_destroy_in_time",
            ),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at=None)),
                name="destroyed_at_a_moment",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_destruction_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()}: {self.get_state_display().lower()}"

    @property
    def is_of_data(self) -> bool:
        return self.what == self.What.DATA

    @property
    def is_in_work(self) -> bool:
        return self.state in IN_WORK


IN_WORK = (Destruction.State.ASKED, Destruction.State.CONFIRMED)
