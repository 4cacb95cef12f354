"""Who is counted as without an address that works, where, and from how many on a law asks for a public notice."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.desk.substitute import Numbers, PublicNotice, numbers_of, watch_of
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import hold_person, release_person
from notifications import delivery
from notifications.actions import begin_letters, start_edition, try_second_address
from notifications.batches import close_batch
from notifications.letter_making import work_on_letters
from notifications.models import Batch, Edition
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)
from tests.notifications.undelivered import HEADING, REFUSED, hand_over, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def of_many_states() -> tuple[Incident, Edition]:
    """Ten people in the United States whom only an email can reach; of one no state is known."""
    states = ["NY", "CA", "TX", "NY", "CA", "TX", "NY", "CA", "TX", ""]
    rows = [f"HR-{n},Ann,Moss,ann{n}@example.com,,US,{state},en,,," for n, state in enumerate(states, 1)]
    return being_sent("\n".join(rows))


def being_sent(rows: str) -> tuple[Incident, Edition]:
    make_organisation()
    incident = make_incident(kinds=["name", "email", "national_number"])
    make_people(incident, HEADING + rows)
    edition = make_approved_edition(make_edition_in_review(make_edition(incident)))
    return incident, start_edition(edition, by=make_user("approver"))


def test_federal_laws_ask_for_it_once_ten_people_of_all_states_have_no_address(
    client: Client, of_many_states: tuple[Incident, Edition]
) -> None:
    incident, edition = of_many_states
    hand_over(edition, {f"HR-{n}": REFUSED for n in range(1, 10)})
    delivery.give_back(Batch.objects.get().pk)
    close_batch(Batch.objects.get().pk)

    def federal() -> dict[str, PublicNotice]:
        watch = watch_of(incident, timezone.now())
        found = {law: watch.notice(f"{law}.US") for law in ("us_hipaa", "us_ftc_hbnr", "us_42cfr_part2")}
        return {law: one for law, one in found.items() if one}

    assert {one.numbers for one in federal().values()} == {Numbers(10, 9)}
    assert not any(one.is_owed or one.is_allowed for one in federal().values())
    hand_over(edition, {"HR-10": REFUSED})
    assert {(one.numbers, one.is_owed, one.for_how_many) for one in federal().values()} == {(Numbers(10, 10), True, 10)}
    assert federal()["us_hipaa"].place == "United States: HIPAA Breach Notification Rule"
    texas = watch_of(incident, timezone.now()).notice("us_tx.US-TX")
    assert texas
    assert [one.standing for one in texas.conditions][:2] == [
        "3 people, and up to 1 more of whom it is not known where they live",
        "3 here, and up to 1 more of whom it is not known where they live",
    ]
    client.force_login(make_user("dpo"))
    page = client.get(reverse("substitute", args=[incident.reference])).content.decode()
    assert "Of 1 person it is not known in which state or country they live" in page
    assert "A telephone number that costs nothing, for at least 90 days" in page


@pytest.mark.django_db(transaction=True)
def test_an_address_that_cannot_be_printed_is_none_until_an_email_may_have_come() -> None:
    long = "1 Very Long Mill Lane " * 8
    incident, edition = being_sent(
        f"HR-1,Ann,Moss,ann@example.com,ann@example.org,US,NY,en,{long},New York,10001\n"
        "HR-2,Ben,Low,ben@example.com,,US,NY,en,2 Bay Street,New York,10001\n"
        "HR-3,Cy,Fox,cy@example.com,,US,NY,en,3 Bay Street,New York,10001"
    )

    def here() -> Numbers:
        return numbers_of(incident)["US-NY"]

    hand_over(edition, dict.fromkeys(["HR-1", "HR-2", "HR-3"], REFUSED))
    run, cy, dpo = begin_letters(edition, window="us", by=make_user("approver")), person("HR-3"), make_user("dpo")
    hold_person(cy, kind="asked", reason="He rang.", expected_version=cy.version, by=dpo)
    assert not work_on_letters(run.pk, seconds=60)
    assert here() == Numbers(3, 1), "Ann; Cy is on hold"
    release_person(cy, reason="He rang again.", expected_version=cy.version + 1, by=dpo)
    assert here() == Numbers(3, 1), "he was left out for the hold, and can be written to"
    edition = Edition.objects.with_incident().get(pk=edition.pk)
    try_second_address(edition, reason="Nothing else is left.", by=make_user("approver"))
    assert here() == Numbers(3, 0), "it was not tried yet"
    hand_over(edition, {"HR-1": REFUSED})
    assert here() == Numbers(3, 1)
