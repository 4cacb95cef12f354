import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower


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


class PendingDecisionQuerySet(models.QuerySet["PendingDecision"]):
    def open(self) -> "PendingDecisionQuerySet":
        return self.filter(settled_at=None)

    def about(self, obj: models.Model) -> "PendingDecisionQuerySet":
        return self.filter(object_kind=obj._meta.label_lower, object_id=obj.pk)


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
    deputies_asked_at = models.DateTimeField(null=True)
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
