"""Taking a list out again: everything is as if it had never come, or it is refused with a sentence."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import discard_upload, undo_upload
from breachdesk.people.models import CountEntry, Person, PersonMatch, RejectedRow, Tally, Upload
from breachdesk.people.uploads import sealed_path
from breachdesk.people.working import work_on_upload
from notifications import actions as notices
from notifications.models import Delivery
from tests.factories import (
    LIST,
    check_upload,
    make_edition,
    make_incident,
    make_organisation,
    make_people,
    make_upload,
    make_user,
    match_upload,
)
from tests.people.test_merging import ANA, listed

pytestmark = pytest.mark.django_db

NEWER = listed("7,Ana Berg,berg@home.test,2 Mill,DE,de,health,yes,yes,yes\n")
OFF = listed("7,Ana Ng,ana@home.test,9 Quay,,,,,,\n")


def undo(upload: Upload, reason: str = "It was the list of another breach.") -> Upload:
    undo_upload(upload, reason=reason, by=upload.uploaded_by, ring=False)
    return work_on_upload(upload.pk)


def rows_of(incident: Incident) -> list[dict[str, Any]]:
    """Every column of everybody but the version, which only ever grows."""
    rows = Person.objects.filter(incident=incident).order_by("pk").values()
    return [{key: value for key, value in row.items() if key != "version"} for row in rows]


def nothing_of(upload: Upload) -> bool:
    return not any(model.objects.filter(upload=upload).exists() for model in (Person, PersonMatch, RejectedRow))


@pytest.mark.parametrize(("text", "purpose"), [(NEWER, "add"), (NEWER, "update"), (OFF, "withdraw"), (LIST, "add")])
def test_everything_is_as_if_the_list_had_never_come(text: str, purpose: str) -> None:
    incident = make_incident()
    make_people(incident, listed(ANA, "8,Bo Lind,bo@home.test,,,,,,,\n"))
    before, tally = rows_of(incident), Tally.objects.of(incident)
    upload = make_people(incident, text, purpose=purpose)
    assert rows_of(incident) != before
    assert undo(upload).state == Upload.State.GONE
    assert rows_of(incident) == before
    assert nothing_of(upload)
    again = Tally.objects.of(incident)
    assert (again.people, again.countries, again.held) == (tally.people, tally.countries, tally.held)


def test_the_trail_says_what_went_and_the_count_is_stated_again() -> None:
    incident = make_incident()
    first = make_people(incident, listed(ANA))
    upload = make_people(incident, NEWER + "8,Bo,bo@home.test,,,,,,,\n", purpose="update")
    undo(upload)
    undone, left = (
        json.loads(bytes(Event.objects.of_type(f"upload.{name}").get().body)) for name in ("undone", "left")
    )
    assert undone["data"]["people"] == left["data"]["people"] == 1
    assert {f"people_person/{one.pk}" for one in (first, upload)} <= set(left["data"]["batches"])
    assert [entry.low for entry in CountEntry.objects.filter(incident=incident)] == [1, 2, 1]


def test_without_any_list_the_number_is_not_known() -> None:
    incident = make_incident()
    undo(make_people(incident))
    assert list(incident.counts.values_list("low", "high")) == [(4, 4), (None, None)]


def test_the_same_file_may_come_again() -> None:
    incident = make_incident()
    undo(make_people(incident))
    assert make_people(incident).rows_valid == 4


def test_somebody_held_since_stays_held_and_a_hold_by_the_list_alone_goes() -> None:
    from breachdesk.people.actions import hold_person

    incident = make_incident()
    make_people(incident, listed(ANA, "8,Bo Lind,bo@home.test,,,,,,,\n"))
    upload = make_people(incident, listed("7,Ana Ng,ana@home.test,,,,,,,yes\n", "8,Bo Lind,bo@home.test,,,,,,,yes\n"))
    person = Person.objects.filter(incident=incident).first()
    assert person is not None
    hold_person(person, kind="police", reason="An order.", expected_version=person.version, by=make_user("dpo"))
    undo(upload)
    assert list(Person.objects.filter(incident=incident, held=True)) == [person]


DEAD = "7,Ana Ng,ana@home.test,,,,,,,yes\n"


@pytest.mark.parametrize(
    ("marked", "answered", "ended", "stays"),
    [
        (False, False, True, False),  # only the list held them in the end
        (False, False, False, True),
        (True, False, True, True),  # an earlier list says it too
        (True, True, True, False),  # and was answered
    ],
)
def test_a_hold_that_ended_since_is_not_brought_back(marked: bool, answered: bool, ended: bool, stays: bool) -> None:
    from breachdesk.people.actions import hold_person, release_hold, release_person

    incident, dpo = make_incident(), make_user("dpo")
    first = make_people(incident, listed(DEAD if marked else "7,Ana Ng,ana@home.test,,,,,,,\n"))

    def ana() -> Person:
        return Person.objects.get(upload=first)

    if answered:
        release_person(ana(), reason="She called.", expected_version=ana().version, by=dpo)
    hold_person(ana(), kind="police", reason="An order.", expected_version=ana().version, by=dpo)
    upload = make_people(incident, listed(DEAD, "8,Bo Lind,bo@home.test,,,,,,,\n"), name="newer.csv")
    if ended:
        hold = ana().holds.open().get()
        release_hold(hold, reason="It is withdrawn.", expected_version=ana().version, by=dpo)
    assert ana().held
    undo(upload)
    assert ana().held is stays


# Who, when, why


def test_it_needs_a_reason_and_the_right() -> None:
    upload = make_people(make_incident())
    with pytest.raises(ValidationError, match="Say why"):
        undo_upload(upload, reason=" ", by=upload.uploaded_by)
    with pytest.raises(PermissionDenied):
        undo_upload(upload, reason="Wrong.", by=make_user("dpo"))
    assert Upload.objects.get().state == Upload.State.LOADED


def test_only_what_was_taken_in_is_undone() -> None:
    upload = check_upload(make_upload(make_incident()))
    with pytest.raises(ValidationError, match="Waiting for your decision"):
        undo_upload(upload, reason="Wrong.", by=upload.uploaded_by)


def test_the_last_list_goes_first() -> None:
    incident = make_incident()
    first = make_people(incident, listed(ANA))
    second = make_people(incident, NEWER, purpose="update", name="newer.csv")
    with pytest.raises(ValidationError, match=r"“newer\.csv” was taken in later"):
        undo(first)
    undo(second)
    assert undo(first).state == Upload.State.GONE
    assert not Person.objects.filter(incident=incident).exists()


@pytest.mark.parametrize(
    ("second", "third", "purposes", "free"),
    [
        (NEWER, listed("8,Bo Lind,bo@home.test,,,,,,,\n"), ("update", "add"), True),  # speaks of somebody else
        (listed(ANA.replace("1 Quay", "3 Quay")), OFF, ("add", "update"), True),  # had changed nothing
        (NEWER, listed(ANA.replace("name", "health")), ("add", "add"), False),  # says again what is gone otherwise
        (NEWER, listed(ANA.replace("1 Quay,GB", "3 Quay,IE")), ("update", "update"), False),
        (NEWER, OFF, ("add", "withdraw"), False),
        (OFF, listed("7,Ana Ng,ana@home.test,,,,,,,\n"), ("withdraw", "withdraw"), False),
        (NEWER, listed("8,Ana Ng,ana@home.test,,,,,,,\n"), ("update", "add"), False),  # takes the place Ana Ng had left
    ],
)
def test_a_list_in_the_middle_goes_when_no_later_one_stands_on_it(
    second: str, third: str, purposes: tuple[str, str], free: bool
) -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    middle = make_people(incident, second, purpose=purposes[0])
    make_people(incident, third, purpose=purposes[1])
    if free:
        assert undo(middle).state == Upload.State.GONE
    else:
        with pytest.raises(ValidationError, match="Undo that one first"):
            undo(middle)


def test_it_waits_for_a_file_that_is_undecided() -> None:
    incident = make_incident()
    upload = make_people(incident, listed(ANA))
    check_upload(make_upload(incident, NEWER, name="newer.csv"), "update")
    with pytest.raises(ValidationError, match=r"“newer\.csv” of this incident is being read or waits"):
        undo(upload)


# A notice hangs on it


def frozen_edition(incident: Incident) -> Any:
    edition = make_edition(incident)
    return notices.submit_for_review(edition, by=edition.authors.get().author)


def test_people_on_a_frozen_list_stay() -> None:
    incident = make_incident()
    make_organisation()
    upload = make_people(incident)
    frozen_edition(incident)
    with pytest.raises(ValidationError, match="notice “Customer notice” has 3 people of this list"):
        undo(upload)
    assert Person.objects.of(incident).count() == 4


def test_newer_data_that_a_notice_was_frozen_with_stays() -> None:
    incident = make_incident()
    make_organisation()
    make_people(incident, listed(ANA))
    newer = make_people(incident, listed("7,Ana Ng,other@home.test,,,,,,,\n"), purpose="update")
    frozen_edition(incident)
    with pytest.raises(ValidationError, match="has one person of this list"):
        undo(newer)


def test_what_was_frozen_before_the_list_came_does_not_keep_it() -> None:
    incident = make_incident()
    make_organisation()
    make_people(incident, listed(ANA))
    frozen_edition(incident)
    newer = make_people(incident, listed("7,Ana Ng,other@home.test,,,,,,,\n"), purpose="update")
    assert undo(newer).state == Upload.State.GONE


@pytest.mark.parametrize("purpose", ["undecided", "withdraw"])
def test_the_database_plans_nothing_for_whoever_does_not_count(purpose: str) -> None:
    edition = make_edition()
    incident = edition.notice.incident
    if purpose == "withdraw":
        make_people(incident, LIST.replace("1 Quay", "2 Quay"), purpose="withdraw")
        person = Person.objects.filter(incident=incident, withdrawn=True)[0]
    else:
        upload = check_upload(make_upload(incident, "name,email\nBo Lind,bo@home.test\n"))
        person = Person.objects.get(upload=upload)
    message = {"withdraw": "whom the notice is not for", "undecided": "not taken in"}[purpose]
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        Delivery.objects.create(
            notice=edition.notice, edition=edition, person=person, next_at=incident.opened_at, state="planned"
        )


# Discarding


@pytest.mark.parametrize("state", ["received", "queued", "reading", "checked", "accepted"])
def test_a_file_can_be_discarded_until_it_is_taken_in(
    state: str,
    django_capture_on_commit_callbacks,  # type: ignore[no-untyped-def]
) -> None:
    from breachdesk.people import working
    from breachdesk.people.actions import accept_upload

    incident = make_incident()
    make_people(incident, listed(ANA))
    before = rows_of(incident)
    upload = make_upload(incident, NEWER + "8,Bo,bo@home.test,,,,,,,\n")
    if state != "received":
        upload = match_upload(upload, "update")
    if state == "reading":
        assert working._begin_reading(upload)
    if state in ("checked", "accepted"):
        upload = work_on_upload(upload.pk)
    if state == "accepted":
        upload = accept_upload(upload, {one["key"]: "So." for one in upload.signals}, by=upload.uploaded_by, ring=False)
    with django_capture_on_commit_callbacks(execute=True):
        discard_upload(upload, by=upload.uploaded_by, ring=False)
        gone = work_on_upload(upload.pk)
    assert (gone.state, sealed_path(upload.pk).exists(), nothing_of(upload)) == ("gone", False, True)
    assert rows_of(incident) == before
    assert Event.objects.of_type("upload.discarded").count() == 1


def test_a_list_that_was_taken_in_is_not_discarded_but_undone() -> None:
    upload = make_people(make_incident())
    with pytest.raises(ValidationError, match="Taken in"):
        discard_upload(upload, by=upload.uploaded_by)
