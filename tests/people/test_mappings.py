"""A mapping is kept under the name of its source, offered for the next file with its headings, and thrown away."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.people.actions import remove_mapping, save_mapping
from breachdesk.people.known_plans import known_plan
from breachdesk.people.models import ColumnMapping
from breachdesk.people.reading.plan import Column, Plan
from breachdesk.people.reading.source import Source
from tests.factories import make_incident, make_organisation, make_people, make_upload, make_user
from tests.people.pages import client_of
from tests.people.rows import inspection_of
from tests.services import database_url, until

pytestmark = pytest.mark.django_db
PLAN = Plan(
    Source(delimiter=";"),
    (Column("Wer", "full_name"), Column("Post", "email"), Column("Notiz"), Column("Stufe", "extra:tier")),
    "dmy",
    ("own_staff",),
)


def test_it_keeps_what_is_stored_and_leaves_its_event() -> None:
    mapping = save_mapping(" Larkfield  deliveries ", PLAN, by=make_user("responder"))
    kept = Plan.from_json(ColumnMapping.objects.get(name="Larkfield deliveries").plan)
    assert [column.heading for column in kept.columns] == ["Wer", "Post", "Stufe"]
    assert (kept.date_order, kept.allow) == ("dmy", ("own_staff",))
    event = Event.objects.get(type="mapping.saved")
    assert event.content["data"]["columns"] == 3
    assert "Larkfield" not in bytes(event.body).decode()
    assert mapping.version == 1


def test_the_same_name_again_replaces_it() -> None:
    user = make_user("responder")
    save_mapping("Larkfield", PLAN, by=user)
    save_mapping("Larkfield", Plan(Source(), (Column("Name", "full_name"), Column("Mail", "email"))), by=user)
    mapping = ColumnMapping.objects.get()
    assert mapping.version == 2
    assert [heading for heading, _ in mapping.plan["columns"]] == ["Name", "Mail"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_it_refuses_a_name_that_says_nothing(name) -> None:
    with pytest.raises(ValidationError):
        save_mapping(name, PLAN, by=make_user("responder"))
    assert not ColumnMapping.objects.exists()


@pytest.mark.parametrize(
    "plan",
    [
        Plan(Source(), (Column("Ana Ng", "full_name"), Column("ana@example.com", "email"))),
        Plan(Source(), (Column("Ana", "full_name"), Column("01632 960123", "phone"), Column("Mail", "email"))),
        Plan(Source(header_row=0), (Column("Column 1", "full_name"), Column("Column 2", "email"))),
        Plan(Source(), (Column("Name", "full_name"),)),
    ],
)
def test_it_keeps_no_plan_whose_headings_look_like_somebody(plan) -> None:
    with pytest.raises(ValidationError):
        save_mapping("Larkfield", plan, by=make_user("responder"))
    assert not ColumnMapping.objects.exists()


def test_only_who_loads_people_may_keep_and_remove() -> None:
    mapping = save_mapping("Larkfield", PLAN, by=make_user("responder"))
    with pytest.raises(PermissionDenied):
        save_mapping("Other", PLAN, by=make_user("auditor"))
    with pytest.raises(PermissionDenied):
        remove_mapping(mapping, by=make_user("auditor"))


def test_it_is_removed_with_its_event_and_once() -> None:
    user = make_user("responder")
    mapping = save_mapping("Larkfield", PLAN, by=user)
    pk = mapping.pk
    remove_mapping(mapping, by=user)
    assert not ColumnMapping.objects.exists()
    assert Event.objects.get(type="mapping.removed").content["object"]["id"] == str(pk)
    with pytest.raises(ValidationError, match="meanwhile"):
        remove_mapping(ColumnMapping(name="Larkfield"), by=user)


def test_whoever_loads_lists_removes_one_on_its_page() -> None:
    make_organisation()
    incident = make_incident()
    mapping = save_mapping("Larkfield", PLAN, by=make_user("responder"))
    page, remove = reverse("people-mappings", args=[incident.reference]), [incident.reference, mapping.pk]
    assert client_of("auditor").get(page).status_code == 403
    assert client_of("auditor").post(reverse("mapping-remove", args=remove)).status_code == 403
    client = client_of("responder")
    assert "3 columns" in client.get(page).content.decode()
    answer = client.post(reverse("mapping-remove", args=remove), follow=True).content.decode()
    assert "“Larkfield” is removed" in answer
    assert "No mapping is kept" in answer
    assert not ColumnMapping.objects.exists()


def test_two_colleagues_who_keep_the_same_new_name_at_once_are_told() -> None:
    """The other one's row is written and not committed yet: nobody sees it, and the name's constraint waits for it."""
    by, mine = make_user("responder"), backend_of(connection)
    with psycopg.connect(database_url(), autocommit=True) as other, ThreadPoolExecutor(1) as thread:
        other.execute("SET session_replication_role = replica")
        other.execute("BEGIN")
        other.execute(
            "INSERT INTO people_columnmapping (id, name, plan, saved_by_id, saved_at, version)"
            " VALUES (gen_random_uuid(), 'Larkfield', '{}', gen_random_uuid(), now(), 1)"
        )
        try:
            committed = thread.submit(lambda: (until(lambda: waits(mine)), other.execute("COMMIT")))
            with pytest.raises(ValidationError, match="A colleague has kept other choices under this name just now"):
                save_mapping("Larkfield", PLAN, by=by)
            committed.result()
        finally:
            other.execute("DELETE FROM people_columnmapping WHERE name = 'Larkfield'")


def backend_of(connected: Any) -> int:
    with connected.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def waits(backend: int) -> bool:
    with psycopg.connect(database_url()) as watching:
        asked = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        return bool(watching.execute(asked, [backend]).fetchone()[0])


def test_it_is_offered_for_a_file_with_its_headings() -> None:
    save_mapping("Larkfield", PLAN, by=make_user("responder"))
    upload = make_upload(make_incident())
    known = known_plan(upload, inspection_of("STUFE,New,Post,Wer\nGold,1,a@example.com,Ana"))
    assert known.name == "Larkfield"
    assert [column.becomes for column in known.plan.columns] == ["extra:tier", "", "email", "full_name"]
    assert (known.plan.date_order, known.plan.allow) == ("dmy", ("own_staff",))
    assert known.plan.source == Source()
    assert known_plan(upload, inspection_of("Post,Wer\na@example.com,Ana")) is None


def test_an_earlier_file_of_the_incident_is_offered_before_a_mapping() -> None:
    incident = make_incident()
    earlier = make_people(incident)
    later = make_upload(incident, "customer_id,first_name\n")
    headings = "customer_id,first_name,last_name,email,street,city,country,language,date_of_birth,data_exposed"
    assert known_plan(later, inspection_of(headings)).name == earlier.file_name
    assert known_plan(make_upload(make_incident(), "x,y\n"), inspection_of(headings)) is None
