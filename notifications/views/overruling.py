"""What a second pair of eyes may open of the checks: every combination of data, and what fails."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from breachdesk.accounts.permissions import requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.web import render_page
from notifications import actions
from notifications.checking import check
from notifications.coverage import coverage_of
from notifications.editions import the_organisation
from notifications.forms import OverruleForm
from notifications.previewing import preview
from notifications.recipients import kinds_of
from notifications.views import edition_of, user_of


@requires("notifications.view_notice")
def edition_coverage(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """Every language × every combination of data, with how many people, and one of the messages beside it."""
    edition, organisation = edition_of(request, reference, pk), the_organisation()
    asked = [kind for kind in request.GET.get("kinds", "").split(",") if kind]
    shown = kinds_of(asked, edition.notice.incident) if asked else ()
    message = preview(edition, organisation, subject=edition.subject, body=edition.body, person=None, kinds=shown)
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "organisation": organisation,
        "coverage": coverage_of(edition.notice, organisation, user_of(request)),
        "shown": ",".join(shown),
        "message": message,
    }
    return render_page(request, "notifications/coverage.html", context)


@requires("notifications.approve_edition")
def edition_overrule(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition, user = edition_of(request, reference, pk), user_of(request)
    found = check(edition, the_organisation(), subject=edition.subject, body=edition.body)
    form = OverruleForm(
        request.POST or None,
        failing=list({fault.key: fault.sentence for fault in found.faults}.items()),
        initial={"version": edition.version},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.overrule_checks(
                edition, checks=data["checks"], reason=data["reason"], expected_version=data["version"], by=user
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(
                request, "Taken on your responsibility, for exactly these words. The author can submit it."
            )
            return redirect("edition-detail", reference, pk)
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "form": form,
        "found": found,
        "wrote_it": edition.authors.filter(author=user).exists(),
        "overrides": edition.overrides.in_force().select_related("given_by"),
    }
    return render_page(request, "notifications/overrule.html", context, status=422 if request.method == "POST" else 200)
