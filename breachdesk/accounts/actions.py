"""Everything that changes staff accounts, roles and what is said about the organisation."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from breachdesk.accounts.mail_check import MailCheck, check_mail_setup
from breachdesk.accounts.models import Organisation, OrganisationAuthor, User
from breachdesk.accounts.permissions import OPERATOR, OWN_ACCOUNT, ROLES, action
from breachdesk.accounts.roles import write_roles
from breachdesk.accounts.staff_mail import password_link, post_on_commit
from breachdesk.accounts.ways_in import close_ways_in
from breachdesk.audit.record import record

ADMINISTRATOR = "administrator"
STALE = "Somebody changed this while your page was open. Look at it again; nothing was changed."


@action(OPERATOR)
def sync_roles(*, by: User | None) -> list[str]:
    """Says what it changed; running it again changes nothing."""
    written = write_roles()
    if written.changes:
        record("roles.synced", by=by, also=[*written.groups, *written.holders], changes=written.changes)
    return written.changes


@action("accounts.manage_staff")
def invite_user(*, email: str, name: str, roles: Collection[str], by: User, zone: str = "") -> User:
    """Sends the colleague a link to choose a password. Until then nobody can sign in with the account."""
    _refuse_unknown_roles(roles)
    return _make_user(email=email, name=name, roles=roles, zone=zone, by=by)


@action(OPERATOR)
def appoint_administrator(*, email: str, name: str, by: User | None) -> User:
    """The first administrator, or another one when none can sign in any more; for whoever runs commands here."""
    user = User.objects.select_for_update().filter(email=email.strip().lower()).first()
    if user is None:
        return _make_user(email=email, name=name, roles=[ADMINISTRATOR], zone="", by=by)
    user.is_active = True
    user.version += 1
    user.save(update_fields=["is_active", "version"])
    before = user.roles
    user.groups.add(_groups([ADMINISTRATOR])[0])
    record("user.roles_changed", by=by, on=user, roles=sorted({*before, ADMINISTRATOR}), before=before)
    return user


def _make_user(*, email: str, name: str, roles: Collection[str], zone: str, by: User | None) -> User:
    email, groups = email.strip().lower(), _groups(roles)
    if known := User.objects.select_for_update().filter(email__iexact=email).first():
        _refuse_known(known)
    zone = zone or Organisation.current().zone
    user = User.objects.create_user(email, name=name.strip(), zone=zone)
    user.groups.set(groups)
    record("user.invited", by=by, on=user, roles=sorted(roles), private={"name": user.name, "email": user.email})
    post_on_commit(user, "invitation", {"by": by, "link": password_link(user), "organisation": Organisation.current()})
    return user


def _refuse_known(known: User) -> None:
    if known.is_active:
        raise ValidationError(f"{known.name} already has an account with this address. Nothing was changed.")
    raise ValidationError(f"{known.name} was removed and had this address. Let them in again on their own page.")


def _groups(roles: Collection[str]) -> list[Group]:
    """Locked, so that two people who take the last rights away do it one after the other."""
    return list(Group.objects.select_for_update().filter(name__in=roles).order_by("name"))


def _refuse_unknown_roles(roles: Collection[str]) -> None:
    if not roles:
        raise ValidationError("Choose at least one role: without one a colleague can see and do nothing.")
    if unknown := set(roles) - ROLES.keys():
        raise ValidationError(f"There is no role {' or '.join(sorted(unknown))}. Nothing was changed.")


@action("accounts.manage_staff")
def reset_user(user: User, *, by: User, version: int | None = None) -> User:
    """The old password, every session and whatever else lets them in end now; a link for a new password goes out.

    Repeats an invitation.
    """
    user = _locked(user, version)
    _refuse_removed(user)
    user.set_unusable_password()
    user.version += 1
    user.save(update_fields=["password", "version"])
    record("user.reset", by=by, on=user)
    close_ways_in(user, by=by)
    template = "reset" if user.joined_at else "invitation"
    post_on_commit(user, template, {"by": by, "link": password_link(user), "organisation": Organisation.current()})
    return user


@action("accounts.manage_staff")
def set_roles(user: User, *, roles: Collection[str], by: User, version: int | None = None) -> User:
    _refuse_unknown_roles(roles)
    _groups([ADMINISTRATOR])
    user = _locked(user, version)
    _refuse_removed(user)
    before = user.roles
    if set(before) == set(roles):
        raise ValidationError(f"{user.name} already has just these roles. Nothing was changed.")
    if ADMINISTRATOR not in roles:
        _refuse_last_administrator(user)
    user.version += 1
    user.save(update_fields=["version"])
    user.groups.set(Group.objects.filter(name__in=roles))
    record("user.roles_changed", by=by, on=user, roles=sorted(roles), before=before)
    return user


@action("accounts.manage_staff")
def remove_user(user: User, *, reason: str, by: User, version: int | None = None) -> User:
    """Ends every session at its next request and takes the right to sign in; what they did stays under their name."""
    if not reason.strip():
        raise ValidationError("Say why: the trail keeps the reason.")
    _groups([ADMINISTRATOR])
    user = _locked(user, version)
    if not user.is_active:
        raise ValidationError(f"{user.name} was removed already. Nothing was changed.")
    _refuse_last_administrator(user)
    user.is_active = False
    # A session carries a hash of the password: with a new one no old session comes back, even if the account does.
    user.set_unusable_password()
    user.version += 1
    user.save(update_fields=["is_active", "password", "version"])
    record("user.removed", by=by, on=user, private={"reason": reason})
    close_ways_in(user, by=by)
    return user


@action("accounts.manage_staff")
def readmit_user(user: User, *, by: User, version: int | None = None) -> User:
    """Lets a removed colleague in again, with the roles they had, by a new link."""
    user = _locked(user, version)
    if user.is_active:
        raise ValidationError(f"{user.name} has not been removed. Nothing was changed.")
    user.is_active = True
    user.version += 1
    user.save(update_fields=["is_active", "version"])
    record("user.readmitted", by=by, on=user, roles=user.roles)
    post_on_commit(user, "reset", {"by": by, "link": password_link(user), "organisation": Organisation.current()})
    return user


@action("accounts.manage_staff")
def set_deputy(user: User, *, deputy: User | None, by: User, version: int | None = None) -> User:
    user = _locked(user, version)
    _refuse_removed(user)
    if deputy:
        _refuse_unfit_deputy(user, deputy)
    if user.deputy_id == (deputy.pk if deputy else None):
        raise ValidationError("That is the deputy already. Nothing was changed.")
    user.deputy = deputy
    user.version += 1
    user.save(update_fields=["deputy", "version"])
    record("user.changed", by=by, on=user, fields=["deputy"], deputy=deputy.pk if deputy else None)
    return user


def _refuse_unfit_deputy(user: User, deputy: User) -> None:
    if deputy.pk == user.pk:
        raise ValidationError("Nobody can be their own deputy.")
    if not deputy.is_active:
        raise ValidationError(f"{deputy.name} was removed and cannot stand in.")
    if lacking := set(user.roles) - set(deputy.roles):
        labels = " and ".join(ROLES[role].label for role in sorted(lacking))
        raise ValidationError(f"{deputy.name} could not decide: they lack the role {labels}. Give it to them first.")


@action(OWN_ACCOUNT)
def join(user: User, *, password: str, by: User) -> User:
    """Accepts the invitation by choosing the first password."""
    return _set_password(user, password, "user.joined", by)


@action(OWN_ACCOUNT)
def change_password(user: User, *, password: str, by: User) -> User:
    """Every session of this user ends, on whatever device."""
    return _set_password(user, password, "user.password_changed", by)


def _set_password(user: User, password: str, event: str, by: User) -> User:
    if by.pk != user.pk:
        raise ValidationError("Only the owner of an account chooses its password.")
    locked = _locked(user, None)
    _refuse_removed(locked)
    locked.set_password(password)
    locked.joined_at = locked.joined_at or timezone.now()
    locked.version += 1
    locked.save(update_fields=["password", "joined_at", "version"])
    record(event, by=locked, on=locked)
    # The caller's object goes on being used by the sign-in: it must carry the new password's hash.
    user.password, user.joined_at, user.version = locked.password, locked.joined_at, locked.version
    return locked


@action(OWN_ACCOUNT)
def note_sign_in(user: User, *, by: User) -> None:
    record("user.signed_in", by=by, on=user)


@action("accounts.change_organisation")
def change_organisation(*, by: User, version: int | None = None, **answers: Any) -> Organisation:
    """Makes the organisation at the first call. Only what differs is written and recorded."""
    organisation = Organisation.objects.select_for_update().first() or Organisation(version=0)
    if version is not None and version != organisation.version:
        raise ValidationError(STALE)
    changed = {name: value for name, value in answers.items() if getattr(organisation, name) != value}
    if not changed:
        raise ValidationError("Nothing differs from what was known. Nothing was changed.")
    for name, value in changed.items():
        setattr(organisation, name, value)
    organisation.full_clean(validate_unique=False, validate_constraints=False)
    organisation.version += 1
    organisation.save()
    OrganisationAuthor.objects.create(organisation=organisation, author=by, at=timezone.now())
    record("organisation.changed", by=by, on=organisation, fields=sorted(changed), private=_in_words(changed))
    return organisation


def _in_words(answers: Mapping[str, Any]) -> dict[str, str]:
    return {name: _as_text(value) for name, value in answers.items()}


def _as_text(value: Any) -> str:
    match value:
        case list():
            return ", ".join(value)
        case timedelta():
            return f"{value.total_seconds() / 3600:g} hours"
        case _:
            return str(value)


@action("accounts.change_organisation", atomic=False)
def try_mail_setup(*, by: User) -> MailCheck:
    """Sends one message to `by` and returns what the relay answered, step by step."""
    sender = Organisation.current().sender_email or settings.DEFAULT_FROM_EMAIL
    check = check_mail_setup(sender=sender, to=by.email)
    with transaction.atomic():
        record(
            "organisation.mail_tested",
            by=by,
            outcome="taken" if check.taken else "refused",
            code=check.code,
            private={"answer": check.answer},
        )
    return check


def _locked(user: User, version: int | None) -> User:
    """The row as it is now, ours until the end of the transaction; refused if the page showed an older one."""
    locked = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if version is not None and version != locked.version:
        raise ValidationError(STALE)
    return locked


def _refuse_removed(user: User) -> None:
    if not user.is_active:
        raise ValidationError(f"{user.name} was removed. Let them in again first; nothing was changed.")


def _refuse_last_administrator(user: User) -> None:
    if ADMINISTRATOR in user.roles and not User.objects.who_can_administer().exclude(pk=user.pk).exists():
        raise ValidationError(
            f"{user.name} is the only administrator who can sign in. Make somebody else administrator first."
        )
