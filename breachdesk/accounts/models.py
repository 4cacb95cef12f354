import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

TRY_AGAIN_AFTER = timedelta(seconds=50)


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> "UserQuerySet":
        return self.filter(is_active=True)

    def who_may(self, permission: str) -> "UserQuerySet":
        app, codename = permission.split(".")
        return (
            self.active()
            .filter(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app)
            .distinct()
        )

    def by_name(self) -> "UserQuerySet":
        return self.order_by("name", "email")

    def with_roles(self) -> "UserQuerySet":
        return self.prefetch_related("groups").select_related("deputy")

    def holding(self, groups: Iterable[Group]) -> "UserQuerySet":
        return self.filter(pk__in=User.objects.filter(groups__in=groups).values("pk"))

    def able_to_stand_in_for(self, user: "User") -> "UserQuerySet":
        """Colleagues who hold every role this user holds."""
        fit = self.active().exclude(pk=user.pk)
        for group in user.groups.all():
            fit = fit.filter(groups=group)
        return fit

    def who_can_administer(self) -> "UserQuerySet":
        """Who could let a colleague in again: has the right, and has a password to sign in with."""
        return self.who_may("accounts.manage_staff").exclude(joined_at=None)


class _UserManager(BaseUserManager["User"]):
    """What Django's sign-in asks of a manager; everything else is in the queryset."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A colleague. Rights come from roles alone; nobody is a superuser."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120)
    zone = models.CharField(max_length=64, default="Europe/London")
    deputy = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="stands_in_for")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    # Not kept: says in a sentence why the relay did not take the e-mail that the last action sent to this user.
    mail_problem: str = ""

    objects = _UserManager.from_queryset(UserQuerySet)()

    class Meta:
        default_permissions = ()
        permissions = [("manage_staff", "Invite, change and remove colleagues")]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_user_per_email"),
            models.CheckConstraint(condition=~models.Q(deputy=models.F("id")), name="deputy_is_somebody_else"),
            models.CheckConstraint(condition=models.Q(is_superuser=False), name="nobody_is_superuser"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("staff-detail", args=[self.pk])

    @property
    def roles(self) -> list[str]:
        """The keys of ROLES this user holds."""
        return sorted(group.name for group in self.groups.all())


# What is needed, and why. Shown on the settings page; read by forms, notices and checks.
NEEDED = {
    "legal_name": ("The legal name", "every filing and every notice says who is responsible"),
    "short_name": ("The short name", "it is what people know us by, and what they see first"),
    "address": ("The postal address", "regulators' forms ask for it, and letters carry it"),
    "ico_registration": ("The ICO registration number", "the ICO's form asks for it"),
    "dpo_name": ("The data protection officer", "a notice must name a contact (GDPR Article 34(2))"),
    "dpo_email": ("The data protection officer's e-mail address", "regulators and customers write to it"),
    "dpo_phone": ("The data protection officer's phone number", "the ICO calls back"),
    "sender_name": ("The sender's name", "without it nothing can be sent to customers"),
    "sender_email": ("The sender's address", "without it nothing can be sent to customers"),
    "reply_to": ("The address for answers", "without it customers' answers go nowhere"),
    "hotline": ("The hotline", "whoever distrusts the e-mail needs a number to call"),
    "website": ("The website", "a notice sends people to an address they can type themselves"),
    "allowed_links": ("The domains that notices may link to", "until then a notice can hold no link"),
    "languages": ("The languages we write in", "they decide which editions a notice needs"),
}


@dataclass(frozen=True)
class Gap:
    field: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}."


class Organisation(models.Model):
    """The one organisation that works in this installation; every form, notice and check reads it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    only = models.BooleanField(default=True, editable=False, unique=True)
    legal_name = models.CharField(max_length=200)
    short_name = models.CharField(max_length=60)
    address = models.TextField(blank=True)
    sector = models.CharField(max_length=120, blank=True)
    company_number = models.CharField(max_length=60, blank=True)
    ico_registration = models.CharField(max_length=20, blank=True)
    zone = models.CharField(max_length=64, default="Europe/London")
    dpo_name = models.CharField(max_length=120, blank=True)
    dpo_email = models.EmailField(blank=True)
    dpo_phone = models.CharField(max_length=40, blank=True)
    sender_name = models.CharField(max_length=120, blank=True)
    sender_email = models.EmailField(blank=True)
    reply_to = models.EmailField(blank=True)
    hotline = models.CharField(max_length=120, blank=True)
    website = models.URLField(blank=True)
    allowed_links = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    languages = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    deputy_after = models.DurationField(default=timedelta(hours=2))
    approvers_needed = models.PositiveSmallIntegerField(default=1, choices=[(1, "One"), (2, "Two")])
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        permissions = [
            ("change_organisation", "Change what is said about the organisation"),
            ("view_status", "See how the installation is running"),
        ]
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="one_organisation")]

    def __str__(self) -> str:
        return self.short_name

    @classmethod
    def current(cls) -> "Organisation":
        """The one row, or a blank one that is not in the database yet."""
        return cls.objects.first() or cls()

    @property
    def is_known(self) -> bool:
        return not self._state.adding

    def gaps(self) -> list[Gap]:
        return [Gap(field, what, why) for field, (what, why) in NEEDED.items() if not getattr(self, field)]

    def missing(self) -> list[str]:
        """One sentence for each thing that is not known yet, with the reason it is needed."""
        return [str(gap) for gap in self.gaps()]


class OrganisationAuthor(models.Model):
    """Who changed what is said about the organisation, and with it what stands in every message, and when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="authors")
    author = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["author", "at"], name="organisation_by_author")]


class PendingDecisionQuerySet(models.QuerySet["PendingDecision"]):
    def open(self) -> "PendingDecisionQuerySet":
        return self.filter(settled_at=None)

    def about(self, obj: models.Model) -> "PendingDecisionQuerySet":
        return self.filter(object_kind=obj._meta.label_lower, object_id=obj.pk)

    def oldest_first(self) -> "PendingDecisionQuerySet":
        return self.order_by("asked_at")

    def due_for_deputies(self, moment: datetime, after: timedelta) -> "PendingDecisionQuerySet":
        return self.open().filter(deputies_asked_at=None, asked_at__lte=moment - after)

    def untold(self, moment: datetime) -> "PendingDecisionQuerySet":
        """Open ones whose e-mail has not gone out, unless somebody is at it just now."""
        owed = Q(told_at=None) | Q(deputies_asked_at__isnull=False, deputies_told_at=None)
        return self.open().filter(owed).filter(Q(tried_at=None) | Q(tried_at__lte=moment - TRY_AGAIN_AFTER))


class PendingDecision(models.Model):
    """Somebody must approve, sign off or decide. Those who may are told by e-mail, their deputies after a while."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    permission = models.CharField(max_length=80)
    object_kind = models.CharField(max_length=80)
    object_id = models.UUIDField()
    incident_id = models.UUIDField(null=True)
    sentence = models.CharField(max_length=300)
    url = models.CharField(max_length=300)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    excluded = models.ManyToManyField(User, related_name="+")
    asked_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    deputies_asked_at = models.DateTimeField(null=True)
    deputies_told_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = PendingDecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["object_kind", "object_id", "permission"],
                condition=models.Q(settled_at=None),
                name="one_open_decision_per_object",
            )
        ]

    def __str__(self) -> str:
        return self.sentence

    def who_may(self) -> UserQuerySet:
        """Whoever holds the right and was not excluded, as its author is."""
        return User.objects.who_may(self.permission).exclude(pk__in=self.excluded.values("pk"))

    def deputies(self) -> UserQuerySet:
        return (
            User.objects.active()
            .filter(stands_in_for__in=self.who_may())
            .exclude(pk__in=self.excluded.values("pk"))
            .distinct()
        )
