"""Did we write to this address? The index answers, before and after the data key died, until it dies itself."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from pytest_django import Settings

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from notifications.index_question import Answer, ask_index
from notifications.models import Delivery, Edition
from tests.desk.exporting import pointing
from tests.factories import check_upload, make_incident, make_organisation, make_people, make_upload, make_user, take_in
from tests.incidents.keeping import client_of, destroy, page
from tests.notifications.sink import Fault, Sink
from tests.notifications.test_drain import being_sent, drain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case(settings: Settings) -> Incident:
    """Sent to five people; one was refused, the answer for another was lost."""
    edition = being_sent(5)
    faults = [Fault("rcpt", "550 5.1.1 nobody", "person0003"), Fault("dot", "take_and_drop", "person0004")]
    with Sink(faults) as sink:
        pointing(settings)(sink)
        drain(edition)
    return edition.notice.incident


def asked(case: Incident, address: str) -> Answer:
    return ask_index(case, address=address, reason="A letter of 3 March.", by=make_user("dpo"))


def expectations(case: Incident) -> None:
    yes = asked(case, "person0001@example.com")
    [message] = yes.messages
    assert (yes.code, message.is_proved, message.was_handed_over) == ("yes", True, True)
    assert message.at == Delivery.objects.get(pk=message.delivery.pk).settled_at
    assert message.delivery.edition.subject == Edition.objects.get().subject
    other_spelling = asked(case, " Person0001@EXAMPLE.com ")
    assert (other_spelling.code, other_spelling.messages[0].is_proved) == ("yes", False)
    assert [asked(case, f"person000{n}@example.com").code for n in (3, 4)] == ["no", "not_known"]
    nobody = asked(case, "somebody.else@example.com")
    assert (nobody.code, nobody.people, nobody.messages) == ("not_on_the_list", 0, [])


def test_it_answers_while_the_data_lives(case: Incident) -> None:
    expectations(case)


def test_it_answers_the_same_after_the_data_key_died(case: Incident) -> None:
    destroy(case)
    expectations(case)


def test_after_the_index_key_died_nobody_can_tell(case: Incident) -> None:
    before = list(Person.objects.order_by("pk").values_list("email_index", "identity_index", "reference_index"))
    destroy(case)
    destroy(case, "index")
    with pytest.raises(ValidationError, match="nobody can tell any more"):
        asked(case, "person0001@example.com")
    # The hashes stay, as bytes that nobody can test: the key they were made with is in no file and no table.
    assert list(Person.objects.order_by("pk").values_list("email_index", "identity_index", "reference_index")) == before
    text = page(make_user("dpo"), "index-ask", case.reference).content.decode()
    assert "Nobody can tell any more" in text
    assert "<form" not in text.partition("<main")[2].partition("</main>")[0]


def test_the_question_is_in_the_trail_and_the_address_nowhere(case: Incident) -> None:
    dpo = make_user("dpo")
    answer = ask_index(case, address="person0001@example.com", reason="A letter of 3 March.", by=dpo)
    event = Event.objects.of_type("index.asked").newest_first()[0]
    assert event.content["data"] == {"answer": "yes", "deliveries": [str(answer.messages[0].delivery.pk)]}
    assert (event.content["actor"]["id"], event.incident) == (str(dpo.pk), case.pk)
    [line] = describe([event], private=True)
    assert line.private == {"reason": "A letter of 3 March."}
    assert b"person0001" not in bytes(event.body)
    destroy(case)
    asked(case, "person0001@example.com")
    [line] = describe([Event.objects.of_type("index.asked").newest_first()[0]], private=True)
    assert line.private == {"reason": "A letter of 3 March."}


def test_an_earlier_address_is_found_too() -> None:
    make_organisation()
    incident = make_incident()
    make_people(incident, "customer_id,first_name,last_name,email\nHR-1,Amelia,Okafor,old.address@example.com")
    newer = "customer_id,first_name,last_name,email\nHR-1,Amelia,Okafor,new.address@example.com"
    take_in(check_upload(make_upload(incident, newer, name="newer.csv"), purpose="update"))
    assert [asked(incident, f"{which}.address@example.com").people for which in ("old", "new")] == [1, 1]


def test_only_the_data_protection_officer_asks_and_says_why(case: Incident) -> None:
    for role in sorted(ROLES.keys() - {"dpo"}):
        with pytest.raises(PermissionDenied):
            ask_index(case, address="a@example.com", reason="x", by=make_user(role))
    for address, reason, why in [("a@example.com", " ", "who asks"), ("no address", "x", "no e-mail address")]:
        with pytest.raises(ValidationError, match=why):
            ask_index(case, address=address, reason=reason, by=make_user("dpo"))
    assert not Event.objects.of_type("index.asked").exists()


def test_the_page_answers_in_words_and_with_the_text(case: Incident) -> None:
    client, edition = client_of(make_user("dpo")), Edition.objects.get()
    ask: Callable[[str], Any] = lambda address: client.post(  # noqa: E731
        reverse("index-ask", args=[case.reference]), {"address": address, "reason": "A letter."}
    )
    yes = ask("person0001@example.com").content.decode()
    assert "Yes, we wrote to this address" in yes
    assert edition.subject in yes
    assert "letter for letter" in yes
    assert "The index is personal data" in yes
    assert "It is not known" in ask("person0004@example.com").content.decode()
    assert "nothing was sent" in ask("person0003@example.com").content.decode()
    assert "not on the list" in ask("x@example.com").content.decode()
    wrong = ask("no address")
    assert (wrong.status_code, "no e-mail address" in wrong.content.decode()) == (422, True)
    assert client_of(make_user("auditor")).get(reverse("index-ask", args=[case.reference])).status_code == 403
