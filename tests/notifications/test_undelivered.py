"""Who was reached, who was not, and the steps for those: a second address, then letters."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from breachdesk.audit.models import Event
from breachdesk.people.models import Person
from breachdesk.vault.sealing import cipher_for
from notifications import delivery
from notifications.actions import begin_letters, try_second_address
from notifications.composing import Composer
from notifications.editions import skeleton_of
from notifications.letters import people_for_letters
from notifications.models import Attempt, Delivery, Edition, Notice
from notifications.reach import SILENCE, Place, Reach, count_reach
from notifications.second_addresses import with_a_second_address
from tests.factories import make_user, unguarded
from tests.notifications.undelivered import REFUSED, TAKEN, delivery_of, hand_over, make_undelivered

pytestmark = pytest.mark.django_db
WHY = "Their first address is dead."


@pytest.fixture(scope="module")
def sent(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_undelivered()


@pytest.fixture
def edition(sent: Edition) -> Edition:
    """As the database has it: a test before this one was undone there, and not in its objects."""
    return Edition.objects.with_incident().get(pk=sent.pk)


def test_each_person_is_in_one_of_three_by_place(edition: Edition) -> None:
    reach = count_reach(edition.notice, timezone.now())
    whole = {place.code: (place.reached, place.not_reached, place.not_known) for place in reach.places}
    assert whole == {"GB": (0, 2, 1), "IT": (0, 1, 0), "US-CA": (0, 1, 0), "US-NY": (0, 1, 0)}
    assert reach.all.ways == {"fresh": 1, "refused": 4, "no_email": 1}
    assert reach.all.people == 6


def test_silence_counts_as_reached_only_after_its_term(edition: Edition) -> None:
    later = timezone.now() + SILENCE + timedelta(minutes=1)
    assert count_reach(edition.notice, later).all.ways["silent"] == 1
    assert count_reach(edition.notice, later - timedelta(minutes=2)).all.reached == 0


def test_the_page_says_so_and_the_send_leads_to_it(client: Client, edition: Edition) -> None:
    client.force_login(make_user("auditor"))
    reference = edition.notice.incident.reference
    address = reverse("notice-reach", args=[reference, edition.notice_id])
    assert address in client.get(reverse("send", args=[reference, edition.pk])).content.decode()
    assert address in client.get(reverse("notice-list", args=[reference])).content.decode()
    page = client.get(address).content.decode()
    assert "United States: California" in page
    assert "No email address" in page
    client.force_login(make_user("administrator"))
    assert client.get(address).status_code == 403


def test_the_places_that_need_most_come_first_and_the_others_are_told_together() -> None:
    numbers = {f"X{letter}": Counter(refused=at, posted=9, unknown=at % 3) for at, letter in enumerate("ABCDEFGHIJKL")}
    reach = Reach(tuple(Place(code, ways) for code, ways in numbers.items()), timezone.now())
    assert [place.code for place in reach.first_places] == ["XL", "XK", "XJ", "XI", "XH", "XG", "XF", "XE"]
    assert (len(reach.other_places), reach.others_not_reached) == (4, 0 + 1 + 2 + 3)
    few = Reach(reach.places[:10], timezone.now())
    assert (len(few.first_places), few.other_places) == (10, [])
    assert [(kind.label, kind.people) for kind in few.kinds] == [
        ("Not reached", 45),
        ("Not yet known", 9),
        ("Reached", 90),
    ]


def test_what_is_to_be_done_comes_before_the_long_tables(client: Client, edition: Edition) -> None:
    client.force_login(make_user("approver"))
    notice = edition.notice
    page = client.get(reverse("notice-reach", args=[notice.incident.reference, notice.pk])).content.decode()
    order = [page.index(words) for words in ("The next steps", "Try the second address", "By place of residence")]
    assert order == sorted(order)


def test_only_who_failed_and_has_another_address(edition: Edition) -> None:
    """Dan's second address is his first in another spelling."""
    assert with_a_second_address(edition) == [delivery_of("HR-2").pk]


def test_what_can_still_be_done_is_for_those_alone_whom_the_notice_is_for(edition: Edition) -> None:
    def steps() -> tuple[int, int]:
        return len(with_a_second_address(edition)), len(people_for_letters(edition))

    assert steps() == (1, 3), "Ben; Ben, Carla and Dan"
    with unguarded():
        Person.objects.update(withdrawn=True)
    assert steps() == (0, 0), "a later list took them off"
    with unguarded():
        Notice.objects.update(audience={"affected": "no_longer"})
    edition = Edition.objects.with_incident().get(pk=edition.pk)
    assert steps() == (1, 3), "it is for those who were taken off"


def test_the_same_message_goes_to_the_second_address(edition: Edition) -> None:
    before = delivery_of("HR-2")
    decision = try_second_address(edition, reason=WHY, by=make_user("approver"))
    after = delivery_of("HR-2")
    assert (after.state, after.rung, after.generation, after.decision_id) == ("planned", 1, 1, decision.pk)
    edition.refresh_from_db()
    assert (edition.state, edition.epoch) == ("sending", 2)
    [row] = delivery.claim(edition.pk, 10)[1]
    letter = Composer(skeleton_of(edition), cipher_for(edition.incident_id), edition).compose(row)
    assert letter.envelope[1] == b"ben.low@example.org"
    assert f"Message-ID: <{before.pk}@".encode() in letter.message
    assert b"To: ben.low@example.org" in letter.message
    said = Event.objects.of_type("delivery.decided").get().content["data"]
    assert (said["kind"], said["people"], said["moved"]) == ("second_address", 1, 1)
    assert Event.objects.of_type("edition.reopened").get().content["data"]["people"] == 1


def test_it_ends_for_good_at_the_second_address(edition: Edition) -> None:
    try_second_address(edition, reason=WHY, by=make_user("approver"))
    hand_over(edition, {"HR-2": REFUSED}, "ben.low@example.org")
    edition.refresh_from_db()
    assert (edition.state, delivery_of("HR-2").state) == ("finished", "refused")
    assert Attempt.objects.filter(delivery=delivery_of("HR-2")).count() == 2
    with pytest.raises(ValidationError, match="has a second address"):
        try_second_address(edition, reason=WHY, by=make_user("approver"))


def test_nobody_who_got_a_letter_is_tried_again(edition: Edition) -> None:
    begin_letters(edition, window="uk", by=make_user("approver"))
    assert with_a_second_address(edition) == []


def test_it_needs_the_right_a_reason_and_a_sent_edition(edition: Edition) -> None:
    with pytest.raises(PermissionDenied):
        try_second_address(edition, reason=WHY, by=make_user("author"))
    with pytest.raises(ValidationError, match="Say why"):
        try_second_address(edition, reason=" ", by=make_user("approver"))
    assert not Delivery.objects.filter(generation=1).exists()


def test_the_page_asks_first(client: Client, edition: Edition) -> None:
    client.force_login(make_user("approver"))
    reference = edition.notice.incident.reference
    address = reverse("edition-second-address", args=[reference, edition.pk])
    assert "Try the second address of 1 person?" in client.get(address).content.decode()
    assert client.post(address, {"version": edition.version}).status_code == 422
    answer = client.post(address, {"version": edition.version, "reason": WHY})
    assert answer["Location"] == reverse("notice-reach", args=[reference, edition.notice_id])
    assert delivery_of("HR-2").rung == 1
    assert client.get(answer["Location"]).status_code == 200


def test_what_arrived_is_left_alone(edition: Edition) -> None:
    try_second_address(edition, reason=WHY, by=make_user("approver"))
    hand_over(edition, {"HR-2": TAKEN}, "ben.low@example.org")
    assert (delivery_of("HR-2").state, delivery_of("HR-1").generation) == ("handed_over", 0)
