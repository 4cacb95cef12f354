"""The table ROLES and the database say the same, whatever either said before."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from tests.factories import make_user, unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unwritten(db: None) -> None:
    with unguarded():
        Group.objects.all().delete()


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


@pytest.mark.django_db(transaction=True)
def test_whoever_held_a_role_that_is_gone_is_named_in_the_event() -> None:
    sync()
    user = make_user("auditor")
    with unguarded():
        group = Group.objects.create(name="intern")
        user.groups.add(group)
    sync()
    assert User.objects.get(pk=user.pk).roles == ["auditor"]
    names = Event.objects.of_type("roles.synced").newest_first()[0].names
    assert names == [f"accounts.user/{user.pk}/2", f"auth.group/{group.pk}/0"]
