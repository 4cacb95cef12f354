"""Staff and organisation. Signing in and passwords are allauth's views, in urls.py."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from breachdesk.accounts import actions
from breachdesk.accounts.forms import DeputyForm, InviteForm, OrganisationForm, RemoveForm, RolesForm
from breachdesk.accounts.models import Organisation, User
from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.accounts.roles import labels_of, roles_nobody_holds
from breachdesk.audit.proof import answers_with_proof
from breachdesk.web import render_page


@require_GET
@requires("accounts.manage_staff")
def staff(request: HttpRequest) -> HttpResponse:
    colleagues = list(User.objects.with_roles().by_name())
    shown = [user for user in colleagues if user.is_active]
    removed = [user for user in colleagues if not user.is_active]
    context = {
        "colleagues": [(user, labels_of(user.roles)) for user in shown],
        "removed": removed,
        "missing_roles": roles_nobody_holds(shown),
    }
    return render_page(request, "accounts/staff.html", context)


@require_http_methods(["GET", "POST"])
@requires("accounts.manage_staff")
@answers_with_proof
def invite(request: StaffRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.invite_user(**form.cleaned_data, by=request.user)
        except ValidationError as refusal:
            form.add_error("email", refusal)
        else:
            _say(request, user, f"{user.name} is invited. The link went to {user.email} and works for three days.")
            return redirect("staff")
    return render_page(request, "accounts/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@requires("accounts.manage_staff")
def colleague(request: HttpRequest, pk: UUID) -> HttpResponse:
    user = get_object_or_404(User.objects.with_roles(), pk=pk)
    seen = {"version": user.version}
    context = {
        "colleague": user,
        "roles_form": RolesForm(initial={"roles": user.roles, **seen}),
        "deputy_form": DeputyForm(user=user, initial={"deputy": user.deputy_id, **seen}),
        "stands_in_for": user.stands_in_for.active().by_name(),
    }
    return render_page(request, "accounts/colleague.html", context)


@require_POST
@requires("accounts.manage_staff")
@answers_with_proof
def change_roles(request: StaffRequest, pk: UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = RolesForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose at least one role: without one a colleague can see and do nothing.")
    actions.set_roles(user, **form.cleaned_data, by=request.user)
    messages.success(request, f"The roles of {user.name} are changed. They hold from their next click.")
    return redirect(user)


@require_POST
@requires("accounts.manage_staff")
def change_deputy(request: StaffRequest, pk: UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = DeputyForm(request.POST, user=user)
    if not form.is_valid():
        raise ValidationError("Choose a colleague who works here, or nobody.")
    user = actions.set_deputy(user, **form.cleaned_data, by=request.user)
    messages.success(request, f"{user.deputy} stands in for {user.name}." if user.deputy else "No deputy any more.")
    return redirect(user)


@require_http_methods(["GET", "POST"])
@requires("accounts.manage_staff")
def reset(request: StaffRequest, pk: UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if request.method == "POST":
        user = actions.reset_user(user, version=_version(request), by=request.user)
        _say(request, user, f"A link to choose a password went to {user.email}. It works for three days.")
        return redirect(user)
    return render_page(request, "accounts/reset.html", {"colleague": user})


@require_http_methods(["GET", "POST"])
@requires("accounts.manage_staff")
@answers_with_proof
def remove(request: StaffRequest, pk: UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    form = RemoveForm(request.POST or None, initial={"version": user.version})
    if request.method == "POST" and form.is_valid():
        actions.remove_user(user, **form.cleaned_data, by=request.user)
        messages.success(request, f"{user.name} is removed and signed out. What they did stays under their name.")
        return redirect("staff")
    context = {"colleague": user, "form": form}
    return render_page(request, "accounts/remove.html", context, status=422 if form.errors else 200)


@require_POST
@requires("accounts.manage_staff")
@answers_with_proof
def readmit(request: StaffRequest, pk: UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    user = actions.readmit_user(user, version=_version(request), by=request.user)
    _say(request, user, f"{user.name} is back. A link to choose a password went to {user.email}.")
    return redirect(user)


@require_http_methods(["GET", "POST"])
@requires("accounts.change_organisation")
def organisation(request: StaffRequest) -> HttpResponse:
    known = Organisation.current()
    form = OrganisationForm(request.POST or None, instance=known)
    if request.method == "POST" and form.is_valid():
        actions.change_organisation(**form.cleaned_data, by=request.user)
        messages.success(request, "Saved. Filings and notices use it from now on.")
        return redirect("organisation")
    # The form has written what was typed into its instance: what is missing is told from what is kept.
    context = {"form": form, "known": known.is_known, "gaps": Organisation.current().gaps()}
    return render_page(request, "accounts/organisation.html", context, status=422 if form.errors else 200)


@require_POST
@requires("accounts.change_organisation")
def try_mail(request: StaffRequest) -> HttpResponse:
    check = actions.try_mail_setup(by=request.user)
    return render_page(request, "accounts/mail_check.html", {"check": check}, partial="accounts/_mail_check.html")


@require_GET
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """For the machine that watches this one: answers when the database does, and says nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


def _version(request: HttpRequest) -> int | None:
    shown = request.POST.get("version", "")
    return int(shown) if shown.isdecimal() else None


def _say(request: HttpRequest, user: User, done: str) -> None:
    """The action stands either way; a relay that did not take the e-mail is said, not hidden."""
    if user.mail_problem:
        messages.warning(request, f"The change is made, but no e-mail went to {user.email}. {user.mail_problem}")
    else:
        messages.success(request, done)
