"""The corpus through the product: sealed, matched, read by the worker; people and rejected rows in the database."""

import json

import pytest
from django.core.exceptions import ValidationError

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import match_columns, receive_upload
from breachdesk.people.models import Person, RejectedRow, Upload
from breachdesk.people.personal import personal_of
from breachdesk.people.reading.plan import Column, Plan
from breachdesk.people.reading.tables import inspect
from breachdesk.people.uploads import opened, seal_chunks
from breachdesk.people.working import work_on_upload
from breachdesk.vault.sealing import cipher_for
from tests.factories import make_incident, make_user
from tests.people.reading.nasty import HEADINGS
from tests.people.reading.nasty_files import NASTY_FILES

FIELDS = dict(zip(HEADINGS, ["reference", "full_name", "email", "city"], strict=True)) | {"full name": "full_name"}
LOADED = [nasty for nasty in NASTY_FILES if not nasty.refusal and not nasty.unmatched]
UNMATCHED = [nasty for nasty in NASTY_FILES if nasty.unmatched]
FAILED = [nasty for nasty in NASTY_FILES if nasty.when == "read"]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def case(made_once, django_db_blocker):
    """One for all of them: each file is taken back after its test."""
    with django_db_blocker.unblock():
        return make_incident(), make_user("responder")


def named(nasty):
    return nasty.name


def matched(nasty):
    """The file handed in, and its columns matched on what inspect() shows of it."""
    upload, user = received(nasty)
    with opened(upload, cipher_for(upload.incident_id)) as file:
        inspection = inspect(file, nasty.wanted)
    headings = inspection.headings if inspection.source.header_row else HEADINGS
    plan = Plan(inspection.source, tuple(Column(heading, FIELDS.get(heading, "")) for heading in headings))
    plan.check()
    return match_columns(upload, plan, purpose="add", expected_version=upload.version, by=user, ring=False)


def received(nasty):
    incident, user = Incident.objects.get(), User.objects.filter(groups__name="responder")[0]
    content = nasty.make()
    sealed = seal_chunks(incident.pk, "list", (content[n : n + 70_000] for n in range(0, len(content), 70_000)))
    return receive_upload(incident, sealed, by=user), user


@pytest.mark.parametrize("nasty", LOADED, ids=named)
def test_its_people_and_its_reasons_are_in_the_database(nasty):
    upload = work_on_upload(matched(nasty).pk)
    assert (upload.state, upload.failure) == (Upload.State.CHECKED, "")
    rejected = {row.row_number: row.reason for row in RejectedRow.objects.filter(upload=upload)}
    assert rejected == nasty.problems | nasty.reasons
    cipher = cipher_for(upload.incident_id)
    people = [personal_of(cipher, person) for person in Person.objects.filter(upload=upload)]
    kept = [fields for number, fields in nasty.rows if number not in rejected]
    assert sorted(map(shown, people)) == sorted(expected(nasty, fields) for fields in kept)


@pytest.mark.parametrize("nasty", FAILED, ids=named)
def test_nothing_of_a_file_that_cannot_be_read_to_its_end_counts(nasty):
    upload = work_on_upload(matched(nasty).pk)
    assert upload.state == Upload.State.FAILED
    assert nasty.refusal in upload.failure
    assert not Person.objects.filter(upload=upload).exists()


def shown(personal):
    return json.dumps({name: personal[name] for name in FIELDS.values() if name in personal}, ensure_ascii=False)


def expected(nasty, fields):
    headings = HEADINGS if nasty.headings[0] == "Column 1" else nasty.headings
    values = {
        FIELDS[heading]: text.strip() for heading, text in zip(headings, fields, strict=True) if heading in FIELDS
    }
    return shown({name: text for name, text in values.items() if text})


@pytest.mark.parametrize("nasty", UNMATCHED, ids=named)
def test_its_columns_are_refused(nasty):
    with pytest.raises(ValidationError, match=nasty.unmatched):
        matched(nasty)
