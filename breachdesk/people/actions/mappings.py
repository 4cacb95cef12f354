"""How the columns of one source are read, kept under a name for its next file."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.models import ColumnMapping
from breachdesk.people.reading.plan import Plan

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

LONGEST_NAME = 80


@action("people.load_people")
def save_mapping(name: str, plan: Plan, *, by: "User") -> ColumnMapping:
    """Keeps the stored columns under `name`; what was kept under it before gives way.

    It stands in the clear and outlives the incident, so a plan whose headings look like somebody's data is refused.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise ValidationError({"keep_as": f"Give it a name of up to {LONGEST_NAME} letters: that of the source."})
    plan.check()
    if problem := plan.why_not_kept():
        raise ValidationError({"keep_as": problem})
    mapping = ColumnMapping.objects.locked(name) or ColumnMapping(name=name, version=0)
    mapping.plan, mapping.saved_by, mapping.saved_at = plan.to_keep().as_json(), by, timezone.now()
    mapping.version += 1
    _save(mapping)
    record("mapping.saved", by=by, on=mapping, private={"name": name}, columns=plan.stored)
    return mapping


def _save(mapping: ColumnMapping) -> None:
    """A name that is new to two colleagues at once cannot be locked by either; the second is told."""
    try:
        with transaction.atomic():
            mapping.save()
    except IntegrityError:
        raise ValidationError(
            {"keep_as": "A colleague has kept other choices under this name just now. Press again to replace them."}
        ) from None


@action("people.load_people")
def remove_mapping(mapping: ColumnMapping, *, by: "User") -> None:
    """Files that were read by it stay as they are."""
    kept = ColumnMapping.objects.locked(mapping.name)
    if kept is None:
        raise ValidationError("A colleague has removed it meanwhile.")
    pk = kept.pk
    kept.delete()
    kept.pk = pk
    record("mapping.removed", by=by, on=kept, private={"name": kept.name})
