"""Holds: several on one person, each with a kind, a reason and an end; and the mark of a list that holds by itself."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.models import Organisation
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.people import actions
from breachdesk.people.counting import recount_left_out
from breachdesk.people.ending import release_ended_holds
from breachdesk.people.holds import is_marked
from breachdesk.people.models import Hold, Person, Tally
from breachdesk.people.working import work_on_upload
from tests.factories import make_incident, make_organisation, make_people, make_user, unguarded
from tests.people.test_people_page import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def organisation(made_once: None) -> Organisation:
    return make_organisation()


@pytest.fixture(scope="module")
def reachable(organisation: Organisation) -> Person:
    incident = make_incident()
    make_people(incident)
    return Person.objects.of(incident).reachable_by_email()[0]


@pytest.fixture
def person(reachable: Person, db: None) -> Person:
    return Person.objects.get(pk=reachable.pk)


def hold(person: Person, role: str = "dpo", version: int | None = None, **said) -> Person:  # type: ignore[no-untyped-def]
    said = {"reason": "The police asked.", "kind": "police", **said}
    return actions.hold_person(person, expected_version=version or person.version, by=make_user(role), **said)


def release(person: Person, role: str = "dpo") -> Person:
    return actions.release_person(person, reason="They agreed.", expected_version=person.version, by=make_user(role))


def is_reached(person: Person) -> bool:
    return person in Person.objects.of(person.incident).reachable_by_email()


def mark_as_deceased(person: Person) -> Person:
    """As a list leaves it that says so."""
    with unguarded():
        Person.objects.filter(pk=person.pk).update(deceased=True, held=True)
        recount_left_out(person.incident)
    return Person.objects.get(pk=person.pk)


def test_a_person_on_hold_is_not_reached(person: Person) -> None:
    held = hold(person)
    assert not is_reached(person)
    event = Event.objects.get(type="person.held")
    content = json.loads(bytes(event.body))
    assert content["object"]["id"] == str(person.pk)
    assert content["data"]["kind"] == "police"
    assert b"asked." not in bytes(event.body)
    release(held)
    assert is_reached(person)
    assert Event.objects.filter(type="person.released").count() == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"dpo"}))
def test_it_refuses_the_wrong_role(person: Person, role: str) -> None:
    held = hold(person)
    for refused in (
        lambda: hold(held, role),
        lambda: release(held, role),
        lambda: actions.release_hold(
            Hold.objects.get(), reason="No.", expected_version=held.version, by=make_user(role)
        ),
        lambda: actions.hold_people(person.incident, "HR-2", kind="police", reason="No.", by=make_user(role)),
    ):
        with pytest.raises(PermissionDenied, match="Data protection officer"):
            refused()
    assert Person.objects.held_back().get() == person


def test_two_holds_let_go_only_together(person: Person) -> None:
    hold(hold(person), kind="dispute", reason="A claim is open.")
    police, dispute = Hold.objects.order_by("placed_at")
    dpo = make_user("dpo")
    held = actions.release_hold(police, reason="They agreed.", expected_version=3, by=dpo)
    assert (held.held, is_reached(person)) == (True, False)
    held = actions.release_hold(dispute, reason="It is settled.", expected_version=4, by=dpo)
    assert (held.held, is_reached(person)) == (False, True)
    assert [hold.is_open for hold in Hold.objects.all()] == [False, False]


def test_taking_a_person_off_hold_ends_every_hold(person: Person) -> None:
    release(hold(hold(person), kind="dispute"))
    assert not Hold.objects.open().exists()
    assert is_reached(person)


def test_a_hold_that_is_over_cannot_end_again(person: Person) -> None:
    released = release(hold(person))
    with pytest.raises(ValidationError, match="over already"):
        actions.release_hold(
            Hold.objects.get(), reason="Again.", expected_version=released.version, by=make_user("dpo")
        )


def test_it_refuses_a_stale_page(person: Person) -> None:
    hold(person)
    with pytest.raises(ValidationError, match="A colleague changed"):
        hold(person, version=1)
    assert Event.objects.filter(type="person.held").count() == 1


def test_it_refuses_without_a_reason_a_kind_or_a_future(person: Person) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        hold(person, reason=" ")
    with pytest.raises(ValidationError, match="what kind"):
        hold(person, kind="whim")
    with pytest.raises(ValidationError, match="begun already"):
        hold(person, until=timezone.now() - timedelta(minutes=1))
    assert not Hold.objects.exists()


def test_it_refuses_to_release_who_is_not_held(person: Person) -> None:
    with pytest.raises(ValidationError, match="not on hold"):
        release(person)


def test_nobody_holds_without_saying_why_even_past_the_actions(person: Person) -> None:
    hold(person)
    with pytest.raises(IntegrityError, match="who_holds_says_why"), transaction.atomic(), unguarded():
        Hold.objects.update(sealed_reason=None)


def test_a_hold_cannot_end_without_its_event(person: Person) -> None:
    hold(person)
    with transaction.atomic():
        Hold.objects.update(released_at=timezone.now())
        with pytest.raises(IntegrityError, match="no event of this transaction"):
            connection.check_constraints()
        transaction.set_rollback(True)


def test_the_counts_follow(person: Person) -> None:
    assert Tally.objects.of(person.incident).held == 0
    held = hold(person)
    assert Tally.objects.of(person.incident).held == 1
    release(held)
    assert Tally.objects.of(person.incident).held == 0


# Its end


def test_a_hold_ends_by_itself_and_says_so(person: Person) -> None:
    end = timezone.now() + timedelta(days=3)
    hold(person, until=end)
    assert release_ended_holds(end - timedelta(seconds=1)) == 0
    assert not is_reached(person)
    assert release_ended_holds(end) == 1
    assert is_reached(person)
    event = Event.objects.get(type="person.released").content
    assert (event["actor"]["id"], event["data"]["ended"], event["object"]["id"]) == (None, True, str(person.pk))
    assert Hold.objects.get().has_ended
    assert release_ended_holds(end) == 0
    assert Tally.objects.of(person.incident).held == 0


def test_whoever_is_held_for_another_reason_stays_held_when_one_ends(person: Person) -> None:
    end = timezone.now() + timedelta(days=3)
    hold(hold(person), until=end, kind="dispute")
    assert release_ended_holds(end) == 1
    assert not is_reached(person)
    assert Hold.objects.open().get().kind == "police"


# The list it came in


def test_a_list_whose_people_are_on_hold_is_not_undone(person: Person) -> None:
    held, by = hold(person), make_user("responder")
    with pytest.raises(ValidationError, match="1 of its people is on hold"):
        actions.undo_upload(person.upload, reason="Wrong file.", by=by, ring=False)
    release(held)
    left = work_on_upload(actions.undo_upload(person.upload, reason="Wrong file.", by=by, ring=False).pk)
    assert left.state == "gone"
    assert not Hold.objects.exists()
    connection.check_constraints()


# Who has died


def test_the_mark_of_a_list_holds_and_the_page_says_why(person: Person) -> None:
    mark_as_deceased(person)
    address = reverse("person", args=[person.incident.reference, person.pk])
    page = client_of("responder").get(address).content.decode()
    assert "A list marks this person as deceased" in page
    assert "Only the data protection officer takes somebody off hold" in page
    assert "Take off hold" in client_of("dpo").get(address).content.decode()
    holds = client_of("auditor").get(reverse("people-holds", args=[person.incident.reference])).content.decode()
    assert "Marked as deceased in a list" in holds
    assert "1 person is on hold" in holds


@pytest.mark.parametrize("role", ["responder", "author", "approver", "auditor"])
def test_nobody_but_the_dpo_answers_the_mark_of_a_list(person: Person, role: str) -> None:
    marked = mark_as_deceased(person)
    with pytest.raises(PermissionDenied):
        release(marked, role)
    assert not is_reached(person)


def test_the_dpo_answers_the_mark_once_and_it_is_remembered(person: Person) -> None:
    released = release(mark_as_deceased(person))
    assert is_reached(person)
    answered = Hold.objects.get()
    assert (answered.kind, answered.placed_by, answered.is_open) == ("deceased", None, False)
    release(hold(released))
    assert is_reached(person), "the same mark does not hold again"


def test_a_newer_list_that_marks_them_again_is_a_new_question_to_the_dpo() -> None:
    """Two lists that say so are more than one, and a letter to the dead cannot be called back."""
    incident = make_incident()
    heading, row = "customer_id,name,email,deceased\n", "7,Ana Ng,ana@example.com,yes\n"
    make_people(incident, heading + row + "8,Bo Ek,bo@example.com,\n")
    let_go = release(Person.objects.of(incident).get(deceased=True))
    second = make_people(incident, heading + row)
    held = Person.objects.get(pk=let_go.pk)
    assert (held.held, is_marked(held), Tally.objects.of(incident).excluded) == (True, True, {"deceased": 1})
    hold(held)
    kept = actions.release_hold(
        Hold.objects.open().get(),
        reason="Over.",
        expected_version=held.version + 1,
        by=make_user("dpo"),
    )
    assert kept.held, "the end of another hold does not answer it"
    assert is_reached(release(kept)), "the second answer holds"
    actions.undo_upload(second, reason="Another shop's.", by=make_user("responder"), ring=False)
    work_on_upload(second.pk)
    assert is_reached(Person.objects.get(pk=held.pk)), "so does the first, once the second list is gone"


def test_without_the_list_that_marked_them_again_the_answer_holds() -> None:
    incident = make_incident()
    text = "customer_id,name,email,deceased\n7,Ana Ng,ana@example.com,yes\n"
    make_people(incident, text)
    let_go = release(Person.objects.of(incident).get())
    second = make_people(incident, text + "8,Bo Ek,bo@example.com,\n")
    assert not is_reached(Person.objects.get(pk=let_go.pk))
    actions.undo_upload(second, reason="Another shop's.", by=make_user("responder"), ring=False)
    work_on_upload(second.pk)
    assert is_reached(Person.objects.get(pk=let_go.pk))


def test_the_end_of_a_hold_does_not_overrule_the_mark_of_a_list(person: Person) -> None:
    end = timezone.now() + timedelta(days=3)
    held = hold(mark_as_deceased(person), until=end)
    actions.release_hold(Hold.objects.get(), reason="Over.", expected_version=held.version, by=make_user("dpo"))
    assert not is_reached(person)
    hold(Person.objects.get(pk=person.pk), until=end)
    assert release_ended_holds(end) == 1
    assert not is_reached(person)


# The screens


def test_the_screen_holds_and_releases(person: Person) -> None:
    client, arguments = client_of("dpo"), [person.incident.reference, person.pk]
    form = {"version": 1, "reason": "A dispute over zyxword.", "kind": "dispute", "until": "2999-03-31"}
    assert client.post(reverse("person-hold", args=arguments), form).status_code == 302
    twice = client.post(reverse("person-hold", args=arguments), form)
    assert (twice.status_code, "Nothing was changed" in twice.content.decode()) == (422, True)
    page = client.get(reverse("person", args=arguments)).content.decode()
    assert "On hold, gets no notice" in page
    assert "A dispute over zyxword." in page
    assert "31 March 2999" in page or "31 Mar 2999" in page
    over = reverse("hold-release", args=[*arguments, Hold.objects.get().pk])
    assert client.get(over).status_code == 200
    assert client.post(over, {"version": 2, "reason": "Over."}).status_code == 302
    assert "No hold" in client.get(reverse("person", args=arguments)).content.decode()


def test_the_release_screen_ends_all_holds(person: Person) -> None:
    held = hold(hold(person), kind="asked")
    address = reverse("person-release", args=[person.incident.reference, person.pk])
    client = client_of("dpo")
    assert client.post(address, {"version": held.version, "reason": ""}).status_code == 422
    assert client.post(address, {"version": held.version, "reason": "All is well."}).status_code == 302
    assert is_reached(person)


def test_a_hold_of_another_person_is_not_found(person: Person) -> None:
    hold(person)
    other = Person.objects.of(person.incident).exclude(pk=person.pk)[0]
    address = reverse("hold-release", args=[person.incident.reference, other.pk, Hold.objects.get().pk])
    assert client_of("dpo").get(address).status_code == 404


def test_a_day_that_has_begun_is_refused_beside_its_field(person: Person) -> None:
    form = {"version": 1, "reason": "Why.", "kind": "other", "until": timezone.localdate().isoformat()}
    page = client_of("dpo").post(reverse("person-hold", args=[person.incident.reference, person.pk]), form)
    assert page.status_code == 422
    assert "This day has begun already" in page.content.decode()


def test_the_page_of_holds_shows_open_ones_and_on_request_those_that_are_over(person: Person) -> None:
    held = hold(person, reason="Sergeant zyxpark asked.")
    client, address = client_of("auditor"), reverse("people-holds", args=[person.incident.reference])
    assert "Sergeant zyxpark asked." in client.get(address).content.decode()
    release(held)
    assert "zyxpark" not in client.get(address).content.decode()
    assert "zyxpark" in client.get(address, {"ended": "1"}).content.decode()
