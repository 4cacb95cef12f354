"""ROLES in the database: one group per role, holding just its permissions."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field

from django.contrib.auth.models import Group, Permission

from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import ROLES, Role


@dataclass
class Written:
    """What was changed, as "+role", "role+app.codename" and the same with a minus, and which rows stand for it."""

    changes: list[str] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    holders: list[User] = field(default_factory=list)


def write_roles() -> Written:
    """Running it again changes nothing. Raises LookupError for a permission that no model declares."""
    known = {f"{p.content_type.app_label}.{p.codename}": p for p in Permission.objects.select_related("content_type")}
    written = Written()
    for name, role in ROLES.items():
        if unknown := role.permissions - known.keys():
            raise LookupError(f"{name} names {', '.join(sorted(unknown))}, which no model declares. Run migrate first.")
        group, is_new = Group.objects.get_or_create(name=name)
        changes = [f"+{name}"] * is_new + _write_permissions(group, {known[key]: key for key in role.permissions})
        written.changes += changes
        written.groups += [group] * bool(changes)
    _remove_others(written)
    return written


def _write_permissions(group: Group, wanted: dict[Permission, str]) -> list[str]:
    held = {p: f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")}
    added = sorted(f"{group.name}+{wanted[p]}" for p in wanted.keys() - held.keys())
    removed = sorted(f"{group.name}-{held[p]}" for p in held.keys() - wanted.keys())
    if added or removed:
        group.permissions.set(wanted)
    return added + removed


def _remove_others(written: Written) -> None:
    """Whoever held one of them has lost a right, so their row gets a new version too."""
    gone = list(Group.objects.exclude(name__in=ROLES).order_by("name"))
    written.holders += User.objects.holding(gone).select_for_update()
    for holder in written.holders:
        holder.version += 1
        holder.save(update_fields=["version"])
    for group in gone:
        written.groups.append(copy(group))  # deleting takes the id from the object itself
        group.delete()
    written.changes += [f"-{group.name}" for group in gone]


def roles_nobody_holds(colleagues: Iterable[User]) -> list[Role]:
    held = {role for colleague in colleagues for role in colleague.roles}
    return [role for name, role in ROLES.items() if name not in held]


def labels_of(roles: Iterable[str]) -> list[str]:
    return [ROLES[role].label for role in roles if role in ROLES]
