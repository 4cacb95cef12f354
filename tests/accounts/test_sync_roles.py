"""The table ROLES and the database say the same, whatever either said before."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event

pytestmark = pytest.mark.django_db


def sync() -> str:
    out = StringIO()
    call_command("sync_roles", stdout=out)
    return out.getvalue()


def held_by(role: str) -> set[str]:
    permissions = Permission.objects.filter(group__name=role).select_related("content_type")
    return {f"{p.content_type.app_label}.{p.codename}" for p in permissions}


def test_the_database_holds_just_the_table() -> None:
    assert "+responder" in sync()
    assert {group.name: held_by(group.name) for group in Group.objects.all()} == {
        name: set(role.permissions) for name, role in ROLES.items()
    }


def test_running_it_again_changes_nothing() -> None:
    sync()
    assert sync() == "The roles in the database are those of ROLES.\n"
    assert Event.objects.filter(type="roles.synced").count() == 1


def test_it_takes_away_what_the_table_no_longer_has() -> None:
    sync()
    Group.objects.create(name="intern")
    Group.objects.get(name="auditor").permissions.add(Permission.objects.get(codename="manage_staff"))
    assert sync().split() == ["auditor-accounts.manage_staff", "-intern"]
    assert held_by("auditor") == ROLES["auditor"].permissions
    assert not Group.objects.filter(name="intern").exists()
