"""A test of an edition, to named colleagues and nobody else: a made-up person, marked TEST in subject and text.

The intent is committed before anything goes on the wire and counts towards the limit of the hour, whatever comes of
it; what came of it is an event of its own. Nobody whose address is in the case's list gets a test.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import formatdate
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from breachdesk.accounts.models import User, UserQuerySet
from breachdesk.accounts.permissions import action
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.incidents.locking import refuse_closed
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from breachdesk.people.personal import email_index_of_typed
from breachdesk.vault.sealing import index_cipher_for
from notifications.checking import MADE_UP
from notifications.editions import layout_of, skeleton_of, the_organisation, vocabulary_of
from notifications.models import Edition
from notifications.placeholders import ValueRefused
from notifications.recipients import kinds_of
from notifications.rendering import Recipient, Skeleton, checked_address, render_message, return_path
from notifications.routes import connect
from notifications.transport import Connection, Envelope, Kind, Outcome, Phase, RouteDown
from notifications.wording import WordingError, compile_message

MOST_AT_ONCE = 10
MOST_AN_HOUR = 50
SECONDS = 20  # for all of them together: somebody waits before a page
MARK = "TEST"
BEFORE_SENDING = {Edition.State.DRAFT, Edition.State.IN_REVIEW, Edition.State.APPROVED}
# What stands above the text, in both parts of the message.
BANNERS = {
    "en": "## TEST: this is not a real message\n\n**Nobody’s data was lost.** Colleagues are trying out a text, and "
    "the person in it is made up. Please do nothing, and do not pass it on.",
    "fr": "## TEST : ceci n’est pas un vrai message\n\n**Aucune donnée n’a été perdue.** Des collègues essaient un "
    "texte, et la personne qui y figure est inventée. Ne faites rien et ne le transmettez pas.",
    "de": "## TEST: Das ist keine echte Nachricht\n\n**Es sind keine Daten verloren gegangen.** Kolleginnen und "
    "Kollegen probieren einen Text aus, und die Person darin ist erfunden. Bitte tun Sie nichts, und leiten Sie ihn "
    "nicht weiter.",
}
_NOT_SENT = Outcome(Kind.NOT_SENT, Phase.CONNECT)
_IN_DOUBT = Outcome(Kind.UNKNOWN, Phase.DOT)


@dataclass(frozen=True)
class Tested:
    """Who got it, and who did not, each with why."""

    got: list[User]
    not_got: list[tuple[User, str]]


def colleagues() -> UserQuerySet:
    """Whom a test may go to: accounts that somebody has joined with and that nobody removed."""
    return User.objects.active().exclude(joined_at=None).by_name()


def left_this_hour(edition: Edition) -> int:
    begun = Event.objects.of_incident(edition.incident_id).of_type("test_send.began").on_objects([str(edition.pk)])
    lately = begun.between(timezone.now() - timedelta(hours=1), None)
    sent = sum(int(event.content["data"]["count"]) for event in lately)
    return max(0, MOST_AN_HOUR - sent)


@action("notifications.test_edition", atomic=False)
def send_test(edition: Edition, chosen: Collection[UUID], *, by: User, expected_version: int | None = None) -> Tested:
    """Nothing is sent unless it may go to each of those chosen. A mail server that is down is told, not raised."""
    users, (skeleton, kinds) = _users(chosen), _made(edition)
    letters, digest = [_letter(skeleton, kinds, user) for user in users], skeleton_of(edition).digest
    with transaction.atomic():
        _begin(edition, users, by, edition.version if expected_version is None else expected_version)
    outcomes = asyncio.run(_hand_over(letters))
    with transaction.atomic():
        return _told(edition, digest, list(zip(users, outcomes, strict=True)), by)


def _users(chosen: Collection[UUID]) -> list[User]:
    users = list(colleagues().filter(pk__in=chosen))
    if not users or len(users) < len(set(chosen)):
        raise ValidationError({"colleagues": "Choose colleagues who have an account here. Nothing was sent."})
    if len(users) > MOST_AT_ONCE:
        raise ValidationError(
            {"colleagues": f"At most {MOST_AT_ONCE} colleagues get a test at a time. Nothing was sent."}
        )
    return users


def _made(edition: Edition) -> tuple[Skeleton, tuple[str, ...]]:
    """The edition's own message with the banner above its text, and the made-up person's kinds of data."""
    organisation = the_organisation()
    banner = BANNERS.get(edition.language[:2], BANNERS["en"])
    try:
        vocabulary = vocabulary_of(edition, organisation)
        compiled = compile_message(edition.subject, f"{banner}\n\n{edition.body}", vocabulary)
        marked = replace(compiled, subject=f"{MARK} {compiled.subject}")
        return Skeleton(marked, layout_of(edition, organisation)), kinds_of([], edition.notice.incident)
    except WordingError as error:
        raise ValidationError("The text has faults, so no message can be made of it. Mend it first.") from error
    except (ValueError, IndexError) as error:
        raise ValidationError("The organisation's page lacks the sender's address. Nothing was sent.") from error


def _letter(skeleton: Skeleton, kinds: tuple[str, ...], user: User) -> tuple[Envelope, bytes]:
    recipient = Recipient(uuid4(), user.email, kinds, MADE_UP)
    try:
        message = render_message(skeleton, recipient, formatdate().encode())
        return (return_path(skeleton, recipient.delivery), checked_address(user.email)), message
    except ValueRefused as refusal:
        raise ValidationError(f"No test can be made for {user.name}. {refusal}") from refusal


def _begin(edition: Edition, users: Sequence[User], by: User, expected_version: int) -> None:
    """Whoever tests at the same time waits here, so that nobody gets past the limit."""
    locked = Edition.objects.with_incident().select_for_update(of=("self",)).get(pk=edition.pk)
    refuse_closed(locked.notice.incident)
    if locked.state not in BEFORE_SENDING:
        raise ValidationError("Tests are sent before a notice is, and this one has begun or is over. Nothing was sent.")
    if {locked.version, expected_version} != {edition.version}:
        raise ValidationError("The text was changed while you looked at it. Nothing was sent: read it again.")
    _refuse_affected(locked.notice.incident, users)
    left = left_this_hour(locked)
    if len(users) > left:
        raise ValidationError(
            f"{MOST_AN_HOUR} tests of an edition may go out in an hour, and {left} are left. Nothing was sent: the "
            "preview shows the same message."
        )
    record("test_send.began", by=by, on=locked, count=len(users), users=_ids(users), **_which(locked))


def _refuse_affected(incident: Incident, users: Iterable[User]) -> None:
    """They would read that their data was lost, in a message that says it is a test."""
    cipher = index_cipher_for(incident.pk)
    for user in users:
        index = email_index_of_typed(cipher, user.email)
        if index and Person.objects.ever_at(incident, index).exists():
            raise ValidationError(
                f"{user.name}’s address is in this case’s list of people, and nobody on it gets a test. Nothing was "
                "sent: choose other colleagues."
            )


async def _hand_over(letters: Sequence[tuple[Envelope, bytes]]) -> list[Outcome | str]:
    """One after another, for as long as the time lasts; a sentence where no connection could be made."""
    outcomes: list[Outcome | str] = []
    way: Connection | None = None
    until = asyncio.get_running_loop().time() + SECONDS
    try:
        async with asyncio.timeout_at(until):
            for envelope, message in letters:
                way = way if way and not way.broken else await connect()
                outcomes.append(_IN_DOUBT)  # what it stays if the time is over before the answer
                outcomes[-1] = await way.hand_over(*envelope, message, until)
    except RouteDown as problem:
        outcomes.append(str(problem))
    except TimeoutError:
        pass
    finally:
        if way:
            await way.close()
    return outcomes + [_NOT_SENT] * (len(letters) - len(outcomes))


def _told(edition: Edition, digest: bytes, pairs: Sequence[tuple[User, Outcome | str]], by: User) -> Tested:
    got = [user for user, outcome in pairs if _is_handed_over(outcome)]
    not_got = [(user, _why(outcome)) for user, outcome in pairs if not _is_handed_over(outcome)]
    record(
        "edition.tested",
        by=by,
        on=edition,
        count=len(got),
        users=_ids(got),
        failed=_ids(user for user, _ in not_got),
        digest=digest,
        **_which(edition),
    )
    return Tested(got, not_got)


def _is_handed_over(outcome: Outcome | str) -> bool:
    return isinstance(outcome, Outcome) and outcome.kind is Kind.HANDED_OVER


def _why(outcome: Outcome | str) -> str:
    if isinstance(outcome, str):
        return outcome
    if outcome.kind in (Kind.REFUSED, Kind.RETRY_WAIT):
        return f"The mail server refused it{f' ({outcome.code})' if outcome.code else ''}."
    if outcome.kind is Kind.UNKNOWN:
        return "The connection broke before the answer came: it may have arrived."
    return "There was no time or no connection left: it was not sent."


def _ids(users: Iterable[User]) -> list[str]:
    return sorted(str(user.pk) for user in users)


def _which(edition: Edition) -> dict[str, Any]:
    return {"language": edition.language, "revision": edition.revision}
