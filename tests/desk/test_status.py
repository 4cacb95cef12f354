import pytest
from django.urls import reverse

from breachdesk import pulse
from breachdesk.desk.tasks import pulse as beat_pulse

pytestmark = pytest.mark.django_db


def status(client):
    response = client.get(reverse("status"))
    assert response.status_code == 200
    return response.content.decode()


def test_a_part_nobody_started_is_named_with_its_remedy(signed_in, forgotten_pulses):
    page = status(signed_in("administrator"))
    assert "Never ran" in page
    assert "manage.py run_sequencer" in page


def test_a_part_that_gave_a_sign_of_life_runs(signed_in, forgotten_pulses, monkeypatch):
    monkeypatch.setattr(pulse, "_noted", {})
    beat_pulse()
    assert pulse.last_run("beat") is not None
    page = status(signed_in("administrator"))
    assert page.count("Never ran") == 4
    assert "manage.py run_eraser" in page


def test_a_dead_relay_is_said_plainly(signed_in):
    assert "127.0.0.1:1 does not answer" in status(signed_in("administrator"))


def test_the_bounds_of_doubt_are_told_in_people_and_the_second_way_out(signed_in, settings):
    administrator = signed_in("administrator")
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_connections": 5, "send_window": 6})
    page = " ".join(status(administrator).split())
    assert "5 people: one for each of its 5 connections" in page
    assert "A worker is 2 such processes." in page
    assert "30 people for each process: a window of 6 on each of 5 connections" in page
    assert "Up to 5 more: another connection takes the place of each one that waits." in page
    assert "if the first way fails, a send waits until it is back" in page
    second = {"second_transport": "smtp", "second_smtp_host": "127.0.0.1", "second_smtp_port": 9}
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update=second)
    assert "127.0.0.1:9 does not answer" in status(administrator)


def test_it_is_for_administrators(signed_in):
    assert signed_in("dpo").get(reverse("status")).status_code == 403
