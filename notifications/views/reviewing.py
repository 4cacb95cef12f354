from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.web import render_page
from notifications import actions
from notifications.checking import review_of
from notifications.editions import the_organisation
from notifications.previewing import person_of_pass, preview
from notifications.recipients import frozen_counts
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
    context |= {
        "wrote_it": edition.authors.filter(author=user).exists(),
        "earlier": edition.approvals.exclude(voided_at=None)
        .select_related("approver")
        .order_by("-approved_at")
        .first(),
        "groups": review_of(edition, the_organisation()),
        **frozen_counts(edition),
    }
    return render_page(request, "notifications/review.html", context)


@requires("notifications.approve_edition")
@answers_with_proof
def edition_approve(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    number = edition.recipients_count or 0
    asked = Question(
        question=f"Approve it for {number:,} people?",
        text="The trail keeps your name beside exactly this text and list. Nothing is sent yet: somebody starts it.",
        yes=f"Approve for {number:,} people",
        no="Read it again",
    )

    def act(version: int, reason: str) -> str:
        actions.approve_edition(edition, expected_version=version, by=user_of(request))
        messages.success(request, "Approved. Nothing is sent until somebody starts it.")
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
