"""Keys from before there were halves get theirs by one command, each with its event."""

import os
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.verification import verify
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import _wrapping as wrapping
from breachdesk.vault.sealing import cipher_for
from breachdesk.vault.shares import DATA, INDEX, destroy_shares, shares_folder, shares_in
from tests.factories import make_incident, unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def older(tmp_path, monkeypatch):
    """A case as an earlier version left it: both keys wrapped by the master key alone, no file beside."""
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"state_dir": tmp_path}))
    incident = make_incident(what_happened="Zoltan Karpathy rang.")
    with unguarded():
        for which in (DATA, INDEX):
            key = os.urandom(32)
            DataKey.objects.filter(scope=incident.pk).update(
                **{f"wrapped_{which}": wrapping(incident.pk, which, None).wrap(key)}, shared_at=None
            )
    destroy_shares([(incident.pk, DATA), (incident.pk, INDEX)])
    return incident


def share_keys():
    out = StringIO()
    call_command("share_keys", stdout=out)
    return out.getvalue()


def test_it_shares_each_key_once_and_says_what_older_copies_mean(older):
    sealed = cipher_for(older.pk).seal(b"Anna", table="t", column="c", row=older.pk)
    said = share_keys()
    assert "1 data keys" in said
    assert "destroy those copies too" in said
    assert cipher_for(older.pk).unseal(sealed, table="t", column="c", row=older.pk) == b"Anna"
    assert {f"{older.pk}.data", f"{older.pk}.index"} <= {path.name for path in shares_in(shares_folder())}
    event = Event.objects.of_type("key.shared").get()
    assert (event.incident, event.content["object"]["version"]) == (older.pk, 2)
    assert share_keys() == ""
    assert Event.objects.of_type("key.shared").count() == 1


def test_an_older_destruction_says_which_copies_still_open(older):
    from breachdesk.vault.key_copies import what_still_opens

    assert ["master key alone" in told for told in what_still_opens(older.pk, DATA)] == [True]
    share_keys()
    assert ["master key alone" in told for told in what_still_opens(older.pk, DATA)] == [True]
    assert what_still_opens(make_incident().pk, DATA) == []


def test_without_the_master_key_it_says_so(older, tmp_path, monkeypatch):
    gone = settings.BREACHDESK.model_copy(update={"master_key_file": tmp_path / "gone"})
    monkeypatch.setattr(settings, "BREACHDESK", gone)
    with pytest.raises(CommandError, match="does not exist"):
        share_keys()


def test_the_trail_verifies_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"state_dir": tmp_path}))
    incident = make_incident()
    with unguarded():
        key = DataKey.objects.get(scope=incident.pk)
        from breachdesk.vault.shares import read_share

        for which in (DATA, INDEX):
            opened = wrapping(incident.pk, which, read_share(incident.pk, which)).unwrap(
                bytes(getattr(key, f"wrapped_{which}"))
            )
            setattr(key, f"wrapped_{which}", wrapping(incident.pk, which, None).wrap(opened))
        key.shared_at = None
        key.save()
    share_keys()
    sequence_pending()
    assert verify().verdict == "VALID"
