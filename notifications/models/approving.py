"""Who wrote, looked at, said yes to or took the responsibility for what of a notice."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from notifications.models.notices import Edition, Notice


class NoticeAuthor(models.Model):
    """Everyone who changed whom a notice is for; none of them may approve an edition of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="authors")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["notice", "author"], name="one_row_per_notice_author")]


class EditionAuthor(models.Model):
    """Everyone who changed a character of an edition; none of them may approve it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="authors")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["edition", "author"], name="one_row_per_author")]


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def in_force(self) -> "ApprovalQuerySet":
        return self.filter(voided_at=None)

    def of_wording(self, edition: Edition) -> "ApprovalQuerySet":
        """Of any revision of its notice in its language whose words were kept with the approval."""
        return self.filter(edition__notice=edition.notice_id, edition__language=edition.language).exclude(body="")

    def latest_first(self) -> "ApprovalQuerySet":
        return self.select_related("approver", "edition").order_by("-approved_at")


class Approval(models.Model):
    """One person said yes to exactly one digest. A trigger refuses every author of the edition.

    A change of what was approved voids it for good: approving the same words again is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="approvals")
    digest = models.BinaryField()
    subject = models.CharField(max_length=160, blank=True)  # the words that were approved, to compare later ones with
    body = models.TextField(max_length=20_000, blank=True)
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "approver"], condition=Q(voided_at=None), name="one_approval_per_approver"
            )
        ]


class OverrideQuerySet(models.QuerySet["Override"]):
    def in_force(self) -> "OverrideQuerySet":
        return self.filter(voided_at=None)


class Override(models.Model):
    """A failing check that somebody who wrote none of the text took the responsibility for, in writing.

    It holds for exactly these words: a change of the text voids it for good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="overrides")
    check_key = models.CharField(max_length=200)
    sentence = models.CharField(max_length=600)
    reason = models.TextField(max_length=1000)
    text_sha256 = models.BinaryField()
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["given_at", "check_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "check_key"], condition=Q(voided_at=None), name="one_override_per_check"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="an_override_has_a_reason"),
        ]


class OpeningQuerySet(models.QuerySet["Opening"]):
    def in_order(self) -> "OpeningQuerySet":
        return self.order_by("opened_at", "pk")


class Opening(models.Model):
    """One colleague opened one of the renderings that must be seen before a yes to exactly this digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="openings")
    digest = models.BinaryField()
    rendering = models.CharField(max_length=400)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = OpeningQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "digest", "rendering", "opened_by"], name="one_opening_per_rendering"
            )
        ]


class CommentQuerySet(models.QuerySet["Comment"]):
    def open(self) -> "CommentQuerySet":
        return self.filter(settled_at=None)

    def oldest_first(self) -> "CommentQuerySet":
        return self.select_related("made_by", "settled_by").order_by("made_at", "pk")


class Comment(models.Model):
    """What somebody says of one paragraph of an edition, beside the words it is about."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="comments")
    quote = models.TextField(max_length=2000)  # the paragraph, as it stood
    text = models.TextField(max_length=2000)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = CommentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="a_comment_has_words")]


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    def in_force(self) -> "BreakGlassQuerySet":
        return self.filter(voided_at=None)


class BreakGlass(models.Model):
    """One of two colleagues who take it on themselves, in writing, that one approval is enough for exactly this."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="broken_glass")
    digest = models.BinaryField()
    reason = models.TextField(max_length=1000)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "given_by"], condition=Q(voided_at=None), name="one_break_glass_each"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="broken_glass_has_a_reason"),
        ]


class AmendmentQuerySet(models.QuerySet["Amendment"]):
    def waiting(self) -> "AmendmentQuerySet":
        return self.filter(approved_at=None, voided_at=None)

    def in_force(self) -> "AmendmentQuerySet":
        return self.filter(voided_at=None)

    def approved(self) -> "AmendmentQuerySet":
        return self.in_force().filter(approved_at__isnull=False)


class Amendment(models.Model):
    """People who came to a frozen list, or changed on it, since it was approved: they alone wait for a yes.

    `digest` binds the edition's own digest, and root and number of these rows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="amendments")
    digest = models.BinaryField()
    rows_root = models.BinaryField()
    added = models.PositiveIntegerField()
    changed = models.PositiveIntegerField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = AmendmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["edition"], condition=Q(approved_at=None, voided_at=None), name="one_amendment_waits"
            )
        ]
