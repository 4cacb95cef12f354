"""What goes into an evidence bundle about notices: approved words and numbers, and no name of anybody."""

import pytest

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.sections import collect_delivery_rows, collect_sections
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import cipher_for
from notifications import delivery
from notifications.batches import close_batch, rows_of_batch
from tests.factories import make_edition, make_edition_being_sent, make_edition_in_review
from tests.notifications.test_delivery_states import ACCEPTED, claimed_and_begun

pytestmark = pytest.mark.django_db


def test_it_holds_the_approved_words_and_what_became_of_them() -> None:
    edition = make_edition_being_sent()
    token, rows = claimed_and_begun(edition, 2)
    delivery.settle(token, [(row, 0, ACCEPTED) for row in rows])
    [notice] = collect_sections(edition.incident_id, private=False)["notices"]["notices"]
    [told] = notice["editions"]
    assert (told["subject"], told["body"], told["state"]) == (edition.subject, edition.body, "sending")
    assert told["digest"] == base64url(bytes(edition.digest or b""))
    assert told["recipients_count"] == 3
    assert told["counts"] == {"handed_over": 2, "planned": 1}
    assert len(told["approvals"]) == 1


@pytest.mark.parametrize("make", [make_edition, make_edition_in_review])
def test_words_that_nobody_approved_are_left_out(make: object) -> None:
    edition = make()  # type: ignore[operator]
    [notice] = collect_sections(edition.incident_id, private=False)["notices"]["notices"]
    assert (notice["editions"][0]["subject"], notice["editions"][0]["body"]) == (None, None)


def test_it_names_nobody() -> None:
    edition = make_edition_being_sent()
    cipher = cipher_for(edition.incident_id)
    said = canonical(collect_sections(edition.incident_id, private=False)["notices"]).decode()
    for person in Person.objects.all():
        assert not [value for value in personal_of(cipher, person).values() if len(value) > 5 and value in said]
    assert "Customer notice" not in said
    assert "Customer notice" in canonical(collect_sections(edition.incident_id, private=True)["notices"]).decode()
    assert edition.authors.get().author.name not in said


def test_the_rows_of_the_bundle_are_those_of_its_batches() -> None:
    edition = make_edition_being_sent()
    token, rows = claimed_and_begun(edition)
    delivery.settle(token, [(row, 0, ACCEPTED) for row in rows])
    close_batch(token)
    assert sequence_everything()
    found = list(collect_delivery_rows(edition.incident_id))
    assert found == [(token, number, row.line) for number, row in enumerate(rows_of_batch(token))]
