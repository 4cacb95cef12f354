from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from notifications import actions
from notifications.models import Edition
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm


@requires("notifications.break_glass")
@answers_with_proof
def edition_glass(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """Asks one of two to answer in writing for one approval of two."""
    edition = edition_of(request, reference, pk)
    number = edition.recipients_count or 0
    asked = Question(
        question="Let one approval be enough?",
        text=f"{_standing(edition)} It needs two people who wrote none of it and approved none of it, each in writing. "
        "Your name and reason stand on the page of the notice, in the evidence report, in the proof of each message "
        "and in the bundle.",
        yes=f"I answer for it, for {number:,} people",
        no="Wait for a second approval",
        tone="alarm",
        reason_needed=True,
        reason_label="Why can it not wait for a second approval?",
        reason_missing="Say why it cannot wait for a second approval. It stands in every report.",
    )

    def act(version: int, reason: str) -> str:
        kept = actions.break_glass(edition, reason=reason, expected_version=version, by=user_of(request))
        done = kept.state == Edition.State.APPROVED
        messages.success(request, "It is approved now." if done else "Kept. A second person must answer for it too.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-detail")


def _standing(edition: Edition) -> str:
    yes = ", ".join(one.approver.name for one in edition.approvals.in_force().select_related("approver"))
    given = ", ".join(one.given_by.name for one in edition.broken_glass.in_force().select_related("given_by"))
    said = f"Approved by {yes}, one of two." if yes else "Nobody has approved it."
    return f"{said} {given} has answered for it so far." if given else said
