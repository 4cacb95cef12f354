"""Each invariant is broken once, by what only a superuser can do: the checker must say so in a sentence with the id."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from notifications import invariants, sending
from notifications.actions import pause_edition
from notifications.invariants import paced
from notifications.invariants.accepted import Accepted, digest_of
from notifications.models import Attempt, Delivery, Edition
from notifications.routes import connect
from tests.factories import make_delivery_decision, make_user, unguarded
from tests.notifications.sink import Fault, Sink
from tests.notifications.test_drain import being_sent

PEOPLE = 8
FAULTS = [
    Fault("rcpt", "550 5.1.1 nobody", "person0000"),
    Fault("rcpt", "450 4.2.1 later", "person0001"),
    Fault("dot", "take_and_drop", "person0002"),
]
ROW = "UPDATE notifications_delivery SET {change} WHERE id = %(handed_over)s"


class Undone(Exception):
    """The end of a breakage: it is rolled back."""


@pytest.fixture(scope="module")
def sent(committed_once: None) -> dict[str, Any]:
    """Eight people told: one refused, one to try again, one unknown. Ids by state, and what the sink took."""
    with pytest.MonkeyPatch.context() as patch, Sink(FAULTS) as sink:
        changes = {"smtp_port": sink.port, "smtp_timeout": 15, "smtp_connections": 2, "lease_margin": 20}
        patch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update=changes))
        edition = being_sent(PEOPLE)
        sending.drain_edition(edition.pk, connect=connect, seconds=20)
        accepted = [Accepted(time.time(), one.sender, one.to, digest_of(one.message)) for one in sink.caught]
    ids = dict(Delivery.objects.order_by("pk").values_list("state", "pk"))
    return {"edition": edition.pk, "accepted": accepted, "batch": Attempt.objects.earliest("closed_at").batch_id, **ids}


def findings(sent: dict[str, Any], statement: str, **options: Any) -> list[str]:
    """What the checker says once this was done to the rows; then it is undone."""
    said: list[str] = []
    with suppress(Undone), transaction.atomic():
        with unguarded(), connection.cursor() as cursor:
            cursor.execute(statement, {**sent, "accepted": None})
            assert cursor.rowcount, "nothing was broken"
        said = [str(finding) for finding in invariants.check(**options).findings]
        raise Undone
    return said


@pytest.mark.django_db
def test_a_sound_send_has_no_findings(sent: dict[str, Any], tmp_path: Path) -> None:
    checked = invariants.check(accepted=sent["accepted"], most_unknown=1)
    assert (checked.editions, checked.deliveries, checked.findings) == (1, PEOPLE, [])
    log = tmp_path / "accepted.jsonl"
    lines = [{"at": one.at, "from": one.sender, "to": one.to, "sha256": one.sha256} for one in sent["accepted"]]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at": 17')
    out = StringIO()
    case = Edition.objects.with_incident().get().notice.incident.reference
    call_command("check_deliveries", incident=case, sink=log, stdout=out)
    assert "8 deliveries of 1 editions were checked: everything holds" in out.getvalue()


BROKEN = {
    "1 went out, or may have, more often": """
        INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, enhanced, reason, remote_id,
            closed_at)
        SELECT gen_random_uuid(), %(handed_over)s, %(batch)s, 2, 'dot', 'handed_over', '', '', '', now()""",
    "2 though no answer, look-up or report": ROW.format(change="code = NULL"),
    "3 without an intent": ROW.format(change="handing_over_at = NULL"),
    "4 count as not sent": "UPDATE notifications_delivery SET state = 'refused' WHERE id = %(unknown)s",
    "5 no attempt says how": "DELETE FROM notifications_attempt WHERE delivery_id = %(unknown)s",
    "6 tried again, or taken as sent, though nobody": """
        UPDATE notifications_delivery SET state = 'planned', next_at = now() WHERE id = %(unknown)s""",
    "6 more was sent again than people decided": ROW.format(change="generation = 1"),
    "7 not as many as the people": "DELETE FROM notifications_delivery WHERE id = %(handed_over)s",
    "10 a worker holds": ROW.format(change="state = 'claimed'"),
    "10 nobody sealed": """
        UPDATE notifications_batch SET settled_at = NULL, lease_until = now() - interval '1 day'
        WHERE id = %(batch)s""",
    "11 rows are not those that their one event": """
        UPDATE notifications_delivery SET reply_sha256 = sha256('') WHERE id = %(handed_over)s""",
    "11 sealed and that are not": "UPDATE notifications_batch SET settled_at = NULL WHERE id = %(batch)s",
    "12 frozen list is not the one": ROW.format(change="frozen = substr(sha256(''), 1, 16)"),
    "12 on no list": ROW.format(change="frozen = NULL"),
    "13 fell back": """
        INSERT INTO notifications_mailevent (id, source, source_id, delivery_id, kind, received_at, applied_at,
            raw_sha256) SELECT gen_random_uuid(), 'test', '1', %(handed_over)s, 'bounced', now(),
            clock_timestamp() + interval '1 minute', ''""",
    "15 wait though their edition is finished": "UPDATE notifications_edition SET state = 'finished'",
    "15 nobody takes them": """
        WITH long_ago AS (UPDATE notifications_batch SET opened_at = now() - interval '1 hour')
        UPDATE notifications_delivery SET next_at = now() - interval '1 hour' WHERE id = %(retry_wait)s""",
    "17 by somebody who wrote": """
        INSERT INTO notifications_editionauthor (id, edition_id, author_id)
        SELECT gen_random_uuid(), edition_id, approver_id FROM notifications_approval""",
    "17 too few said yes": "UPDATE notifications_approval SET digest = sha256('')",
    "17 trail says nothing": "UPDATE notifications_approval SET digest = sha256('')",
}


@pytest.mark.django_db
def test_every_broken_row_is_named(sent: dict[str, Any]) -> None:
    ids = {str(value) for value in sent.values() if isinstance(value, UUID)}
    for number_and_words, statement in BROKEN.items():
        number, _, words = number_and_words.partition(" ")
        said = [line for line in findings(sent, statement) if line.startswith(f"I{number}:") and words in line]
        assert said, f"{number_and_words} was not noticed: {findings(sent, statement)}"
        assert ids & set(said[0].rstrip(".").rpartition(": ")[2].split(", ")) or number == "17", said


@pytest.mark.django_db
def test_a_hand_over_after_the_pause_is_named(sent: dict[str, Any]) -> None:
    pause_edition(Edition.objects.get(), by=make_user("dpo"))
    late = ROW.format(change="handing_over_at = now() + interval '1 minute'")
    said = findings(sent, late)
    assert [line for line in said if line.startswith("I9:") and str(sent["handed_over"]) in line]


@pytest.mark.django_db
def test_a_decision_that_one_person_made_alone_is_named(sent: dict[str, Any]) -> None:
    decision = make_delivery_decision(Edition.objects.get(), "resend")
    said = [str(finding) for finding in invariants.check().findings]
    assert [line for line in said if line.startswith("I6:") and str(decision.pk) in line]


@pytest.mark.django_db
def test_the_same_person_twice_is_named(sent: dict[str, Any]) -> None:
    """Two constraints refuse it, so they must be dropped first."""
    with suppress(Undone), transaction.atomic():
        with unguarded(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE people_person DROP CONSTRAINT one_row_per_person")
            cursor.execute("UPDATE people_person SET identity_index = sha256('')")
        said = [str(finding) for finding in invariants.check().findings]
        raise Undone
    assert [line for line in said if line.startswith("I14:")]


@pytest.mark.django_db
def test_what_the_sink_took_is_compared(sent: dict[str, Any]) -> None:
    took = sent["accepted"]
    ours = next(one for one in took if one.delivery == sent["handed_over"])
    rest = [one for one in took if one is not ours]

    def said(*others: Accepted, **options: Any) -> set[str]:
        found = invariants.check(accepted=[*rest, *others], most_unknown=0, **options).findings
        return {str(finding).partition(":")[0] for finding in found if str(ours.delivery) in str(finding)}

    assert said(ours) == set()
    assert said(ours, ours) == {"I1"}
    assert said() == {"I2"}
    assert said(misreported=[ours.delivery]) == {"I2"}, "no report makes a message count as handed over"
    with suppress(Undone), transaction.atomic():
        with unguarded():
            Delivery.objects.filter(pk=ours.delivery).update(state="delivered")
        assert said() == {"I2"}
        assert said(misreported=[ours.delivery]) == set()
        raise Undone
    assert said(replace(ours, at=ours.at - 3600)) == {"I3"}
    assert said(replace(ours, sha256="0" * 64)) == said(replace(ours, to="other@example.com")) == {"I8"}
    refused = replace(ours, sender=ours.sender.replace(ours.delivery.hex, sent["refused"].hex))
    found = [str(finding) for finding in invariants.check(accepted=[*took, refused], most_unknown=0).findings]
    assert [line for line in found if line.startswith("I4:") and str(sent["refused"]) in line]
    assert "I5: 1 deliveries are unknown; what happened explains 0 at most." in found


@pytest.mark.django_db
def test_nothing_may_be_left_when_everybody_has_stopped(sent: dict[str, Any]) -> None:
    said = [str(finding) for finding in invariants.check(at_rest=True).findings]
    assert len(said) == 1
    assert said[0].startswith("I15:")
    assert str(sent["retry_wait"]) in said[0]


@pytest.mark.django_db
def test_a_rate_that_was_passed_is_named(sent: dict[str, Any]) -> None:
    with unguarded():
        Edition.objects.update(schedule={"per_minute": 10, "per_domain": 5, "at_once": 2})
    [edition], [one, *_] = (
        Edition.objects.all(),
        [one for one in sent["accepted"] if one.delivery == sent["handed_over"]],
    )
    said = [str(finding) for finding in paced.check([edition], [one] * 3)]
    assert [line.partition(" by ")[0] for line in said] == [
        f"I16: Messages of edition {edition.pk} went out faster than its limit of 10 a minute lets them,",
        f"I16: Messages of edition {edition.pk} went out to example.com faster than its limit of 5 a minute lets them,",
    ]
    assert paced.check([edition], [replace(one, at=60.0 * n) for n in range(3)]) == []
    at_once = [replace(one, begun=60.0 * n, ended=60.0 * n + 150) for n in range(3)]
    said = [str(finding) for finding in paced.check([edition], at_once)]
    assert said == [
        f"I16: 3 messages of edition {edition.pk} to example.com were out at once; its limit is 2 at a time."
    ]
    assert paced.check([edition], None) == [], "intents come in whole windows"
    assert [str(one) for one in paced.check([edition], [replace(one, at=float(n)) for n in range(3)], jumps=2)] == []


@pytest.mark.django_db
def test_the_command_ends_with_1_when_something_is_wrong(sent: dict[str, Any]) -> None:
    out = StringIO()
    with unguarded():
        Delivery.objects.filter(pk=sent["handed_over"]).update(code=None)
    with pytest.raises(SystemExit) as ended:
        call_command("check_deliveries", json=True, stdout=out)
    assert ended.value.code == 1
    assert {finding["number"] for finding in json.loads(out.getvalue())["findings"]} == {2, 11}
