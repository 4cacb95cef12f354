"""From the rows of a file to the people reached: each line is an independent count in SQL, and the lines add up."""

import pytest
from django.db import connection
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.models import Person, Tally
from breachdesk.people.told import Told, tally_and_told
from breachdesk.people.waterfall import LEFT_OUT, DoesNotAddUp, Line, waterfall_of
from breachdesk.people.working import work_on_upload
from notifications import actions as notices
from notifications import delivery
from notifications.mail_events import apply_events
from notifications.models import Delivery, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)
from tests.notifications.test_provider_events import postmark, report
from tests.services import until

HEADING = "customer_id,first_name,last_name,email,street,city,country,language,deceased\n"
FIRST = (
    HEADING
    + "".join(f"C-{n},Ana,Person {n},p{n}@example.com,,,GB,en,\n" for n in range(12))
    + "C-0,Ana,Person 0,P0@example.com,,,GB,en,\n"  # again
    + "C-20,Bad,Row,not an address,,,GB,en,\n"
    + "C-21,Post,Only,,1 Hay Lane,York,GB,en,\n"
    + "C-22,Late,Lamented,late@example.com,,,GB,en,yes\n"
)
SECOND = (
    HEADING
    + "".join(f"C-{n},Ana,Person {n},p{n}@example.com,,,GB,en,\n" for n in (3, 4))
    + "C-30,New,Comer,new@example.com,,,IE,en,\n"
    + "C-31,Bad,Again,also not an address,,,GB,en,\n"
)
THIRD = HEADING + "C-1,Ana,Person 1,p1@example.com,,,GB,en,\nC-2,Ana,Person 2,p2@example.com,,,GB,en,\n"
WRONG = HEADING + "C-90,Wrong,List,wrong@example.com,,,GB,en,\nC-5,Ana,Person 5,p5@example.com,,,GB,en,\n"

LISTS = "SELECT id FROM people_upload WHERE incident_id = %(incident)s AND state = 'loaded'"
KNOWN = f"SELECT * FROM people_person WHERE upload_id IN ({LISTS})"
HELD = f"SELECT * FROM ({KNOWN}) AS k WHERE held AND NOT withdrawn"
OPEN = "SELECT 1 FROM people_hold AS h WHERE h.person_id = p.id AND h.released_at IS NULL AND h.kind"
TO_BE_TOLD = f"SELECT * FROM ({KNOWN}) AS k WHERE NOT held AND NOT withdrawn AND (has_email OR has_post)"
HANDED = (
    "SELECT 1 FROM notifications_delivery AS d WHERE d.person_id = p.id "
    "AND d.state IN ('handed_over', 'assumed_sent', 'delivered', 'bounced', 'complained')"
)
LINES = {
    "rows": f"SELECT sum(rows_read) FROM people_upload WHERE id IN ({LISTS})",
    "rejected": f"SELECT count(*) FROM people_rejectedrow WHERE upload_id IN ({LISTS})",
    "valid": f"SELECT sum(rows_read - rows_rejected) FROM people_upload WHERE id IN ({LISTS})",
    "merged": f"SELECT count(*) FROM people_personmatch WHERE upload_id IN ({LISTS})",
    "known": f"SELECT count(*) FROM ({KNOWN}) AS p",
    "withdrawn": f"SELECT count(*) FROM ({KNOWN}) AS p WHERE withdrawn",
    "affected": f"SELECT count(*) FROM ({KNOWN}) AS p WHERE NOT withdrawn",
    "deceased": f"SELECT count(*) FROM ({HELD}) AS p WHERE deceased OR EXISTS ({OPEN} = 'deceased')",
    "police": f"SELECT count(*) FROM ({HELD}) AS p WHERE NOT deceased AND EXISTS ({OPEN} = 'police')",
    "dispute": f"SELECT count(*) FROM ({HELD}) AS p WHERE EXISTS ({OPEN} = 'dispute')",
    "asked": f"SELECT count(*) FROM ({HELD}) AS p WHERE EXISTS ({OPEN} = 'asked')",
    "not_ours": f"SELECT count(*) FROM ({HELD}) AS p WHERE EXISTS ({OPEN} = 'not_ours')",
    "other": f"SELECT count(*) FROM ({HELD}) AS p WHERE EXISTS ({OPEN} = 'other')",
    "held": f"SELECT count(*) FROM ({HELD}) AS p WHERE NOT deceased AND NOT EXISTS ({OPEN} <> '')",
    "no_way": f"SELECT count(*) FROM ({KNOWN}) AS p WHERE NOT (held OR withdrawn OR has_email OR has_post)",
    "to_be_told": f"SELECT count(*) FROM ({TO_BE_TOLD}) AS p",
    "not_told": f"SELECT count(*) FROM ({TO_BE_TOLD}) AS p WHERE NOT EXISTS ({HANDED})",
    "told": f"SELECT count(*) FROM ({TO_BE_TOLD}) AS p WHERE EXISTS ({HANDED})",
    "not_reached": f"SELECT count(*) FROM ({TO_BE_TOLD}) AS p WHERE EXISTS ({HANDED}) "
    f"AND NOT EXISTS ({HANDED} AND d.state IN ('delivered', 'complained'))",
    "reached": f"SELECT count(*) FROM ({TO_BE_TOLD}) AS p "
    f"WHERE EXISTS ({HANDED} AND d.state IN ('delivered', 'complained'))",
}


def lines_of(incident: Incident) -> dict[str, Line]:
    return {line.key: line for line in waterfall_of(*tally_and_told(incident))}


def counted(incident: Incident) -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for key, statement in LINES.items():
            cursor.execute(statement, {"incident": incident.pk})
            found[key] = int(cursor.fetchone()[0] or 0)
        return found


def agree(incident: Incident, **expected: int) -> None:
    """Who was told is counted afresh after nine times as long as counting took: a slow count is kept longer."""
    until(lambda: {key: line.number for key, line in lines_of(incident).items()} == counted(incident))
    drawn = counted(incident)
    assert {key: drawn[key] for key in expected} == expected


def hold(incident: Incident, index: int, kind: str) -> Person:
    person = Person.objects.of(incident).filter(held=False, has_email=True).order_by("row_number")[index]
    version = person.version
    return actions.hold_person(person, reason="Asked.", kind=kind, expected_version=version, by=make_user("dpo"))


def send(edition: Edition, outcomes: list[Outcome]) -> list[Delivery]:
    token, rows = delivery.claim(edition.pk, len(outcomes))
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    delivery.settle(token, [(row.id, 0, outcome) for row, outcome in zip(rows, outcomes, strict=True)])
    return list(Delivery.objects.filter(pk__in=[row.id for row in rows]).order_by("pk"))


@pytest.mark.django_db
def test_import_merge_exclude_undo_hold_and_send_each_line_is_the_count_in_sql(settings: Settings) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "us:secret"}
    make_organisation()
    incident = make_incident()
    by = make_user("responder")
    make_people(incident, FIRST, by=by)
    agree(incident, rows=16, rejected=1, merged=1, known=14)
    make_people(incident, SECOND, by=by)
    agree(incident, rows=20, rejected=2, merged=3, known=15)
    make_people(incident, THIRD, purpose="withdraw", by=by)
    agree(incident, rows=22, merged=5, withdrawn=2, affected=13)
    wrong = make_people(incident, WRONG, by=by)
    agree(incident, known=16)
    actions.undo_upload(wrong, reason="Another shop's list.", by=by, ring=False)
    work_on_upload(wrong.pk)
    agree(incident, known=15)
    for index, kind in enumerate(["police", "dispute", "asked", "other"]):
        hold(incident, index, kind)
    agree(incident, deceased=1, police=1, other=1, to_be_told=8)

    edition = notices.start_edition(
        make_approved_edition(make_edition_in_review(make_edition(incident))), by=make_user("approver")
    )
    taken, refused = Outcome(Kind.HANDED_OVER, Phase.DOT, 250), Outcome(Kind.REFUSED, Phase.RCPT, 550)
    deliveries = send(edition, [taken, taken, taken, taken, refused])
    told = [row for row in deliveries if row.state == "handed_over"]
    agree(incident, told=4, not_told=4, reached=0)
    report(postmark("Delivery", told[0].pk))
    report(postmark("Bounce", told[1].pk))
    apply_events()
    agree(incident, told=4, not_reached=3, reached=1)

    person = Person.objects.get(pk=told[0].person_id)
    actions.hold_person(
        person, reason="In court.", kind="dispute", expected_version=person.version, by=make_user("dpo")
    )
    agree(incident, to_be_told=7, told=3, reached=0, dispute=2)
    assert lines_of(incident)["told"].note == "1 more were told before they were left out"


@pytest.mark.django_db
def test_who_gets_two_notices_was_told_once() -> None:
    first = make_edition()
    incident = first.notice.incident
    edition = notices.start_edition(make_approved_edition(make_edition_in_review(first)), by=make_user("approver"))
    send(edition, [Outcome(Kind.HANDED_OVER, Phase.DOT, 250)] * 3)
    again = notices.create_notice(incident, title="A second notice", by=make_user("author")).editions.get()
    edition = notices.start_edition(make_approved_edition(make_edition_in_review(again)), by=make_user("approver"))
    send(edition, [Outcome(Kind.HANDED_OVER, Phase.DOT, 250)] * 2)
    agree(incident, told=3)
    assert Delivery.objects.filter(state="handed_over").count() == 5


@pytest.mark.django_db
def test_the_page_draws_it_with_its_numbers(client) -> None:  # type: ignore[no-untyped-def]
    make_organisation()
    incident = make_incident()
    make_people(incident, FIRST)
    client.force_login(make_user("auditor"))
    page = client.get(reverse("people", args=[incident.reference])).content.decode()
    assert page.count('<tr class="sum">') == 7
    for words in ("Rows read", "About somebody known already", "Deceased", "To be told", "1 of them by letter alone"):
        assert words in page


NUMBERS = st.integers(0, 10**7)


@given(
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.lists(st.integers(0, 10**6), min_size=len(LEFT_OUT), max_size=len(LEFT_OUT)),
    st.data(),
)
def test_whatever_the_numbers_it_adds_up_and_fits_the_picture(
    rejected: int, repeated: int, to_be_told: int, reasons: list[int], data: st.DataObject
) -> None:
    withdrawn = data.draw(NUMBERS)
    excluded = {"withdrawn": withdrawn, **dict(zip(LEFT_OUT, reasons, strict=True))}
    known = to_be_told + sum(excluded.values())
    tally = Tally(
        rows_read=rejected + repeated + known,
        rows_rejected=rejected,
        rows_repeated=repeated,
        known=known,
        people=known - withdrawn,
        excluded=excluded,
    )
    handed = data.draw(st.integers(0, to_be_told))
    lines = waterfall_of(tally, Told(handed, data.draw(st.integers(0, handed))))
    rest = lines[0].number
    for line in lines:
        rest -= 0 if line.is_sum else line.number
        assert line.number == rest or not line.is_sum
        assert 0 <= line.x <= line.x + line.width <= 100.01
        assert bool(line.width) == bool(line.number)
    assert sum(not line.is_sum for line in lines) == 5 + len(LEFT_OUT)


@pytest.mark.parametrize(
    "wrong", [{"people": 9}, {"excluded": {"held": 1, "unheard_of": 1}}, {"rows_repeated": 1}, {"known": 9}]
)
def test_what_does_not_add_up_is_not_drawn(wrong: dict[str, object]) -> None:
    right = {"rows_read": 10, "known": 10, "people": 10, "excluded": {"held": 1}}
    assert waterfall_of(Tally(**right), Told(9, 9))
    with pytest.raises(DoesNotAddUp):
        waterfall_of(Tally(**{**right, **wrong}), Told(9, 9))


def test_more_told_than_there_are_is_not_drawn() -> None:
    with pytest.raises(DoesNotAddUp):
        waterfall_of(Tally(rows_read=10, known=10, people=10), Told(11, 9))
