"""What a second pair of eyes decides on, opens and answers."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.web import render_page
from notifications import actions
from notifications.authorship import why_not
from notifications.checking import review_of
from notifications.commenting import read
from notifications.editions import the_organisation
from notifications.models import Edition
from notifications.previewing import person_of_pass, preview
from notifications.recipients import frozen_counts, kinds_of
from notifications.renderings import COVERAGE, Rendering, kinds_in, numbers_of, renderings_of, unopened
from notifications.views import detail_context, edition_of, user_of
from notifications.views.confirming import Question, address, confirm


@requires("notifications.view_notice")
def edition_review(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """What an approver decides on: the exact text, who gets it, and who wrote it."""
    edition, user = edition_of(request, reference, pk), user_of(request)
    context = detail_context(request, edition)
    given = request.GET.get("as", "")
    if given and (person := person_of_pass(edition, given, user)):
        organisation = context["organisation"]
        message = preview(edition, organisation, subject=edition.subject, body=edition.body, person=person)  # type: ignore[arg-type]
        context |= {"person": person, "given": given, "message": message}
    context |= _decision(edition, user)
    context |= {"words": read(edition), "groups": review_of(edition, the_organisation()), "page": "review"}
    if edition.recipients_count is not None:
        context |= {"numbers": numbers_of(edition), **frozen_counts(edition)}
    return render_page(request, "notifications/review.html", context)


def _decision(edition: Edition, user: User) -> dict[str, object]:
    """What stands between this colleague and a yes."""
    renderings = renderings_of(edition, user)
    return {
        "why_not": why_not(edition, user),
        "said_yes": edition.approvals.in_force().filter(approver=user).exists(),
        "renderings": renderings,
        "unopened": unopened(renderings),
        "needed": edition.approvers_needed or 1,
    }


@require_POST
@requires("notifications.approve_edition")
def edition_open(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """Notes that it is opened, and shows it."""
    edition, key = edition_of(request, reference, pk), request.POST.get("rendering", "")[:400]
    actions.open_rendering(edition, rendering=key, by=user_of(request))
    if key == COVERAGE:
        return redirect("edition-coverage", reference, pk)
    return redirect(f"{reverse('edition-rendering', args=[reference, pk])}?{urlencode({'rendering': key})}")


@requires("notifications.view_notice")
def edition_rendering(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """One of the messages that must be seen, alone on its page, with the way to the next."""
    edition, organisation, user = edition_of(request, reference, pk), the_organisation(), user_of(request)
    renderings = renderings_of(edition, user)
    shown = next((one for one in renderings if one.key == request.GET.get("rendering")), None)
    if shown is None or shown.key == COVERAGE:
        raise Http404("This is not one of the messages that must be seen of this edition.")
    kinds = kinds_of(kinds_in(shown.key), edition.notice.incident)
    message = preview(edition, organisation, subject=edition.subject, body=edition.body, person=None, kinds=kinds)
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "organisation": organisation,
        "one": shown,
        "number": renderings.index(shown) + 1,
        "renderings": renderings,
        "next": _next(renderings),
        "shown": ",".join(kinds),
        "message": message,
    }
    return render_page(request, "notifications/rendering.html", context)


def _next(renderings: list[Rendering]) -> Rendering | None:
    return next((one for one in renderings if not one.is_opened), None)


@requires("notifications.approve_edition")
@answers_with_proof
def edition_approve(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    number, is_open = edition.recipients_count or 0, edition.comments.open().count()
    comments = f" {is_open} {'comment is' if is_open == 1 else 'comments are'} not settled." if is_open else ""
    asked = Question(
        question=f"Approve it for {number:,} people?",
        text="The trail keeps your name beside exactly this text and list. Nothing is sent yet: somebody starts it."
        + comments,
        yes=f"Approve for {number:,} people",
        no="Read it again",
    )

    def act(version: int, reason: str) -> str:
        kept = actions.approve_edition(edition, expected_version=version, by=user_of(request))
        done = kept.state == Edition.State.APPROVED
        then = "Nothing is sent until somebody starts it." if done else "It needs a second approval by somebody else."
        messages.success(request, f"Approved. {then}")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-review")


@requires("notifications.approve_edition")
def edition_reject(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    asked = Question(
        question="Send it back to its authors?",
        text="It becomes a draft again, and your reason stands at the top of it.",
        yes="Send it back",
        no="Read it again",
        reason_needed=True,
        reason_label="What must change?",
    )

    def act(version: int, reason: str) -> str:
        actions.reject_edition(edition, reason=reason, expected_version=version, by=user_of(request))
        messages.success(request, "It is sent back with your reason.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-review")
