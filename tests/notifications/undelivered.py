"""A notice that was sent, and did not reach everybody: for tests of what can still be done."""

from breachdesk.incidents.models import Incident
from breachdesk.people.actions import hold_person
from breachdesk.people.models import Person
from breachdesk.vault.sealing import cipher_for
from notifications import batches, delivery, sweeping
from notifications.actions import start_edition
from notifications.batches import recipient_commitment
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

HEADING = "customer_id,first_name,last_name,email,email_2,country,state,language,street,city,postcode\n"
LIST = HEADING + "\n".join(
    [
        "HR-1,Amelia,Okafor,amelia@example.com,,GB,,en,2 Mill Lane,Leeds,LS1 9ZZ",
        "HR-2,Ben,Low,ben@example.com,ben.low@example.org,GB,,en,2 Mill Lane,Leeds,LS1 9ZZ",
        "HR-3,Carla,Rossi,,,IT,,en,1 Via Larga,Milano,20122",
        "HR-4,Dan,Moss,dan@example.com,Dan@example.com,US,CA,en,7 Bay Street,Oakland,94601",
        "HR-5,Ella,Gray,ella@example.com,,US,NY,en,,,",
        "HR-6,Gina,Ives,gina@example.com,,GB,,en,9 Mill Lane,Leeds,LS1 9ZZ",
    ]
)
TAKEN = Outcome(Kind.HANDED_OVER, Phase.DOT, 250)
REFUSED = Outcome(Kind.REFUSED, Phase.RCPT, 550, "5.1.1")
OUTCOMES = {"HR-1": TAKEN, "HR-2": REFUSED, "HR-4": REFUSED, "HR-5": REFUSED, "HR-6": REFUSED}


def person(number: str) -> Person:
    """HR-1 stands in the second row of the list, below the heading."""
    return Person.objects.get(row_number=1 + int(number.removeprefix("HR-")))


def delivery_of(number: str) -> Delivery:
    return Delivery.objects.get(person=person(number))


def make_undelivered(incident: Incident | None = None) -> Edition:
    """Amelia's message was taken, the others' refused; Carla has no email, Ella no postal address, and Gina was
    put on hold afterwards. The edition is finished."""
    make_organisation()
    incident = incident or make_incident()
    make_people(incident, LIST)
    edition = make_approved_edition(make_edition_in_review(make_edition(incident)))
    edition = start_edition(edition, by=make_user("approver"))
    hand_over(edition, OUTCOMES)
    gina = person("HR-6")
    hold_person(gina, kind="asked", reason="She wrote.", expected_version=gina.version, by=make_user("dpo"))
    return Edition.objects.with_incident().get(pk=edition.pk)


def hand_over(edition: Edition, outcomes: dict[str, Outcome], address: str = "x@example.com") -> None:
    token, rows = delivery.claim(edition.pk, 500)
    tries = {row.id: row.tries for row in rows}
    delivery.share_hand_overs(edition.pk)
    cipher, answers = cipher_for(edition.incident_id), []
    for number, outcome in outcomes.items():
        row = delivery_of(number).pk
        commitment = recipient_commitment(cipher, row, tries[row] + 1, address.encode())
        delivery.begin_hand_over(token, {row: commitment})
        answers.append((row, tries[row], outcome))
    delivery.settle(token, answers)
    batches.close_batch(token)
    sweeping.finish_if_done(edition.pk)
