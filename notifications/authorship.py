"""Who wrote a part of an edition, its audience or what stands in every message: none of them may approve it.

The database asks the same question (migration 0013).
"""

from django.db.models import QuerySet

from breachdesk.accounts.models import OrganisationAuthor, User
from notifications.models import Edition

WROTE = "You wrote a part of this edition, so somebody else must {done} it."
CHOSE = "You chose whom this notice is for, so somebody else must {done} it."
LAYOUT = (
    "You changed the organisation's page, and with it what stands in every message, so somebody else must {done} it."
)


def why_not(edition: Edition, user: User, *, done: str = "approve") -> str:
    """A sentence, if this colleague wrote a part of it; nothing if not."""
    if edition.authors.filter(author=user).exists():
        return WROTE.format(done=done)
    if edition.notice.authors.filter(author=user).exists():
        return CHOSE.format(done=done)
    return LAYOUT.format(done=done) if _layout_authors(edition).filter(pk=user.pk).exists() else ""


def authors_of(edition: Edition) -> list[User]:
    """Everybody who wrote a part, by name."""
    wrote = {row.author for row in edition.authors.select_related("author")}
    chose = {row.author for row in edition.notice.authors.select_related("author")}
    return sorted(wrote | chose | set(_layout_authors(edition)), key=lambda user: (user.name, str(user.pk)))


def _layout_authors(edition: Edition) -> "QuerySet[User]":
    """Whoever changed the organisation's page since the notice was begun, or last of all."""
    rows = OrganisationAuthor.objects.order_by("-at")
    last = list(rows.values_list("pk", flat=True)[:1])
    since = rows.filter(at__gte=edition.notice.created_at) | rows.filter(pk__in=last)
    return User.objects.filter(pk__in=since.order_by().values("author"))
