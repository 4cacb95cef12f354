import uuid
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from breachdesk.audit.estimates import estimate_in_words
from breachdesk.incidents.kinds import CHOICES, labels_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: "User") -> "IncidentQuerySet":
        """Every case to whoever may see cases; an administrator sees none."""
        return self if user.has_perm("incidents.view_incident") else self.none()

    def open(self) -> "IncidentQuerySet":
        return self.filter(status=Incident.Status.OPEN)

    def matching(self, *, q: str = "", status: str = "", origin: str = "") -> "IncidentQuerySet":
        """What was asked for; an empty answer asks for nothing."""
        found = self.filter(Q(reference__icontains=q) | Q(title__icontains=q)) if q else self
        found = found.filter(status=status) if status else found
        return found.filter(origin=origin) if origin else found

    def aware_in(self, year: int | None) -> "IncidentQuerySet":
        """By the awareness that is stated now, in UTC; without a year, of any time."""
        aware = Moment.objects.filter(kind=Moment.Kind.AWARE, superseded_at=None, at__year=year)
        return self.filter(pk__in=aware.values("incident")) if year else self

    def years_of_awareness(self) -> list[int]:
        """The latest first."""
        aware = Moment.objects.filter(kind=Moment.Kind.AWARE, superseded_at=None, incident__in=self)
        return [moment.year for moment in aware.datetimes("at", "year", order="DESC")]

    def telling(self, words: str) -> "IncidentQuerySet":
        """With these words in what people wrote about it."""
        if not words:
            return self
        fields = ("reference", "title", "what_happened", "processor", "effects", "action_taken")
        return self.filter(reduce(or_, (Q(**{f"{field}__icontains": words}) for field in fields)))

    def newest_first(self) -> "IncidentQuerySet":
        return self.order_by("-opened_at")

    def with_moments(self) -> "IncidentQuerySet":
        return self.prefetch_related(models.Prefetch("moments", Moment.objects.select_related("stated_by")))


class Incident(models.Model):
    """A personal data breach (GDPR Article 4(12)), known or suspected."""

    class Origin(models.TextChoices):
        OWN = "own", "In our own systems"
        PROCESSOR = "processor", "At a company that works for us"
        UNKNOWN = "unknown", "Not known yet"

    class Role(models.TextChoices):
        CONTROLLER = "controller", "Controller: we decide why and how the data is used"
        JOINT = "joint", "Joint controller: we decide together with others"
        PROCESSOR = "processor", "Processor: we hold it for somebody else"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, editable=False)
    title = models.CharField(max_length=160)
    what_happened = models.TextField(max_length=4000)
    origin = models.CharField(max_length=20, choices=Origin)
    processor = models.CharField(max_length=160, blank=True)
    our_role = models.CharField(max_length=20, choices=Role, default=Role.CONTROLLER)
    kinds = ArrayField(models.CharField(max_length=30, choices=CHOICES), default=list)
    kinds_uncertain = models.BooleanField(default=False)
    people_low = models.PositiveIntegerField(null=True, blank=True)
    people_high = models.PositiveIntegerField(null=True, blank=True)
    effects = models.TextField(max_length=4000, blank=True)
    action_taken = models.TextField(max_length=4000, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_incident", "See incidents"),
            ("open_incident", "Log an incident"),
            ("change_facts", "Change what is known about an incident"),
            ("close_incident", "Close an incident"),
            ("set_retention", "Say how long personal data is kept, and hold it for a dispute"),
            ("ask_destruction", "Ask to destroy a case's personal data"),
            ("confirm_destruction", "Confirm what somebody else asked to destroy"),
            ("ask_index", "Ask whether we wrote to an address"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(people_low=0) & ~Q(people_high=0), name="not_known_is_never_zero"),
            models.CheckConstraint(
                condition=Q(people_low=None) | Q(people_high=None) | Q(people_low__lte=F("people_high")),
                name="people_range_in_order",
            ),
            models.CheckConstraint(condition=~Q(origin="processor") | ~Q(processor=""), name="processor_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("incident-detail", args=[self.reference])

    @property
    def incident_id(self) -> uuid.UUID:
        return self.pk

    @property
    def kind_labels(self) -> list[str]:
        return labels_of(self.kinds)

    @property
    def people_estimate(self) -> str:
        """A number, a range or "not known", in words."""
        words = estimate_in_words(self.people_low, self.people_high)
        is_one_number = self.people_low is not None and self.people_low == self.people_high
        return f"about {words}" if is_one_number else words

    def moment(self, kind: str) -> "Moment | None":
        """The moment that counts now; superseded ones stay in `moments`."""
        return self.standing_moments().get(kind)

    def standing_moments(self) -> dict[str, "Moment"]:
        """By kind, all that count now: one query for whoever needs several."""
        return {m.kind: m for m in self.moments.all() if m.superseded_at is None}

    @property
    def aware(self) -> "Moment":
        moment = self.moment(Moment.Kind.AWARE)
        assert moment is not None, "open_incident() always states when we became aware"
        return moment

    @property
    def aware_at(self) -> datetime:
        at = self.aware.at
        assert at is not None, "the database holds an instant for every awareness"
        return at


class Moment(models.Model):
    """When something happened, who says so and how exactly. A correction adds a row; nothing is overwritten."""

    class Kind(models.TextChoices):
        AWARE = "aware", "We became aware"
        TOLD_BY_PROCESSOR = "told_by_processor", "The processor told us"
        BEGAN = "began", "The breach began"
        ENDED = "ended", "The breach ended"
        CONTAINED = "contained", "Contained"
        # What clocks of some laws run from; asked for only where one does.
        SUSPECTED = "suspected", "We first suspected it"
        DETECTED = "detected", "It was detected"
        DISCOVERED = "discovered", "We discovered it"
        SHOULD_HAVE_KNOWN = "should_have_known", "We should have known"
        CONFIRMED = "confirmed", "It was confirmed"
        DETERMINED = "determined", "We determined it to be a breach"
        ASSESSED = "assessed", "Our assessment was finished"
        CLASSIFIED = "classified", "It was classified as major"
        MATERIAL = "material", "It was decided to be material"
        IDENTIFIED = "identified", "The people were identified"
        RANSOM_PAID = "ransom_paid", "A ransom was paid"
        HANDLED = "handled", "The incident was handled"
        FIX_AVAILABLE = "fix_available", "A fix was available"
        REQUESTED = "requested", "The authority asked"
        STATEMENT_READY = "statement_ready", "The statement was ready"

    ALWAYS_ASKED = (Kind.AWARE, Kind.TOLD_BY_PROCESSOR, Kind.BEGAN, Kind.ENDED, Kind.CONTAINED)

    class Precision(models.TextChoices):
        EXACT = "exact", "Exactly"
        ABOUT = "about", "About"
        NOT_KNOWN = "not_known", "Not known"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="moments")
    kind = models.CharField(max_length=20, choices=Kind)
    precision = models.CharField(max_length=20, choices=Precision, default=Precision.EXACT)
    at = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64, default="Europe/London")
    basis = models.TextField(max_length=1000, blank=True)
    reason = models.TextField(max_length=1000, blank=True)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        ordering = ["stated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "kind"], condition=Q(superseded_at=None), name="one_current_moment_per_kind"
            ),
            models.CheckConstraint(
                condition=Q(precision="not_known", at=None) | (~Q(precision="not_known") & Q(at__isnull=False)),
                name="only_not_known_has_no_instant",
            ),
            models.CheckConstraint(condition=~Q(kind="aware") | Q(at__isnull=False), name="awareness_has_an_instant"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.at or 'not known'}"
