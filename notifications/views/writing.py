from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.people.languages import language_name
from breachdesk.web import render_page
from notifications import actions
from notifications.checking import check
from notifications.editions import CONSTANTS, constants_of, the_organisation
from notifications.forms import FindForm, LanguageForm, NoticeForm, TextForm
from notifications.history import history_of, last_refusal
from notifications.lint.contents import CONTENTS
from notifications.lint.scam import domain_of
from notifications.marking import with_mark
from notifications.models import Edition, Notice
from notifications.placeholders import PERSON_FIELDS, normal_name
from notifications.previewing import person_of_pass, preview
from notifications.readership import readership_of
from notifications.recipients import recipients_of
from notifications.sender_domain import look_up
from notifications.starters import STARTERS, usual_starter
from notifications.views import edition_of, incident_of, user_of
from notifications.views.confirming import Question, address, confirm


@requires("notifications.write_notice")
def notice_new(request: HttpRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = NoticeForm(request.POST or None, initial={"title": "Customer notice", "starter": usual_starter(incident)})
    if request.method == "POST" and form.is_valid():
        try:
            notice = actions.create_notice(incident, **form.cleaned_data, by=user_of(request))
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("edition-edit", reference, notice.editions.get().pk)
    status = 422 if request.method == "POST" else 200
    context = {"incident": incident, "form": form, "starters": STARTERS.values()}
    return render_page(request, "notifications/new.html", context, status=status)


@requires("notifications.write_notice")
def edition_add(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    incident = incident_of(request, reference)
    notice = get_object_or_404(Notice.objects.visible_to(user_of(request)).of(incident), pk=pk)
    form = LanguageForm(request.POST or None, wanted=readership_of(notice).wanted)
    if request.method == "POST" and form.is_valid():
        try:
            edition = actions.add_edition(notice, **form.cleaned_data, by=user_of(request))
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("edition-edit", reference, edition.pk)
    context = {"incident": incident, "notice": notice, "form": form}
    return render_page(request, "notifications/add.html", context, status=422 if request.method == "POST" else 200)


@requires("notifications.write_notice")
def edition_edit(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    initial = {"subject": edition.subject, "body": edition.body, "version": edition.version}
    form = TextForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            kept = actions.save_draft(
                edition,
                subject=data["subject"],
                body=with_mark(data["body"], request.POST.get("cover", "")),
                expected_version=data["version"],
                by=user_of(request),
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"The draft is kept, as version {kept.version}.")
            return redirect("edition-edit", reference, pk)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "notifications/edit.html", _editor(request, edition, form), status=status)


def _editor(request: HttpRequest, edition: Edition, form: TextForm) -> dict[str, object]:
    organisation, user = the_organisation(), user_of(request)
    subject, body = form["subject"].value() or "", form["body"].value() or ""
    given = request.GET.get("as", "")
    person = person_of_pass(edition, given, user) if given else None
    constants = constants_of(edition.notice.incident, organisation)
    look_up(domain_of(organisation.sender_email))
    found = check(edition, organisation, subject=subject, body=body)
    fields = [*PERSON_FIELDS, *(name for name in CONSTANTS if constants.get(name))]
    return {
        "incident": edition.notice.incident,
        "edition": edition,
        "organisation": organisation,
        "form": form,
        "find": FindForm(),
        "found": found,
        "message": preview(edition, organisation, subject=subject, body=body, person=person),
        "person": person,
        "given": given if person else "",
        "person_fields": PERSON_FIELDS,
        "marks": [
            CONTENTS[key].word for key in (one.key.removeprefix("law.") for one in found.findings) if key in CONTENTS
        ],
        "constants": {name: constants[name] for name in CONSTANTS if constants.get(name)},
        "known": [*fields, *map(normal_name, edition.notice.incident.kinds)],
        "refusal": last_refusal(history_of(edition, private=True)),
        "authors": edition.authors.select_related("author"),
        "editions": edition.notice.editions.in_order(),
    }


@require_POST
@requires("notifications.write_notice")
def edition_check(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """The panel beside the text, for what is typed and not kept yet."""
    edition, organisation = edition_of(request, reference, pk), the_organisation()
    subject, body = request.POST.get("subject", "")[:500], request.POST.get("body", "")[:60_000]
    context = {
        "edition": edition,
        "incident": edition.notice.incident,
        "found": check(edition, organisation, subject=subject, body=body.replace("\r\n", "\n")),
    }
    return render_page(request, "notifications/_checks.html", context)


@requires("notifications.write_notice")
def edition_submit(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    number = recipients_of(edition).count() if request.method == "GET" else 0
    asked = Question(
        question="Ask for approval?",
        text=f"The {language_name(edition.language)} text and the list of {number:,} people are frozen. Somebody who "
        "wrote none of it reads both and decides. You can take it back at any time before it is sent.",
        yes=f"Ask to approve it for {number:,} people",
        no="Go on writing",
    )

    def act(version: int, reason: str) -> str:
        look_up(domain_of(the_organisation().sender_email))
        kept = actions.submit_for_review(edition, expected_version=version, by=user_of(request))
        messages.success(request, f"Approval is asked for {kept.recipients_count:,} people.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-edit")


@requires("notifications.write_notice")
def edition_withdraw(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    asked = Question(
        question="Take it back to a draft?",
        text="Whoever approved it approved something else then: that approval is void. Nobody has been sent anything.",
        yes="Take it back",
        no="Leave it as it is",
        ask_reason=True,
    )

    def act(version: int, reason: str) -> str:
        actions.withdraw(edition, reason=reason, expected_version=version, by=user_of(request))
        messages.success(request, "It is a draft again.")
        return address("edition-edit", edition)

    return confirm(request, edition, asked, act, back="edition-detail")
