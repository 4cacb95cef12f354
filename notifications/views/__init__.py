"""Lists and one edition as it stands; writing, reviewing and sending are beside this file."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import requires
from breachdesk.incidents.models import Incident
from breachdesk.web import render_page
from notifications.editions import the_organisation
from notifications.forms import FindForm
from notifications.history import folded, history_of, last_refusal
from notifications.models import Edition, Notice
from notifications.previewing import preview
from notifications.progress import progress_of


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def incident_of(request: HttpRequest, reference: str) -> Incident:
    return get_object_or_404(Incident.objects.visible_to(user_of(request)).with_moments(), reference=reference)


def edition_of(request: HttpRequest, reference: str, pk: object) -> Edition:
    """One edition this user may see, with its notice and incident."""
    editions = Edition.objects.visible_to(user_of(request)).with_incident()
    return get_object_or_404(editions, pk=pk, notice__incident__reference=reference)


@requires("notifications.view_notice")
def notice_list(request: HttpRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    notices = Notice.objects.visible_to(user_of(request)).of(incident).with_editions().newest_first()
    return render_page(request, "notifications/list.html", {"incident": incident, "notices": notices})


@requires("notifications.view_notice")
def edition_detail(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    return render_page(request, "notifications/detail.html", detail_context(request, edition))


@dataclass(frozen=True)
class Step:
    """A button of an edition's page: where it leads, and whether this colleague may press it."""

    label: str
    url: str
    permission: str
    tone: str = ""


STEPS: dict[str, list[Step]] = {
    Edition.State.DRAFT: [
        Step("Go on writing", "edition-edit", "notifications.write_notice", "primary"),
        Step("Cancel this edition", "edition-cancel", "notifications.pause_edition", "danger"),
    ],
    Edition.State.IN_REVIEW: [
        Step("Read and decide", "edition-review", "notifications.approve_edition", "primary"),
        Step("Take it back", "edition-withdraw", "notifications.write_notice"),
        Step("Cancel this edition", "edition-cancel", "notifications.pause_edition", "danger"),
    ],
    Edition.State.APPROVED: [
        Step("Start sending", "edition-start", "notifications.send_edition", "primary"),
        Step("Take it back", "edition-withdraw", "notifications.write_notice"),
        Step("Cancel this edition", "edition-cancel", "notifications.pause_edition", "danger"),
    ],
    Edition.State.SENDING: [Step("Watch the send", "send", "notifications.view_notice", "primary")],
    Edition.State.PAUSED: [Step("See the send", "send", "notifications.view_notice", "primary")],
    Edition.State.FINISHED: [Step("See how it went", "send", "notifications.view_notice", "primary")],
    Edition.State.CANCELLED: [Step("See how far it came", "send", "notifications.view_notice")],
}


DISARM = Step("Do not start it by itself", "edition-disarm", "notifications.send_edition")
GLASS = Step("Let one approval be enough", "edition-glass", "notifications.break_glass", "danger")


def _steps(edition: Edition) -> list[Step]:
    steps = STEPS[edition.state]
    if edition.state == Edition.State.APPROVED and edition.armed_at:
        return [DISARM, *steps[1:]]
    is_half_approved = edition.state == Edition.State.IN_REVIEW and edition.approvals.in_force().exists()
    return [*steps, GLASS] if is_half_approved else steps


def detail_context(request: HttpRequest, edition: Edition) -> dict[str, object]:
    user, organisation = user_of(request), the_organisation()
    history = history_of(edition, private=user.has_perm("notifications.view_notice"))
    return {
        "incident": edition.notice.incident,
        "edition": edition,
        "organisation": organisation,
        "steps": [step for step in _steps(edition) if user.has_perm(step.permission)],
        "history": folded(history),
        "find": FindForm(),
        "refusal": last_refusal(history),
        "progress": progress_of(edition),
        "message": preview(edition, organisation, subject=edition.subject, body=edition.body, person=None),
    }
