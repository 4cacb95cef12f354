from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.models import Event, PrivateValue
from breachdesk.incidents.actions import Facts, StatedMoment, open_incident
from breachdesk.incidents.models import Incident
from breachdesk.vault.models import DataKey
from tests.factories import make_user

pytestmark = pytest.mark.django_db

FACTS = Facts(
    what_happened="The supplier Larkfield Parcels lost our delivery list.",
    origin="processor",
    processor="Larkfield Parcels",
    kinds=["name", "postal_address"],
    people_low=5_000,
    people_high=5_000,
)


def aware(hours_ago=5):
    return StatedMoment("aware", timezone.now() - timedelta(hours=hours_ago), basis="Larkfield rang the service desk.")


def answers(**changes):
    moment = timezone.localtime() - timedelta(hours=5)
    return {
        "intake": str(uuid4()),
        "aware-date": f"{moment:%Y-%m-%d}",
        "aware-time": f"{moment:%H:%M}",
        "aware-zone": "UTC",
        "aware-precision": "about",
        "aware-basis": "Larkfield rang the service desk.",
        "told-zone": "UTC",
        "told-precision": "exact",
        "began-zone": "UTC",
        "began-precision": "not_known",
        "what_happened": "The supplier lost our delivery list.",
        "origin": "processor",
        "processor": "Larkfield Parcels",
        "our_role": "controller",
        "kinds": ["name", "postal_address"],
        "how_many": "not_known",
    } | changes


def test_a_responder_logs_it_and_the_clock_runs(client):
    client.force_login(make_user("responder"))
    response = client.post(reverse("incident-new"), answers())
    incident = Incident.objects.get()
    assert response.url == f"/incidents/{incident.reference}/"
    assert incident.reference == f"BD-{timezone.now().year}-0001"
    assert incident.title == "The supplier lost our delivery list"
    assert incident.people_estimate == "not known"
    assert incident.aware.precision == "about"
    assert incident.moment("began").precision == "not_known"
    assert incident.moment("told_by_processor") is None


def test_it_leaves_its_events_and_its_key():
    incident = open_incident(FACTS, [aware()], by=make_user("responder"))
    assert DataKey.objects.filter(scope=incident.pk).exists()
    types = Event.objects.of_incident(incident.pk).oldest_first().values_list("type", flat=True)
    assert list(types) == ["key.created", "incident.opened", "moment.stated"]


def test_typed_words_are_not_in_the_log_itself():
    incident = open_incident(FACTS, [aware()], by=make_user("responder"))
    bodies = b"".join(bytes(event.body) for event in Event.objects.of_incident(incident.pk))
    assert b"Larkfield" not in bodies
    assert b"delivery list" not in bodies
    assert PrivateValue.objects.filter(event__incident=incident.pk, field="what_happened").exists()


def test_a_double_click_logs_one_incident(client):
    client.force_login(make_user("responder"))
    form = answers()
    first, second = (client.post(reverse("incident-new"), form) for _ in range(2))
    assert first.url == second.url
    assert Incident.objects.count() == 1
    assert Event.objects.filter(type="incident.opened").count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"what_happened": ""}, "Say in a sentence what happened"),
        ({"processor": ""}, "Name the company"),
        ({"kinds": []}, "Tick what may be included"),
        ({"how_many": "about", "people_about": "0"}, "greater than or equal to 1"),
        ({"how_many": "about"}, "choose “Not known yet”"),
        ({"how_many": "range", "people_low": "400", "people_high": "150"}, "is smaller than"),
        ({"aware-date": ""}, "Give both a date and a time"),
        ({"aware-date": "2999-01-01"}, "is in the future"),
        ({"aware-date": "2026-03-29", "aware-time": "01:30", "aware-zone": "Europe/London"}, "did not exist"),
    ],
)
def test_each_wrong_answer_gets_its_sentence_and_nothing_is_lost(client, change, sentence):
    client.force_login(make_user("responder"))
    response = client.post(reverse("incident-new"), answers(**change))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert "Larkfield rang the service desk." in response.content.decode()
    assert not Incident.objects.exists()
    assert not Event.objects.filter(type="incident.opened").exists()


def test_a_time_later_today_is_answered_with_a_question(client):
    client.force_login(make_user("responder"))
    later = timezone.localtime() + timedelta(hours=2)
    response = client.post(
        reverse("incident-new"), answers(**{"aware-date": f"{later:%Y-%m-%d}", "aware-time": f"{later:%H:%M}"})
    )
    assert "Did you mean yesterday" in response.content.decode()


@pytest.mark.parametrize("role", ["author", "approver", "auditor", "administrator"])
def test_it_refuses_every_other_role(client, role):
    user = make_user(role)
    client.force_login(user)
    assert client.post(reverse("incident-new"), answers()).status_code == 403
    with pytest.raises(PermissionDenied, match="Incident responder or Data protection officer"):
        open_incident(FACTS, [aware()], by=user)
    assert not Incident.objects.exists()


def test_without_awareness_there_is_no_incident():
    with pytest.raises(ValidationError, match="Say when you became aware"):
        open_incident(FACTS, [], by=make_user("responder"))


def test_not_known_is_never_stored_as_zero():
    incident = open_incident(FACTS, [aware()], by=make_user("responder"))
    with pytest.raises(IntegrityError, match="not_known_is_never_zero"), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(people_low=0)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_get_two_references():
    user = make_user("responder")

    def log():
        open_incident(FACTS, [aware()], by=user)
        connection.close()

    threads = [Thread(target=log) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Incident.objects.values_list("reference", flat=True)) == [
        f"BD-{timezone.now().year}-{n:04}" for n in range(1, 5)
    ]
