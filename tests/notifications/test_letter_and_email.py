"""Who has a letter gets no email; and one row that was tampered with stops nobody else's next step."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from breachdesk.people.models import Person
from notifications.actions import begin_letters, try_second_address, void_letters
from notifications.amendments import newcomers
from notifications.models import Edition
from tests.factories import make_user, unguarded
from tests.notifications.undelivered import delivery_of, make_undelivered, person

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sent(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_undelivered()


def test_who_has_a_letter_is_not_written_to_by_email_as_well(sent: Edition) -> None:
    run, carla = begin_letters(sent, window="uk", by=make_user("approver")), person("HR-3")
    with unguarded():
        Person.objects.filter(pk=carla.pk).update(has_email=True, email_index=b"i" * 16)
    assert not newcomers(sent).exists(), "her address came after her letter"
    void_letters(run, reason="Wrong paper.", by=make_user("dpo"))
    assert newcomers(sent).get() == carla


def test_a_row_that_was_tampered_with_has_no_second_address_and_stops_no_other(sent: Edition, client: Client) -> None:
    with unguarded():
        Person.objects.filter(pk=person("HR-4").pk).update(row_checksum=b"x" * 32)
    client.force_login(make_user("approver"))
    reach = reverse("notice-reach", args=[sent.notice.incident.reference, sent.notice_id])
    assert client.get(reach).status_code == 200
    edition = Edition.objects.with_incident().get(pk=sent.pk)
    assert try_second_address(edition, reason="It is dead.", by=make_user("approver")).people == 1
    assert (delivery_of("HR-2").state, delivery_of("HR-4").state) == ("planned", "refused")
