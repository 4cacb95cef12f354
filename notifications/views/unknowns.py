"""The list of what only people may decide about, and the page before each decision."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.web import paginate, render_page
from notifications import actions, unknowns
from notifications.evidence import cases_of
from notifications.models import DeliveryDecision, Edition
from notifications.progress import is_long, progress_of
from notifications.unknowns import BLOCKED, Chosen, Rule, chosen_by
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm

PER_PAGE = 25
Decide = Callable[..., DeliveryDecision]
Asked = Callable[[int, Edition], Question]


@requires("notifications.view_notice")
def unknown(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition, rule = edition_of(request, reference, pk), Rule.from_query(request.GET)
    chosen = unknowns.shown_by(edition, rule)
    page = paginate(request, chosen.rows, PER_PAGE)
    question = unknowns.waiting_question(edition)
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "counts": _counts(edition, chosen),
        "rule": rule,
        "chosen": chosen,
        "page": page,
        "cases": cases_of(edition, list(page.object_list)),
        "query": f"{urlencode(rule.stated)}&",
        "seen": urlencode(rule.stated | {"seen": chosen.root.hex()}),
        "hours": unknowns.silence_hours(),
        "question": question,
        "still": _still(question) if question else 0,
        "question_seen": bytes(question.rows_root).hex() if question else "",
        "is_asker": question is not None and question.asked_by_id == user_of(request).pk,
        "decided": edition.delivery_decisions.latest_first().exclude(confirmed_at=None, voided_at=None)[:10],
    }
    return render_page(request, "notifications/unknown.html", context)


def _counts(edition: Edition, chosen: Chosen) -> dict[str, int]:
    """Of a long list as the page of the send counted them, but for those who are listed here."""
    if not is_long(edition):
        return unknowns.counts_of([edition]).get(edition.pk, {})
    return unknowns.waiting_of(progress_of(edition).counts) | {chosen.rule.of: len(chosen.all)}


def _still(question: DeliveryDecision) -> int:
    return len(unknowns.asked_about(question)[1])


def _seen(request: HttpRequest) -> bytes:
    try:
        return bytes.fromhex(request.GET.get("seen", ""))
    except ValueError:
        return b""


def _chosen(request: HttpRequest, edition: Edition) -> tuple[Rule, Chosen]:
    """What the page before this one showed; refused at once if it is not that any more."""
    rule = Rule.from_query(request.GET)
    chosen = chosen_by(edition, rule)
    if request.method != "POST" and chosen.root != _seen(request):
        raise ValidationError("The list has changed since you saw it. Nothing was decided. Look at it again.")
    return rule, chosen


def _back_to(edition: Edition, rule: Rule) -> str:
    of = "?of=blocked" if rule.of == BLOCKED else ""
    return address("unknown", edition) + of


def _decided(request: HttpRequest, reference: str, pk: object, decide: Decide, asked: Asked, done: str) -> HttpResponse:
    """The question about exactly the people of the page before, and what follows from a yes."""
    edition = edition_of(request, reference, pk)
    rule, chosen = _chosen(request, edition)

    def act(version: int, reason: str) -> str:
        decision = decide(
            edition, rule=rule, rows_root=_seen(request), reason=reason, by=user_of(request), expected_version=version
        )
        messages.success(request, done.format(number=f"{decision.people:,}"))
        return _back_to(edition, rule)

    return confirm(request, edition, asked(len(chosen.rows), edition), act, back="unknown")


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"


@requires("notifications.close_unknown")
@answers_with_proof
def unknown_sent(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    def asked(number: int, edition: Edition) -> Question:
        return Question(
            question=f"Take the message to {_people(number)} as sent?",
            text="They count as told from then on, and BreachDesk sends them nothing more of this notice. If one of "
            "them did not get it, nobody will know unless they call.",
            yes=f"Take {number:,} as sent",
            no="Not yet",
            reason_needed=True,
            reason_label="Why may they be taken as told?",
            reason_missing="Say why. It stands in the trail beside exactly these people.",
        )

    return _decided(request, reference, pk, actions.take_as_sent, asked, "{number} are taken as sent.")


@requires("notifications.resend_unknown")
@answers_with_proof
def unknown_resend(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    def asked(number: int, edition: Edition) -> Question:
        return Question(
            question=f"Ask to send again to {_people(number)}?",
            text="Some of them have the message already and would get it twice. Nothing is sent by this: a second "
            "person must agree to exactly these people. Whoever is heard of before that is left out.",
            yes=f"Ask about {number:,}",
            no="Not yet",
            reason_needed=True,
            reason_label="Why is a second message better than none?",
            reason_missing="Say why. Whoever confirms it reads this first.",
        )

    return _decided(request, reference, pk, actions.ask_resend, asked, "A second person is asked about {number}.")


@requires("notifications.unblock_delivery")
@answers_with_proof
def unknown_again(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    def asked(number: int, edition: Edition) -> Question:
        return Question(
            question=f"Try {_people(number)} again?",
            text="Nothing was sent to them. Each gets the approved message if it can be made now, and is stopped again "
            f"if not.{' A paused send stays paused.' if edition.state == Edition.State.PAUSED else ''}",
            yes=f"Try {number:,} again",
            no="Not yet",
            reason_needed=True,
            reason_label="What is different now?",
            reason_missing="Say what is different now.",
        )

    return _decided(request, reference, pk, actions.try_again, asked, "{number} are planned again.")


@requires("notifications.unblock_delivery")
@answers_with_proof
def unknown_give_up(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    def asked(number: int, edition: Edition) -> Question:
        return Question(
            question=f"Send {_people(number)} nothing?",
            text="They are not told by this edition, and this cannot be taken back. Whether the law then asks for "
            "another way to tell them is on the incident's page.",
            yes=f"Give up {number:,}",
            no="Not yet",
            tone="alarm",
            reason_needed=True,
            reason_label="Why are they not to be told?",
            reason_missing="Say why they are not to be told.",
        )

    return _decided(request, reference, pk, actions.give_up, asked, "{number} are given up.")


@requires("notifications.resend_unknown")
@answers_with_proof
def resend_confirm(request: HttpRequest, reference: str, pk: object, decision: UUID) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting: DeliveryDecision = get_object_or_404(edition.delivery_decisions, pk=decision)
    still, heard = _still(waiting), waiting.people - _still(waiting)
    gone = f" Of the {waiting.people:,} asked about, {heard:,} were heard of meanwhile and drop out." if heard else ""
    asked = Question(
        question=f"Send again to {_people(still)}?",
        text=f"{waiting.asked_by.name} asked: “{waiting.reason}”{gone} Some may get the message twice. Your name "
        f"stands beside exactly them.{' The send stays paused.' if edition.state == Edition.State.PAUSED else ''}",
        yes=f"Send again to {_people(still)}",
        no="Not yet",
        tone="alarm",
    )

    def act(version: int, reason: str) -> str:
        moved = actions.confirm_resend(waiting, rows_root=_seen(request), by=user_of(request), expected_version=version)
        messages.success(request, f"{_people(moved).capitalize()} are sent the message once more.")
        return address("unknown", edition)

    return confirm(request, edition, asked, act, back="unknown")


@requires("notifications.resend_unknown")
def resend_withdraw(request: HttpRequest, reference: str, pk: object, decision: UUID) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting: DeliveryDecision = get_object_or_404(edition.delivery_decisions, pk=decision)
    asked = Question(
        question=f"Send nothing again to {_people(waiting.people)}?",
        text=f"{waiting.asked_by.name} asked. Nothing was sent; they stay unknown, and it may be asked again.",
        yes="Send nothing again",
        no="Leave the question open",
    )

    def act(version: int, reason: str) -> str:
        actions.withdraw_resend(waiting, by=user_of(request), expected_version=version)
        messages.success(request, "The question is closed. Nothing was sent.")
        return address("unknown", edition)

    return confirm(request, edition, asked, act, back="unknown")
