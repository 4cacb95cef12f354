"""What each role may do, in one table, and the two decorators that hold it."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from breachdesk.accounts.models import User

P = ParamSpec("P")
R = TypeVar("R")
Q = TypeVar("Q", bound=HttpRequest)

# Two kinds of action need no role: what everybody does with their own account, and what whoever runs commands on the
# server does, who could change the database anyway.
OWN_ACCOUNT = "own account"
OPERATOR = "operator"


@dataclass(frozen=True)
class Role:
    label: str
    purpose: str
    permissions: frozenset[str]


READS = frozenset(
    {
        "audit.view_trail",
        "incidents.view_incident",
        "people.view_counts",
        "notifications.view_notice",
        "regulators.view_filing",
    }
)

ROLES: dict[str, Role] = {
    "responder": Role(
        "Incident responder",
        "Logs what happened, loads the affected people, answers those who call.",
        READS
        | {
            "incidents.open_incident",
            "incidents.change_facts",
            "incidents.assess_risk",
            "people.load_people",
            "people.state_count",
            "people.reveal_person",
            "notifications.answer_callers",
            "notifications.comment_edition",
            "notifications.break_glass",
            "regulators.state_fact",
        },
    ),
    "author": Role(
        "Comms author",
        "Writes notices; never approves them.",
        READS
        | {
            "notifications.write_notice",
            "notifications.comment_edition",
            "notifications.test_edition",
            "people.reveal_person",
        },
    ),
    "approver": Role(
        "Comms approver",
        "Approves what somebody else wrote, and sends it.",
        READS
        | {
            "notifications.approve_edition",
            "notifications.comment_edition",
            "notifications.test_edition",
            "notifications.send_edition",
            "notifications.pause_edition",
            "notifications.resend_unknown",
            "notifications.close_unknown",
            "notifications.unblock_delivery",
            "notifications.print_letters",
            "people.approve_export",
            "incidents.confirm_destruction",
            "people.reveal_person",
        },
    ),
    "dpo": Role(
        "Data protection officer",
        "Answers for the facts, files with regulators, may stop any send.",
        READS
        | {
            "audit.erase_values",
            "audit.export_bundle",
            "incidents.open_incident",
            "incidents.change_facts",
            "incidents.close_incident",
            "incidents.assess_risk",
            "incidents.decide_notification",
            "incidents.set_retention",
            "incidents.ask_destruction",
            "incidents.confirm_destruction",
            "incidents.ask_index",
            "people.approve_export",
            "people.export_people",
            "people.hold_person",
            "people.state_count",
            "people.reveal_person",
            "notifications.answer_callers",
            "notifications.comment_edition",
            "notifications.break_glass",
            "notifications.pause_edition",
            "notifications.resend_unknown",
            "notifications.close_unknown",
            "notifications.print_letters",
            "regulators.write_filing",
            "regulators.sign_off_filing",
            "regulators.record_submission",
            "regulators.state_fact",
            "regulators.state_position",
            "regulators.meet_duty",
        },
    ),
    "auditor": Role(
        "Auditor",
        "Reads everything with personal data masked, changes nothing.",
        READS | {"audit.export_bundle"},
    ),
    "administrator": Role(
        "Administrator",
        "Staff accounts and settings; no case, no affected person.",
        frozenset({"accounts.manage_staff", "accounts.change_organisation", "accounts.view_status"}),
    ),
}


def roles_that_may(permission: str) -> str:
    labels = [role.label for role in ROLES.values() if permission in role.permissions]
    return " or ".join(labels) or "nobody"


def demand(user: User, permission: str) -> None:
    """Raises PermissionDenied, naming the role that may, unless `user` holds the permission."""
    if not user.is_active or not user.has_perm(permission):
        raise PermissionDenied(f"This needs the role {roles_that_may(permission)}. Nothing was changed.")


def demand_now(user: User | None, permission: str) -> None:
    """As demand(), but asks the database: a right that was taken away a second ago is gone."""
    if permission in (OWN_ACCOUNT, OPERATOR):
        return
    if user is None or not User.objects.who_may(permission).filter(pk=user.pk).exists():
        raise PermissionDenied(f"This needs the role {roles_that_may(permission)}. Nothing was changed.")


class StaffRequest(HttpRequest):
    """A request as every view behind @requires gets it: from one of us."""

    user: User


def requires(
    permission: str,
) -> Callable[[Callable[Concatenate[Q, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """A view's permission. A structure test finds every view that has none."""

    def guard(
        view: Callable[Concatenate[Q, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            assert isinstance(request.user, User)  # LoginRequiredMiddleware has turned strangers away
            demand(request.user, permission)
            return view(cast(Q, request), *args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def action(permission: str, *, atomic: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """An action: one transaction, open only to a `by` who holds the permission, wherever the call comes from.

    atomic=False is for an action that talks to another machine first: it opens its transaction itself, afterwards.
    """

    def guard(change: Callable[P, R]) -> Callable[P, R]:
        @wraps(change)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with transaction.atomic() if atomic else nullcontext():
                demand_now(kwargs["by"], permission)  # type: ignore[arg-type]
                return change(*args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard
