"""Exports of personal data: one asks, another allows, whoever asked takes the file away."""

from hashlib import sha256

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from breachdesk.accounts.models import PendingDecision, User
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.models import PeopleExport
from tests.factories import make_user, unguarded
from tests.people.exporting import FIELDS, REASON, allowed, ask, client_for, post, rows_in, sealed_files, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_export_files")]
State = PeopleExport.State


# Two people


def test_what_was_allowed_is_made_and_opens_with_its_passphrase(listed: Incident, asker: User) -> None:
    export, passphrase = actions.make_export(allowed(listed, asker), by=asker)
    content = zip_of(export)
    rows = rows_in(content, passphrase)
    assert len(rows) == export.people == 4
    amelia = next(row for row in rows if row["First name"] == "Amelia")
    assert (amelia["Email"], amelia["Country of residence"], amelia["Under 18"]) == (
        "amelia.okafor@example.com",
        "United Kingdom",
        "no",
    )
    assert (bytes(export.sha256 or b""), export.size) == (sha256(content).digest(), len(content))


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"dpo"}))
def test_only_the_dpo_asks(listed: Incident, role: str) -> None:
    with pytest.raises(PermissionDenied):
        ask(listed, make_user(role))


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"dpo", "approver"}))
def test_only_dpo_and_approver_decide(listed: Incident, asker: User, role: str) -> None:
    export = ask(listed, asker)
    for refused in (
        lambda: actions.approve_export(export, by=make_user(role)),
        lambda: actions.refuse_export(export, reason="No.", by=make_user(role)),
    ):
        with pytest.raises(PermissionDenied):
            refused()


def test_whoever_asked_cannot_allow_it(listed: Incident) -> None:
    both = make_user("dpo", "approver")
    export = ask(listed, both)
    with pytest.raises(ValidationError, match="somebody else must decide"):
        actions.approve_export(export, by=both)
    assert PendingDecision.objects.open().get().excluded.get() == both


def test_the_database_refuses_one_person_for_both(listed: Incident, asker: User) -> None:
    export = allowed(listed, asker)
    with pytest.raises(IntegrityError, match="an_export_needs_two_people"), transaction.atomic(), unguarded():
        PeopleExport.objects.filter(pk=export.pk).update(decided_by=asker)
    with pytest.raises(IntegrityError, match="an_export_needs_two_people"), transaction.atomic(), unguarded():
        PeopleExport.objects.filter(pk=export.pk).update(decided_by=None)


def test_nothing_is_made_before_somebody_allows_it(listed: Incident, asker: User) -> None:
    export = ask(listed, asker)
    with pytest.raises(ValidationError, match="Waiting for a second person"):
        actions.make_export(export, by=asker)
    refused = actions.refuse_export(export, reason="Too much.", by=make_user("approver"))
    for done in (actions.make_export, actions.download_export):
        with pytest.raises(ValidationError, match="Refused"):
            done(refused, by=asker)
    assert sealed_files() == []


def test_only_whoever_asked_takes_it(listed: Incident, asker: User) -> None:
    export = allowed(listed, asker)
    other = make_user("dpo")
    with pytest.raises(ValidationError, match="Only whoever asked"):
        actions.make_export(export, by=other)
    made, _ = actions.make_export(export, by=asker)
    with pytest.raises(ValidationError, match="Only whoever asked"):
        actions.download_export(made, by=other)
    with pytest.raises(ValidationError, match="Only whoever asked"):
        actions.withdraw_export(made, by=other)


def test_every_step_leaves_its_event(listed: Incident, asker: User) -> None:
    made, _ = actions.make_export(allowed(listed, asker), by=asker)
    actions.download_export(made, by=asker)
    types = Event.objects.filter(type__startswith="people.export").order_by("pk").values_list("type", flat=True)
    assert list(types) == [
        "people.export_asked",
        "people.export_approved",
        "people.export_made",
        "people.exported",
    ]
    taken = Event.objects.get(type="people.exported").content
    made_event = Event.objects.get(type="people.export_made").content
    assert taken["object"]["sha256"] == made_event["object"]["sha256"] is not None
    assert (taken["data"]["people"], taken["data"]["bytes"]) == (4, made.size)


def test_the_decision_is_asked_for_and_settled(listed: Incident, asker: User) -> None:
    export = ask(listed, asker)
    decision = PendingDecision.objects.open().get()
    assert (decision.permission, decision.object_id) == ("people.approve_export", export.pk)
    actions.withdraw_export(export, by=asker)
    assert not PendingDecision.objects.open().exists()


# The screens


def test_the_screens_from_asking_to_the_download(listed: Incident, asker: User) -> None:
    client, approver = client_for(asker), make_user("approver")
    form = {"which": "country", "country": "DE", "columns": FIELDS, "reason": REASON}
    asked = client.post(reverse("export-ask", args=[listed.reference]), form)
    export = PeopleExport.objects.get()
    assert asked.status_code == 302
    page = client_for(approver).get(asked["Location"]).content.decode()
    assert "May the data of 1 person leave?" in page
    assert REASON in page
    assert "Allow it for 24 hours" not in client.get(asked["Location"]).content.decode()
    assert post(approver, "export-allow", export, version=1).status_code == 302
    assert post(asker, "export-make", export, version=2).status_code == 200
    taken = post(asker, "export-download", export)
    content = b"".join(taken.streaming_content)
    assert sha256(content).digest() == bytes(PeopleExport.objects.get().sha256 or b"")
    assert (taken["Content-Type"], taken["Cache-Control"]) == ("application/zip", "no-store")
    assert f"{listed.reference}-people.zip" in taken["Content-Disposition"]
    assert "Only those in Germany" in client.get(reverse("exports", args=[listed.reference])).content.decode()


def test_refusing_says_why(listed: Incident, asker: User) -> None:
    export, approver = ask(listed, asker), make_user("approver")
    assert post(approver, "export-refuse", export, version=1, reason="").status_code == 422
    assert post(approver, "export-refuse", export, version=1, reason="Too much zyxdata.").status_code == 302
    assert PeopleExport.objects.get().state == State.REFUSED
    assert b"zyxdata" not in bytes(Event.objects.get(type="people.export_refused").body)


@pytest.mark.parametrize("name", ["export-allow", "export-make", "export-download", "export-withdraw"])
def test_the_auditor_only_reads(listed: Incident, asker: User, name: str) -> None:
    export = ask(listed, asker)
    auditor = make_user("auditor")
    assert client_for(auditor).get(reverse("export", args=[listed.reference, export.pk])).status_code == 200
    assert post(auditor, name, export, version=1).status_code == 403


def test_one_country_must_be_named(listed: Incident, asker: User) -> None:
    form = {"which": "country", "columns": FIELDS, "reason": REASON}
    page = client_for(asker).post(reverse("export-ask", args=[listed.reference]), form)
    assert (page.status_code, "Choose the country." in page.content.decode()) == (422, True)


def test_the_trail_offers_the_export_among_what_the_case_holds(listed: Incident, asker: User) -> None:
    export = actions.withdraw_export(ask(listed, asker), by=asker)
    trail = client_for(make_user("auditor")).get(
        reverse("incident-trail", args=[listed.reference]), {"on": str(export.pk)}
    )
    assert "Export asked for on" in trail.content.decode()
    assert "withdrew a request to export personal data" in trail.content.decode()
    assert "loaded" not in trail.content.decode().split('class="event"', 1)[1]
