"""What became of each edition's message to each person: deliveries, tries, batches, and what providers report."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Q

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from notifications.models.approving import Amendment
from notifications.models.following import DeliveryDecision
from notifications.models.notices import Edition, Notice

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: "User") -> "DeliveryQuerySet":
        return self if user.has_perm("notifications.view_notice") else self.none()

    def begun_in(self, batch: uuid.UUID) -> "DeliveryQuerySet":
        """Those of a batch whose hand-over began and was not answered for."""
        return self.filter(token=batch, state=Delivery.State.HANDING_OVER)

    def on_the_wire(self) -> "DeliveryQuerySet":
        """Those whose message may be in somebody's inbox."""
        return self.filter(state__in=ON_THE_WIRE)

    def with_code(self, index: bytes) -> "DeliveryQuerySet":
        return self.filter(verification=index)

    def to_people_of(self, incident: Incident, people: Iterable[Person]) -> "DeliveryQuerySet":
        """Their messages with edition and notice, in the order of their notices."""
        notices = list(Notice.objects.of(incident).oldest_first().values_list("pk", flat=True))
        found = self.filter(notice__in=notices, person__in=list(people))
        return found.select_related("edition", "notice").order_by("notice__created_at", "pk")

    def tally(self, editions: Iterable["Edition"]) -> dict[uuid.UUID, dict[str, int]]:
        """How many deliveries of each edition are in each state: one query that reads an index alone."""
        rows = self.filter(edition__in=list(editions)).values_list("edition", "state").annotate(n=Count("*")).order_by()
        counts: dict[uuid.UUID, dict[str, int]] = {}
        for edition, state, number in rows:
            counts.setdefault(edition, {})[state] = number
        return counts


class Delivery(models.Model):
    """One edition to one person. Its state changes only in delivery.py, guarded by a trigger."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        CLAIMED = "claimed", "Claimed by a worker"
        HANDING_OVER = "handing_over", "Being handed over"
        HANDED_OVER = "handed_over", "Handed over"
        UNKNOWN = "unknown", "Unknown"
        RETRY_WAIT = "retry_wait", "Waiting to try again"
        REFUSED = "refused", "Refused"
        BLOCKED = "blocked", "Blocked"
        DELIVERED = "delivered", "Delivered"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        CANCELLED = "cancelled", "Cancelled"
        SUPPRESSED = "suppressed", "Suppressed"
        ASSUMED_SENT = "assumed_sent", "Assumed sent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+", db_index=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    state = models.CharField(max_length=16, choices=State, default=State.PLANNED)
    token = models.UUIDField(null=True)
    next_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveSmallIntegerField(default=0)  # grows with every sending that a person chose
    rung = models.PositiveSmallIntegerField(default=0, db_default=0)  # of their addresses: 0 the first, 1 the second
    decision = models.ForeignKey(
        DeliveryDecision, null=True, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    code = models.PositiveSmallIntegerField(null=True)
    reply_sha256 = models.BinaryField(null=True)
    recipient = models.BinaryField(null=True)  # commitment to the address of the last try: batches.py
    frozen = models.BinaryField(null=True)  # the person's row as it was when the list was: freezing.py
    amendment = models.ForeignKey(Amendment, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    amended = models.BinaryField(null=True)  # as `frozen`, of the amendment that came after it
    verification = models.BinaryField(null=True)  # blind index of the code in the message: verification_codes.py
    handing_over_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["notice", "person"], name="one_delivery_per_person"),
            models.CheckConstraint(
                condition=Q(next_at__isnull=False, state__in=["planned", "retry_wait"])
                | (Q(next_at=None) & ~Q(state__in=["planned", "retry_wait"])),
                name="only_what_waits_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["claimed", "handing_over", "handed_over", "unknown"]) | Q(token__isnull=False),
                name="what_was_claimed_has_a_token",
            ),
        ]
        # No index speaks of `state`: so the two updates of a hand-over touch no index at all (heap-only tuples).
        indexes = [
            models.Index(fields=["edition", "next_at"], name="delivery_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["token"], name="delivery_by_token", condition=Q(token__isnull=False)),
            # Tried once, and due again: found at once even while a limit lets nobody new go.
            models.Index(
                fields=["edition", "next_at"],
                name="delivery_tried_due",
                condition=Q(next_at__isnull=False, token__isnull=False),
            ),
            models.Index(fields=["person"], name="delivery_by_person"),
            models.Index(fields=["decision"], name="delivery_by_decision", condition=Q(decision__isnull=False)),
            models.Index(fields=["verification"], name="delivery_by_code", condition=Q(verification__isnull=False)),
        ]


ON_THE_WIRE = (
    Delivery.State.HANDING_OVER,
    Delivery.State.HANDED_OVER,
    Delivery.State.UNKNOWN,
    Delivery.State.DELIVERED,
    Delivery.State.BOUNCED,
    Delivery.State.COMPLAINED,
    Delivery.State.ASSUMED_SENT,
)


class Attempt(models.Model):
    """A try that needs more words than its delivery has columns: the second and later ones, and any answer but 2xx."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    batch = models.ForeignKey("Batch", on_delete=models.PROTECT, related_name="attempts")
    n = models.PositiveSmallIntegerField()
    phase = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)
    code = models.PositiveSmallIntegerField(null=True)
    enhanced = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    reply_sha256 = models.BinaryField(null=True)
    recipient = models.BinaryField(null=True)
    remote_id = models.CharField(max_length=120, blank=True)
    domain = models.BinaryField(null=True)  # blind index of the address's domain, where it was not handed over
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["delivery", "n", "outcome"], name="one_row_per_answer")]
        indexes = [models.Index(fields=["remote_id"], name="attempt_by_remote_id", condition=~Q(remote_id=""))]


class BatchQuerySet(models.QuerySet["Batch"]):
    def left_behind(self, now: datetime) -> "BatchQuerySet":
        """Taken by a worker whose lease is over: the sweeper has not come by yet."""
        return self.filter(settled_at=None, lease_until__lt=now)

    def left_by(self, journal: uuid.UUID) -> "BatchQuerySet":
        """Not settled, of the worker that wrote this journal."""
        return self.filter(journal=journal, settled_at=None)

    def of_case_in_hand(self, incident_id: uuid.UUID) -> "BatchQuerySet":
        return self.filter(edition__notice__incident=incident_id, settled_at=None)

    def latest_first(self) -> "BatchQuerySet":
        return self.order_by("-opened_at")


class Batch(models.Model):
    """Deliveries leased to one worker together. Its id is their token; its lease is theirs.

    When the last of them is settled or given back, its root over the rows stands in one event of the trail.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="batches")
    epoch = models.PositiveIntegerField()
    route = models.PositiveSmallIntegerField(default=1, db_default=1)  # the way out its messages took: routes.py
    journal = models.UUIDField(null=True)  # where its worker notes each final dot and each answer: journal.py
    opened_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    rows_root = models.BinaryField(null=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["lease_until"], name="batch_in_hand", condition=Q(settled_at=None))]


class MailEvent(models.Model):
    """What a provider, a relay's log or an answering mail told us later.

    It never creates a delivery, resends, or moves a state back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40)
    source_id = models.CharField(max_length=200)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.PROTECT, related_name="mail_events")
    generation = models.PositiveSmallIntegerField(null=True)  # of the sending it is about, where it says so
    kind = models.CharField(max_length=20)
    enhanced = models.CharField(max_length=12, blank=True, db_default="")  # RFC 3463, as in 5.1.1
    at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    raw_sha256 = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="one_row_per_mail_event")]
        indexes = [models.Index(fields=["received_at"], name="mail_event_waiting", condition=Q(applied_at=None))]


class Pace(models.Model):
    """How much of an edition was let go so far, and when the next may: of all, or of one domain of addresses."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="paces")
    domain = models.BinaryField(default=b"")  # blind index; empty for all together
    free_at = models.DateTimeField()  # the theoretical time of arrival: pace.py
    taken = models.PositiveIntegerField(default=0)  # people, never less than really were
    queued_until = models.DateTimeField(null=True)  # of a domain: for when the last one put back is due
    in_hand = ArrayField(models.UUIDField(), default=list)  # of a domain: deliveries that workers were given
    wave = models.PositiveIntegerField(default=0)
    wave_at = models.DateTimeField(null=True)
    wave_ends_with = models.PositiveIntegerField(default=0)  # how many may be taken in all before the next wave
    canary_at = models.DateTimeField(null=True)  # when the first few were through and it paused by itself

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["edition", "domain"], name="one_pace_per_domain")]


class SendingEpoch(models.Model):
    """One row, and its number grows with every worker's start; a file outside the database knows it too: epochs.py."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveBigIntegerField(default=0)
    place = models.CharField(max_length=60, default="", blank=True)  # which database it was: cluster/database/timeline
    held_at = models.DateTimeField(null=True)  # since when nothing may be sent
    held_why = models.CharField(max_length=40, default="", blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_sending_epoch")]
