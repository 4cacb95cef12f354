"""Which colleague stands behind an id in the log, for an evidence bundle that may name people."""

from typing import Any
from uuid import UUID

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.audit.sections import section


@section("people_of_record")
def people_of_record(incident_id: UUID, *, private: bool) -> dict[str, Any] | None:
    if not private:
        return None
    acted = {event.content["actor"]["id"] for event in Event.objects.of_incident(incident_id).iterator()}
    users = User.objects.filter(pk__in=acted - {None}).order_by("pk").with_roles()
    return {"v": 1, "users": [{"id": str(user.pk), "name": user.name, "roles": user.roles} for user in users]}
