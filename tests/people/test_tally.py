"""The tally says what the rows say: after any action, and after as many of them as anybody likes, in any order."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.ending import release_ended_holds
from breachdesk.people.models import Hold, Person, PersonMatch, RejectedRow, Tally, Upload
from breachdesk.people.working import work_on_upload
from tests.factories import check_upload, make_incident, make_people, make_upload, make_user, unguarded

pytestmark = pytest.mark.django_db

HEADING = (
    "customer_id,first_name,last_name,email,street,city,country,state,language,date_of_birth,deceased,data_exposed\n"
)
ROWS = [
    "C-1,Ada,Moss,ada@example.com,1 Hay Lane,York,GB,,en,1980-01-01,,name;email\n",
    "C-2,Bo,Quist,bo@example.com,,,SE,,sv,2019-03-04,,name\n",
    "C-3,Cy,Ode,,3 Elm Street,Austin,US,TX,en-US,1970-05-05,,\n",
    "C-4,Di,Park,di@example.com,,,US,CA,ko,1970-05-05,yes,name;phone\n",
    "C-5,Ed,Roe,ed@example.com,,,,,,1970-05-05,,name\n",
    "C-6,Fay,Sol,fay@example.com,6 Rue Neuve,Lyon,FR,,fr,1990-05-05,,name;email\n",
    "C-1,Ada,Moss,ada@example.com,1 Hay Lane,York,GB,,en,1980-01-01,,phone\n",
    "C-7,Gus,Tor,not an address,,,GB,,en,,,\n",
]


def plain(incident: Incident) -> dict[str, Any]:
    """Everything counted from the rows, one question at a time, by other means than counting.py's."""
    people, lists = list(Person.objects.of(incident)), Upload.objects.of(incident).loaded()
    known = Person.objects.known_in(incident)
    return {
        "files": lists.count(),
        "rows_read": sum(one.rows_read for one in lists),
        "rows_rejected": RejectedRow.objects.filter(upload__in=lists).count(),
        "rows_repeated": PersonMatch.objects.filter(upload__in=lists).count(),
        "known": known.count(),
        "people": len(people),
        "minors": sum(one.minor for one in people),
        "vulnerable": sum(one.vulnerable for one in people),
        "deceased": sum(one.deceased for one in people),
        "without_email": sum(not one.has_email for one in people),
        "without_contact": sum(not one.has_email and not one.has_post for one in people),
        "without_country": sum(one.country == "" for one in people),
        "by_post_only": sum(not one.has_email and one.has_post and not one.held for one in people),
        "held": sum(one.held for one in people),
        "countries": dict(Counter(one.country for one in people)),
        "states": dict(Counter(one.state for one in people if one.country == "US")),
        "languages": dict(Counter(one.language for one in people)),
        "kinds": dict(Counter(kind for one in people for kind in one.kinds or [""])),
        "excluded": dict(Counter(reason for one in known if (reason := why_left_out(one)))),
    }


def why_left_out(person: Person) -> str:
    holds = person.holds.all()
    open_kinds = {hold.kind for hold in holds if hold.released_at is None}
    answered = any(hold.placed_by_id is None for hold in holds)
    if person.withdrawn:
        return "withdrawn"
    if person.held:
        if person.deceased and not answered:
            return "deceased"
        order = ["deceased", "police", "dispute", "asked", "not_ours", "other"]
        return next((kind for kind in order if kind in open_kinds), "held")
    return "" if person.has_email or person.has_post else "no_way"


def agree(incident: Incident) -> None:
    tally, counted = Tally.objects.of(incident), plain(incident)
    assert {name: getattr(tally, name) for name in counted} == counted
    assert counted.keys() | {"incident", "counted_at"} == {field.name for field in Tally._meta.fields}
    assert tally.to_be_told == sum(not why_left_out(one) for one in Person.objects.known_in(incident))


def csv(rows: list[int]) -> str:
    return HEADING + "".join(ROWS[row] for row in rows)


def test_an_incident_without_a_list_has_no_count_instead_of_nobody() -> None:
    incident = make_incident()
    assert Tally.objects.people_of([incident]) == {}
    agree(incident)


def test_nobody_counts_before_somebody_decides() -> None:
    incident = make_incident()
    check_upload(make_upload(incident, csv([0, 1, 2])))
    assert Tally.objects.people_of([incident]) == {}
    agree(incident)


def test_each_step_of_two_overlapping_lists_agrees() -> None:
    incident, by = make_incident(), make_user("responder")
    make_people(incident, csv([0, 1, 2, 6, 7]), by=by)
    agree(incident)
    second = make_people(incident, csv([0, 2, 3, 4]), by=by)
    agree(incident)
    make_people(incident, csv([1]), purpose="withdraw", by=by)
    agree(incident)
    assert Tally.objects.people_of([incident]) == {incident.pk: 4}
    actions.undo_upload(Upload.objects.of(incident).newest_first()[0], reason="Wrong file.", by=by, ring=False)
    agree(incident)
    work_on_upload(Upload.objects.of(incident).newest_first()[0].pk)
    agree(incident)
    actions.undo_upload(second, reason="Wrong file.", by=by, ring=False)
    agree(incident)
    work_on_upload(second.pk)
    agree(incident)
    assert Tally.objects.people_of([incident]) == {incident.pk: 3}


def test_holds_are_counted_at_once() -> None:
    incident, dpo = make_incident(), make_user("dpo")
    make_people(incident, csv([0, 1, 2, 3, 4]))
    person = Person.objects.of(incident).filter(held=False).in_order()[0]
    held = actions.hold_person(person, reason="They asked.", kind="police", expected_version=1, by=dpo)
    agree(incident)
    assert Tally.objects.of(incident).excluded == {"deceased": 1, "police": 1}
    pasted = "C-1\nC-2\nC-3\nC-5\n"
    until = timezone.now() + timedelta(days=1)
    actions.hold_people(incident, pasted, kind="dispute", reason="In court.", until=until, by=dpo)
    agree(incident)
    actions.release_person(held, reason="It is over.", expected_version=held.version + 1, by=dpo)
    agree(incident)
    release_ended_holds(until)
    agree(incident)
    assert Tally.objects.of(incident).excluded == {"deceased": 1}


def test_a_count_that_went_wrong_is_repaired(capsys: pytest.CaptureFixture[str]) -> None:
    incident = make_incident()
    make_people(incident, csv([0, 1, 2]))
    with unguarded():
        Tally.objects.filter(incident=incident).update(people=99, countries={"GB": 99})
    call_command("recount_people", incident.reference)
    agree(incident)
    assert f"{incident.reference}: 3 people in 1 files." in capsys.readouterr().out


STEPS = st.one_of(
    st.tuples(st.just("load"), st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=6)),
    st.tuples(st.just("update"), st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=4)),
    st.tuples(st.just("withdraw"), st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["undo", "take out", "discard", "hold", "release"]), st.integers(0, 5)),
)


@given(steps=st.lists(STEPS, min_size=2, max_size=7))
@settings(max_examples=7, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_whatever_is_done_in_whatever_order_agrees(steps: list[tuple[str, Any]]) -> None:
    incident, by = make_incident(), make_user("responder", "dpo")
    for number, (step, what) in enumerate(steps):
        with suppress(ValidationError):  # what is refused changes nothing, and that must agree too
            act(incident, step, what, number, by)
        agree(incident)


def act(incident: Incident, step: str, what: Any, number: int, by: Any) -> None:
    uploads, people = list(Upload.objects.of(incident).newest_first()), Person.objects.of(incident).in_order()
    match step:
        case "load" | "update" | "withdraw":
            blank = "\n" * number  # lines that say nothing make each file another one
            make_people(incident, csv(what) + blank, purpose={"load": "add"}.get(step, step), by=by)
        case "undo" if uploads:
            actions.undo_upload(uploads[what % len(uploads)], reason="Wrong.", by=by, ring=False)
        case "discard":
            actions.discard_upload(check_upload(make_upload(incident, csv([0, 5]) + "\n" * number, by=by)), by=by)
        case "take out" if uploads:
            work_on_upload(uploads[what % len(uploads)].pk)
        case "hold" if people:
            person = people[what % len(people)]
            kind = Hold.Kind.values[what % len(Hold.Kind.values)]
            actions.hold_person(person, reason="Asked.", kind=kind, expected_version=person.version, by=by)
        case "release" if people:
            person = people[what % len(people)]
            actions.release_person(person, reason="Over.", expected_version=person.version, by=by)
