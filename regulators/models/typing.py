import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from regulators.models.filings import Filing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class TypingQuerySet(models.QuerySet["Typing"]):
    def of(self, filing: Filing) -> "TypingQuerySet":
        return self.filter(filing=filing)

    def by(self, user: "User") -> "TypingQuerySet":
        return self.filter(user=user)

    def by_others(self, user: "User") -> "TypingQuerySet":
        return self.exclude(user=user).select_related("user")

    def words(self) -> "TypingQuerySet":
        return self.exclude(question="")

    def since(self, moment: datetime) -> "TypingQuerySet":
        return self.filter(at__gte=moment)


class Typing(models.Model):
    """What somebody has typed into an answer and not saved; without a question, that they have the filing open.

    Nothing of it is part of the filing. It is there so that a page that is closed, or a browser that breaks, loses no
    words, and so that two who write at once know of each other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    question = models.CharField(max_length=60, blank=True)
    sealed = models.BinaryField(null=True)
    at = models.DateTimeField()

    objects = TypingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["filing", "user", "question"], name="one_typing_per_answer_and_user"),
            models.CheckConstraint(
                condition=Q(question="", sealed=None) | (~Q(question="") & Q(sealed__isnull=False)),
                name="typed_words_have_a_question",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.question or 'the page'} of {self.filing_id}"
