"""Personal data of many people that leaves the product: asked for by one colleague, allowed by another."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from breachdesk.incidents.models import Incident
from breachdesk.people.countries import country_name
from breachdesk.people.models.persons import Person, PersonQuerySet

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

KEPT_FOR = timedelta(hours=24)


class PeopleExportQuerySet(models.QuerySet["PeopleExport"]):
    def visible_to(self, user: "User") -> "PeopleExportQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def of(self, incident: Incident) -> "PeopleExportQuerySet":
        return self.filter(incident=incident)

    def not_ended(self) -> "PeopleExportQuerySet":
        """Asked for, allowed, or waiting as a file that our keys do not reach."""
        state = PeopleExport.State
        return self.filter(state__in=[state.ASKED, state.APPROVED, state.MADE])

    def past_their_end(self, now: datetime) -> "PeopleExportQuerySet":
        return self.filter(state__in=[PeopleExport.State.APPROVED, PeopleExport.State.MADE], expires_at__lte=now)

    def with_file(self) -> "PeopleExportQuerySet":
        return self.filter(state=PeopleExport.State.MADE)

    def for_a_list(self) -> "PeopleExportQuerySet":
        return self.newest_first().select_related("asked_by", "decided_by")

    def newest_first(self) -> "PeopleExportQuerySet":
        return self.order_by("-asked_at", "pk")


class PeopleExport(models.Model):
    """One export. Its file exists only while it is MADE, for a day after it was allowed at most."""

    class State(models.TextChoices):
        ASKED = "asked", "Waiting for a second person"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        APPROVED = "approved", "Allowed, not made yet"
        MADE = "made", "Made, waiting to be downloaded"
        EXPIRED = "expired", "Over, its file is deleted"

    class Which(models.TextChoices):
        ALL = "all", "Everybody affected"
        HELD = "held", "Only those on hold"
        WITHOUT_EMAIL = "without_email", "Only those without an email address"
        WITHOUT_COUNTRY = "without_country", "Only those without a country"
        COUNTRY = "country", "Only those in one country"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="people_exports")
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    which = models.CharField(max_length=16, choices=Which)
    country = models.CharField(max_length=2, blank=True)
    fields = ArrayField(models.CharField(max_length=100))
    people = models.PositiveIntegerField()  # when it was asked for, and of the file once it is made
    sealed_reason = models.BinaryField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    # Of the sealed file on the state volume; every making has its own.
    file_id = models.UUIDField(null=True)
    size = models.PositiveBigIntegerField(null=True)
    sha256 = models.BinaryField(max_length=32, null=True)
    version = models.PositiveIntegerField(default=1)

    objects = PeopleExportQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("export_people", "Ask for an export of personal data"),
            ("approve_export", "Allow an export that a colleague asked for"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "approved", "made", "expired"])
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("asked_by")),
                name="an_export_needs_two_people",
            ),
            models.CheckConstraint(
                condition=Q(which="country") & ~Q(country="") | ~Q(which="country") & Q(country=""),
                name="one_country_is_named",
            ),
            models.CheckConstraint(
                condition=~Q(state="made")
                | Q(file_id__isnull=False, sha256__isnull=False, size__isnull=False, expires_at__isnull=False),
                name="a_made_export_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.whose}, {self.people:,}"

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.REFUSED, self.State.WITHDRAWN, self.State.EXPIRED)

    @property
    def whose(self) -> str:
        if self.which == self.Which.COUNTRY:
            return f"Only those in {country_name(self.country)}"
        return str(self.get_which_display())

    def whom(self) -> PersonQuerySet:
        """The people it is about, as they are now."""
        people = Person.objects.of(self.incident)
        match self.which:
            case self.Which.HELD:
                return people.held_back()
            case self.Which.WITHOUT_EMAIL:
                return people.without_email()
            case self.Which.WITHOUT_COUNTRY:
                return people.without_country()
            case self.Which.COUNTRY:
                return people.in_country(self.country)
        return people
