"""Who may export a case from a screen, and what the trail says about it."""

from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from pytest_django import Settings

from breachdesk.audit.bundle.export import Bundle, Order
from breachdesk.audit.models import Event, PrivateValue
from breachdesk.desk.bundle import export_bundle
from breachdesk.incidents.models import Incident
from tests.desk.exporting import Exporting, check, exporting
from tests.factories import make_incident, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def export(db: None, settings: Settings, tmp_path: Path) -> Exporting:
    return exporting(settings, tmp_path)


def export_by(role: str, export: Exporting, incident: Incident, *, private: bool = False) -> Bundle:
    order = Order(incident.pk, incident.reference, private=private)
    with export.signer():
        return export_bundle(
            incident, order, export.folder / "case.zip", by=make_user(role), recipient="Rolle & Partner, solicitors"
        )


def test_the_auditor_may_export_what_names_nobody(export: Exporting) -> None:
    made = export_by("auditor", export, make_incident())
    assert made.size == (export.folder / "case.zip").stat().st_size
    assert check(export.folder / "case.zip")["verdict"] == "VALID"


@pytest.mark.parametrize(
    ("role", "private"), [("author", False), ("approver", False), ("administrator", False), ("auditor", True)]
)
def test_nobody_else_may_and_nothing_is_recorded(role: str, private: bool, export: Exporting) -> None:
    with pytest.raises(PermissionDenied, match="Nothing was changed"):
        export_by(role, export, make_incident(), private=private)
    assert list(export.folder.iterdir()) == []
    assert not Event.objects.of_type("bundle.exported").exists()


def test_with_sealed_values_opened_it_takes_a_data_protection_officer(export: Exporting) -> None:
    export_by("dpo", export, make_incident(), private=True)
    found = check(export.folder / "case.zip")
    assert found["verdict"] == "VALID"


def test_the_trail_says_who_and_seals_for_whom(export: Exporting) -> None:
    incident = make_incident()
    export_by("dpo", export, incident)
    event = Event.objects.of_incident(incident.pk).of_type("bundle.exported").get()
    assert event.content["actor"]["kind"] == "user"
    assert event.content["object"]["id"] == str(incident.pk)
    assert b"Rolle" not in bytes(event.body)
    assert PrivateValue.objects.filter(event=event, field="recipient").exists()
