"""A bundle made on the page is the one the command makes, and leaves nothing behind."""

import tempfile

import pytest
from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.desk import views
from tests.desk.exporting import check, exporting
from tests.factories import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def hurried(monkeypatch):
    """Nobody signs here, so there is nothing to wait for."""
    monkeypatch.setattr(views, "PATIENCE", 0.2)


def address(incident):
    return reverse("incident-bundle", args=[incident.reference])


def test_it_refuses_until_somebody_signs_and_says_what_to_start(signed_in, hurried):
    incident = make_incident()
    answer = signed_in("dpo").post(address(incident), {"recipient": "The ICO"})
    assert answer.status_code == 422
    assert "Nothing signs this log yet" in answer.content.decode()
    assert not Event.objects.of_type("bundle.exported").exists()


def test_it_waits_for_a_checkpoint_only_so_long(signed_in, signing, hurried):
    incident = make_incident()
    answer = signed_in("dpo").post(address(incident), {"recipient": "The ICO"})
    assert answer.status_code == 422
    assert "No signed checkpoint covers" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_it_hands_out_what_an_outsider_finds_valid_and_keeps_no_copy(signed_in, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    export = exporting(settings, tmp_path)
    incident, client = make_incident(), signed_in("dpo")
    with export.signer():
        answer = client.post(address(incident), {"recipient": "The ICO", "private": "on"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Disposition"] == f'attachment; filename="{incident.reference}-evidence.zip"'
    (tmp_path / "bundle.zip").write_bytes(b"".join(answer.streaming_content))
    assert check(tmp_path / "bundle.zip")["verdict"] == "VALID"
    assert list(tmp_path.glob("breachdesk-bundle-*")) == []
    event = Event.objects.of_type("bundle.exported").get()
    assert event.content["actor"]["id"] == str(client.user.pk)
    assert b"The ICO" not in bytes(event.body)
    assert describe([event], private=True)[0].private == {"recipient": "The ICO"}


def test_it_asks_who_it_is_for(signed_in, signing):
    answer = signed_in("dpo").post(address(make_incident()), {})
    assert answer.status_code == 422
    assert "Say who gets it" in answer.content.decode()


@pytest.mark.parametrize("role", ["responder", "author", "administrator"])
def test_it_refuses_who_may_not_export(signed_in, role):
    incident = make_incident()
    assert signed_in(role).post(address(incident), {"recipient": "Me"}).status_code == 403
    assert not Event.objects.of_type("bundle.exported").exists()
