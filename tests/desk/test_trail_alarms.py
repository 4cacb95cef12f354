"""The warning about the trail that nobody can miss, and what the status page says of each place outside."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import get_resolver, reverse
from django.utils import timezone

from breachdesk.audit.alarms import alarms
from breachdesk.audit.anchors import mail_if_due, stamp_if_due
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_everything
from tests.factories import make_incident

pytestmark = pytest.mark.django_db

NOBODY = "Nobody outside holds the state of the trail"


@pytest.fixture
def configure(settings):
    get_resolver().url_patterns  # noqa: B018 - which addresses there are hangs on demo, and is asked once in a run

    def change(**update):
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update=update)

    return change


@pytest.fixture
def stamping(local_tsa, signing, configure):
    """In production, with an authority configured and a log that is signed."""
    configure(demo=False, tsa_urls=local_tsa.url, tsa_roots_file=local_tsa.roots_file)
    signing.sign()
    return local_tsa


def page(client, name="home"):
    return client.get(reverse(name)).content.decode()


def in_hours(number):
    return timezone.now() + timedelta(hours=number)


def test_production_without_an_anchor_warns_on_every_page(signed_in, configure):
    configure(demo=False)
    incident, client = make_incident(), signed_in("dpo")
    for address in (reverse("home"), reverse("incident-list"), incident.get_absolute_url(), reverse("trail")):
        assert NOBODY in client.get(address).content.decode()


def test_whoever_can_do_something_reads_what(signed_in, configure):
    configure(demo=False)
    assert "Set BREACHDESK_TSA_URLS" in page(signed_in("administrator"))
    assert "Tell your administrator" in page(signed_in("auditor"))


def test_the_demo_says_it_quietly(signed_in):
    assert alarms(timezone.now()) == []
    assert NOBODY not in page(signed_in("dpo"))
    assert "no outside anchor is configured" in page(signed_in("dpo"))
    status = page(signed_in("administrator"), "status")
    assert "No outside anchor is configured" in status
    assert 'data-tone="error"' not in status


def test_a_stamp_in_time_is_no_alarm_and_its_age_is_shown(signed_in, stamping):
    assert stamp_if_due(timezone.now())
    assert alarms(in_hours(2.9)) == []
    assert "its state was last left outside just now" in page(signed_in("dpo"))
    status = page(signed_in("administrator"), "status")
    assert "Time stamps of 127.0.0.1" in status
    assert "Left there" in status


def test_an_old_stamp_is_an_alarm_in_words(stamping):
    assert stamp_if_due(timezone.now())
    (alarm,) = alarms(in_hours(3.1))
    assert "Nobody outside has got the state of the trail for 3 hours" in alarm.what


def test_an_authority_that_never_answered_is_an_alarm_too(signed_in, stamping):
    stamping.behaves = "error"
    assert not stamp_if_due(timezone.now())[0].ok
    assert alarms(in_hours(1)) == []
    assert "since the trail was first signed, 3 hours ago" in alarms(in_hours(3.1))[0].what
    assert "It answered with HTTP 500." in page(signed_in("administrator"), "status")


def test_the_dpos_own_copy_is_not_outside(signing, configure):
    configure(demo=False, anchor_mail="evidence@lawyers.example")
    signing.sign()
    configure(anchor_mail="")
    assert mail_if_due(timezone.now(), dpo="dpo@harrow.example")
    configure(anchor_mail="evidence@lawyers.example")
    assert alarms(in_hours(26)) == []
    assert "since the trail was first signed" in alarms(in_hours(28))[0].what
    assert mail_if_due(timezone.now())
    assert alarms(in_hours(26)) == []
    assert "for 28 hours" in alarms(in_hours(28.5))[0].what


def test_a_signer_that_refuses_is_an_alarm_until_it_signs(signed_in, signing):
    signing.sign()
    with transaction.atomic():
        record("checkpoint.refused", by=None, why="not_extended", size=9, last_size=1)
    assert "the signer refuses" in page(signed_in("dpo"))
    status = page(signed_in("administrator"), "status")
    assert "Refused at 9 entries (not_extended); the last signed state has 1." in status
    assert "Delete nothing." in status
    signing.sign()
    assert "the signer refuses" not in page(signed_in("dpo"))


def test_a_log_that_is_not_signed_for_long_is_an_alarm(signing):
    signing.sign()
    with transaction.atomic():
        record("heartbeat", by=None, log_size=1)
    assert alarms(in_hours(1)) == []
    sequence_everything()
    assert alarms(timezone.now()) == []
    assert "has not been signed for 60 minutes" in alarms(in_hours(1))[0].what


def test_alarms_cost_one_query(signing, django_assert_num_queries):
    signing.sign()
    with django_assert_num_queries(1):
        alarms(timezone.now())
