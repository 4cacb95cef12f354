import json
from base64 import b64decode
from hashlib import sha256

import pytest
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.canonical import base64url, from_base64url
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.tree import leaf_of, verifies_inclusion
from breachdesk.incidents.actions import Facts, change_facts
from regulators.actions import open_filing
from tests.factories import make_edition, make_incident, make_user

pytestmark = pytest.mark.django_db


def trail(client, incident=None, **asked):
    address = reverse("incident-trail", args=[incident.reference]) if incident else reverse("trail")
    response = client.get(address, asked)
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_who_did_what_and_the_hash_of_it(signed_in):
    incident = make_incident()
    page = trail(signed_in("auditor"), incident)
    assert f"logged the incident {incident.reference}" in page
    assert incident.opened_by.name in page
    assert "incident.opened" in page


def test_one_case_shows_nothing_of_another(signed_in):
    one, other = make_incident(), make_incident()
    page = trail(signed_in("auditor"), one)
    assert f"logged the incident {other.reference}" not in page


def test_it_filters_by_who_what_and_day(signed_in):
    incident, client = make_incident(), signed_in("auditor")
    stranger = make_user("dpo")
    logged = f"logged the incident {incident.reference}"
    assert logged in trail(client, who=incident.opened_by.pk)
    assert logged not in trail(client, who=stranger.pk)
    assert logged in trail(client, what="incident")
    assert logged not in trail(client, what="filings")
    assert logged in trail(client, start=timezone.localdate().isoformat())
    assert logged not in trail(client, end="2020-01-01")


def test_a_filter_that_cannot_be_read_says_so_and_hides_nothing(signed_in):
    incident = make_incident()
    page = trail(signed_in("auditor"), start="yesterday")
    assert "Enter a valid date" in page
    assert f"logged the incident {incident.reference}" in page


def test_linked_is_counted_and_never_called_verified(signed_in):
    make_incident()
    client = signed_in("auditor")
    linked = sequence_pending()
    page = trail(client)
    assert "Linked, not verified yet" in page
    assert f"{linked} events of this installation are linked" in page
    assert "No checkpoint is signed yet" in page


def test_it_is_verified_when_somebody_asks_and_the_trail_keeps_the_answer(signed_in):
    make_incident()
    client = signed_in("auditor")
    linked = sequence_pending()
    client.post(reverse("trail-verify"))
    assert f"Verified: {linked} entries" in trail(client)
    event = Event.objects.of_type("trail.verified").get()
    assert event.content["actor"]["id"] == str(client.user.pk)
    assert (event.content["data"]["verdict"], event.content["data"]["size"]) == ("valid", linked)


def test_a_trail_that_was_changed_is_called_broken_where_it_is(signed_in, superuser_sql):
    make_incident()
    sequence_pending()
    superuser_sql(
        "UPDATE audit_event SET body = body || ' '::bytea WHERE event_id IN"
        " (SELECT event_id FROM audit_entry WHERE idx = 2)"
    )
    client = signed_in("auditor")
    answer = client.post(reverse("trail-verify"), headers={"HX-Request": "true"}).content.decode()
    assert "The trail is broken at entry 2" in answer
    assert 'data-tone="alarm"' in answer
    assert "Rule 4" in trail(client)


def test_an_earlier_verification_says_how_much_came_since(signed_in):
    make_incident()
    client = signed_in("auditor")
    sequence_pending()
    client.post(reverse("trail-verify"))
    came = sequence_pending()
    assert f"{came} came since then" in trail(client)


def test_a_changed_text_stands_beside_what_it_was(signed_in):
    incident = make_incident(what_happened="A carrier lost a list.\nNobody knows how.")
    facts = Facts(what_happened="A carrier lost a list.\nA laptop was stolen.", origin="own", kinds=["name"])
    change_facts(incident, facts, expected_version=incident.version, by=make_user("responder"))
    page = trail(signed_in("auditor"), incident)
    assert '<div class="same"><span>A carrier lost a list.</span></div>' in page
    assert '<div class="was"><del>Nobody knows how.</del></div>' in page
    assert '<div class="now"><ins>A laptop was stolen.</ins></div>' in page


def test_what_was_before_comes_from_the_same_object_alone(signed_in):
    make_incident(what_happened="Another story altogether.")
    incident = make_incident(what_happened="The first words of this one.")
    page = trail(signed_in("auditor"))
    assert "<del>" not in page
    assert incident.what_happened in page


def test_it_filters_by_what_it_is_about(signed_in):
    edition = make_edition()
    incident, client = edition.notice.incident, signed_in("dpo")
    filing = open_filing(incident, "uk_ico", by=client.user)
    begun, opened = "began the English edition", "opened the form"
    assert begun in trail(client, incident)
    about_filing = trail(client, incident, on=filing.pk)
    assert opened in about_filing
    assert begun not in about_filing
    about_edition = trail(client, incident, on=edition.pk)
    assert begun in about_edition
    assert opened not in about_edition


def test_a_single_event_is_handed_out_with_its_proof(signed_in, signing):
    client = signed_in("auditor")
    signing.sign()
    answer = client.get(reverse("trail-proof", args=[1]))
    assert answer["Content-Disposition"] == 'attachment; filename="breachdesk-event-1.json"'
    proof = json.loads(b"".join(answer.streaming_content))
    entry = proof["entry"].encode()
    path = [from_base64url(step) for step in proof["proof"]]
    root = b64decode(proof["checkpoint"].splitlines()[2])
    assert json.loads(entry)["n"] == 1
    assert json.loads(entry)["body"] == base64url(sha256(proof["body"].encode()).digest())
    assert verifies_inclusion(leaf_of(entry), 1, int(proof["checkpoint"].splitlines()[1]), path, root)
    text = b"".join(client.get(reverse("trail-proof", args=[1]), {"as": "tlog-proof"}).streaming_content)
    assert text.startswith(b"c2sp.org/tlog-proof@v1\n")


def test_what_no_checkpoint_covers_is_refused_with_a_sentence(signed_in):
    make_incident()
    sequence_pending()
    answer = signed_in("auditor").get(reverse("trail-proof", args=[0]))
    assert answer.status_code == 409
    assert "No signed checkpoint covers entry 0 yet" in answer.content.decode()


@pytest.mark.parametrize(("name", "arguments"), [("trail-verify", []), ("trail-proof", [0])])
def test_neither_is_for_who_may_not_see_the_trail(signed_in, name, arguments):
    client = signed_in("administrator")
    asked = client.post if name == "trail-verify" else client.get
    assert asked(reverse(name, args=arguments)).status_code == 403
    assert not Event.objects.of_type("trail.verified").exists()


def test_typed_text_is_opened_for_who_may_see_the_case(signed_in):
    incident = make_incident(what_happened="A parcel carrier lost a list.")
    assert "A parcel carrier lost a list." in trail(signed_in("auditor"), incident)


@pytest.mark.parametrize("name", ["trail"])
def test_it_refuses_who_may_not_see_it(signed_in, name):
    assert signed_in("administrator").get(reverse(name)).status_code == 403


def test_what_the_product_did_by_itself_is_left_out_and_said_so(signed_in):
    incident, client = make_incident(), signed_in("auditor")
    assert "made the data key" not in trail(client, incident)
    assert "is left out" in trail(client, incident)
    assert "made the data key" in trail(client, incident, what="everything")
