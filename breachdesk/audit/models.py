"""The trail's tables, named and shaped for outsiders. Nothing here is ever changed: only rows are added."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast

if TYPE_CHECKING:
    _BigInteger = models.BigIntegerField[int, int]
else:
    _BigInteger = models.BigIntegerField


class TransactionIdField(_BigInteger):
    """The database's own number of the transaction that made the row."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: str | int | None, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)


MACHINERY = (
    "key.created",
    "decision.asked",
    "decision.settled",
    "delivery.batch_settled",
    "delivery.swept",
    "mail_event.received",
    "incident.head",
    "heartbeat",
    "signing_key.made",
    "trail.verified",
)


class EventQuerySet(models.QuerySet["Event"]):
    def of_incident(self, incident: UUID) -> Self:
        return self.filter(incident=incident)

    def of_type(self, event: str) -> Self:
        return self.filter(type=event)

    def of_cases(self) -> Self:
        return self.filter(incident__isnull=False)

    def waiting_to_be_linked(self) -> Self:
        return self.filter(pk__in=Pending.objects.values("event_row"))

    def without_machinery(self) -> Self:
        """What people did, and what came of it; batches and sweeps only fill the page."""
        return self.exclude(type__in=MACHINERY)

    def of_types(self, types: Collection[str]) -> Self:
        return self.filter(type__in=types)

    def done_by(self, user: UUID | None) -> Self:
        """By one user, or by the product itself when None: read from the canonical bytes, whose keys are in order."""
        actor = f'"actor":{{"id":"{user}"' if user else '"actor":{"id":null'
        found = Func(Value(actor.encode()), F("body"), template="position(%(expressions)s)", arg_joiner=" IN ")
        return self.annotate(actor_at=Cast(found, models.IntegerField())).filter(actor_at__gt=0)

    def on_objects(self, ids: Collection[str]) -> Self:
        """Whose object is one of these: read from the canonical bytes, as above."""
        named = Q()
        for number, name in enumerate(sorted(ids)):
            found = Func(
                Value(f'"object":{{"id":"{name}"'.encode()),
                F("body"),
                template="position(%(expressions)s)",
                arg_joiner=" IN ",
            )
            self = self.alias(**{f"object_at_{number}": Cast(found, models.IntegerField())})
            named |= Q(**{f"object_at_{number}__gt": 0})
        return self.filter(named) if ids else self.none()

    def typed_before(self, newest: int, incidents: Collection[UUID | None], fields: Collection[str]) -> Self:
        """The latest two thousand events before `newest` that hold a typed value of one of these fields."""
        of_these = Q(incident__in=[incident for incident in incidents if incident])
        if None in incidents:
            of_these |= Q(incident=None)
        typed = PrivateValue.objects.filter(field__in=fields).values("event_id")
        return self.filter(of_these, pk__lt=newest, event_id__in=typed).newest_first()[:2000]

    def between(self, start: datetime | None, end: datetime | None) -> Self:
        """From `start`, up to but without `end`."""
        found = self.filter(at__gte=start) if start else self
        return found.filter(at__lt=end) if end else found

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def oldest_first(self) -> Self:
        return self.order_by("id")


class Event(models.Model):
    """What somebody did, as the canonical bytes that were hashed. The columns beside it repeat it for look-up."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    type = models.TextField()
    incident = models.UUIDField(null=True)
    body = models.BinaryField()
    body_sha256 = models.BinaryField()
    xact = TransactionIdField(db_default=Func(function="pg_current_xact_id"), editable=False)
    at = models.DateTimeField()
    # What the body says was changed: "app.model/<id>/<version>", or "<table>/<batch>" for many rows at once. The guards
    # (migrations/0003_guards.py) look here.
    names = models.GeneratedField(
        expression=Func(F("body"), function="audit_names_of"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "audit_event"
        default_permissions = ()
        permissions = [("view_trail", "Can read the audit trail"), ("export_bundle", "Can export evidence bundles")]
        indexes = [
            models.Index(
                fields=["incident", "id"], name="audit_event_of_incident", condition=Q(incident__isnull=False)
            ),
            models.Index(fields=["type", "id"], name="audit_event_of_type"),
            models.Index(fields=["xact"], name="audit_event_of_transaction"),
        ]

    @property
    def content(self) -> dict[str, Any]:
        """For showing. Whether the bytes are what was hashed is verify_audit's question."""
        return dict(json.loads(bytes(self.body)))


class PrivateValue(models.Model):
    """What a human typed, or what names a person: sealed here, and only its commitment is in the event."""

    pk = models.CompositePrimaryKey("event_id", "field")
    event = models.ForeignKey(Event, models.PROTECT, to_field="event_id", related_name="private_values", db_index=False)
    field = models.TextField()
    salt = models.BinaryField()
    value_enc = models.BinaryField()

    class Meta:
        db_table = "audit_private"
        default_permissions = ()
        permissions = [("erase_values", "Can erase sealed values")]


class Pending(models.Model):
    """Events that are not linked into the log yet. A trigger fills it; the sequencer empties it."""

    event_row = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "audit_pending"
        default_permissions = ()


class Entry(models.Model):
    """One leaf of the log: position, time of linking and the hash of an event's body. Holds no personal data."""

    idx = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    entry = models.BinaryField()
    leaf = models.BinaryField(unique=True)
    incident = models.UUIDField(null=True)
    inc_n = models.BigIntegerField(null=True)

    class Meta:
        db_table = "audit_entry"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="audit_entry_idx_from_zero", condition=Q(idx__gte=0)),
            models.UniqueConstraint(fields=["incident", "inc_n"], name="audit_entry_once_in_incident"),
            models.CheckConstraint(
                name="audit_entry_incident_has_number",
                condition=Q(incident__isnull=True, inc_n__isnull=True)
                | Q(incident__isnull=False, inc_n__isnull=False, inc_n__gte=1),
            ),
        ]


class Node(models.Model):
    """The root of one complete subtree of 2**level leaves, from level 1 up. Leaves are in Entry."""

    pk = models.CompositePrimaryKey("level", "pos")
    level = models.SmallIntegerField()
    pos = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_node"
        default_permissions = ()


class Checkpoint(models.Model):
    """A signed statement of the tree's size and root."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "audit_checkpoint"
        default_permissions = ()
        constraints = [models.CheckConstraint(name="audit_checkpoint_not_empty", condition=Q(size__gt=0))]


class AnchorQuerySet(models.QuerySet["Anchor"]):
    def of(self, kind: str, target: str) -> Self:
        return self.filter(kind=kind, target=target)

    def outside(self) -> Self:
        """The DPO's own copy is kept inside the organisation."""
        return self.exclude(target="dpo")

    def newest_first(self) -> Self:
        return self.order_by("-id")


class Anchor(models.Model):
    """One attempt to leave a checkpoint with somebody outside, and their receipt.

    `target` is a stamping authority's address, or for mail who got it without the address itself: this row stays for
    ever. `answer` says in a sentence what came of it.
    """

    id = models.BigAutoField(primary_key=True)
    size = models.BigIntegerField()
    kind = models.TextField()
    target = models.TextField()
    receipt = models.BinaryField(null=True)
    ok = models.BooleanField()
    at = models.DateTimeField()
    answer = models.TextField(db_default="")

    objects = AnchorQuerySet.as_manager()

    class Meta:
        db_table = "audit_anchor"
        default_permissions = ()
        indexes = [models.Index(fields=["kind", "target", "-id"], name="audit_anchor_of_target")]
