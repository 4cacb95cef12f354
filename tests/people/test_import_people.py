import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from breachdesk.audit.models import Event
from breachdesk.embedded.invented_people import write_people
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person, Upload
from breachdesk.people.uploads import sealed_path
from tests.factories import LIST, make_incident, make_user

pytestmark = pytest.mark.django_db


def import_people(incident: Incident, path: Path, **options: object) -> str:
    output = StringIO()
    options.setdefault("explain_all", "The carrier confirmed it.")
    call_command("import_people", incident.reference, str(path), stdout=output, **options)
    return output.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def test_it_prints_exact_counts(tmp_path: Path) -> None:
    incident = make_incident()
    expected = write_people(tmp_path / "invented.csv", 400)
    counts = json.loads(import_people(incident, tmp_path / "invented.csv", json=True))
    assert counts["rows"] == expected.rows == counts["people"] + counts["repeated"] + counts["rejected"]
    assert (counts["people"], counts["repeated"]) == (expected.people, expected.repeated)
    assert counts["reasons"] == dict(expected.reasons)
    assert Counter(Person.objects.of(incident).values_list("country", flat=True)) == expected.countries
    assert Person.objects.of(incident).without_email().count() == expected.without_email


def test_it_says_so_in_a_sentence(path: Path) -> None:
    assert "4 people were added from 6 rows." in import_people(make_incident(), path)


def test_it_acts_for_the_one_who_is_named(path: Path) -> None:
    user = make_user("responder")
    import_people(make_incident(), path, by=user.email.upper())
    event = Event.objects.get(type="upload.received")
    assert json.loads(bytes(event.body))["actor"]["id"] == str(user.pk)


def test_it_refuses_who_may_not(path: Path) -> None:
    incident, auditor = make_incident(), make_user("auditor")
    with pytest.raises(CommandError, match="Incident responder"):
        import_people(incident, path, by=auditor.email)
    assert not Upload.objects.exists()
    assert not list(sealed_path(incident.pk).parent.glob("*.partial"))


@pytest.mark.parametrize(
    ("reference", "name", "by", "part"),
    [
        ("BD-1999-0001", "people.csv", None, "There is no incident"),
        (None, "missing.csv", None, "cannot be read"),
        (None, "people.csv", "stranger@example.com", "No colleague signs in"),
    ],
)
def test_it_refuses_in_a_sentence(path: Path, reference: str | None, name: str, by: str | None, part: str) -> None:
    incident = make_incident()
    incident.reference = reference or incident.reference
    with pytest.raises(CommandError, match=part):
        import_people(incident, path.with_name(name), by=by)
    assert not Upload.objects.exists()


def test_a_file_that_is_no_list_is_an_error_and_leaves_nothing(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7 no list")
    incident = make_incident()
    with pytest.raises(CommandError, match=r"Nobody was added\."):
        import_people(incident, path)
    assert (Upload.objects.get().state, Person.objects.exists()) == ("gone", False)


def test_what_looks_wrong_must_be_explained(path: Path) -> None:
    incident = make_incident()
    with pytest.raises(CommandError) as refused:
        import_people(incident, path, explain=["minors=A school trip."], explain_all="")
    assert "waits for a decision" in str(refused.value)
    assert "rejected: " in str(refused.value)
    assert "minors: " not in str(refused.value)
    assert (Upload.objects.get().state, Person.objects.of(incident).count()) == ("checked", 0)


def test_the_same_file_twice_adds_nobody(path: Path) -> None:
    incident = make_incident()
    import_people(incident, path)
    with pytest.raises(CommandError, match="handed in before"):
        import_people(incident, path)
    assert Person.objects.of(incident).count() == 4
