"""What came later stands with the person: on their page, and before whoever answers their call."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.audit.sections import collect_sections
from notifications.callers import callers
from notifications.mail_events import Kind, Report, apply_events, keep
from notifications.models import Delivery
from notifications.verp import Sending
from tests.factories import make_edition_being_sent, make_user
from tests.notifications.test_provider_events import handed_over, sent_again

pytestmark = pytest.mark.django_db


def came(row: Delivery, kind: Kind, enhanced: str = "", generation: int = 0) -> None:
    about = Sending(row.pk, generation)
    keep(Report("returned_mail", f"{kind}{enhanced}{generation}", kind, about, enhanced, None, b"d" * 32))


def words_of(content: bytes) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content.decode())).split())


def test_the_persons_page_and_the_hotline_tell_what_came_later(client: Client) -> None:
    row = handed_over(make_edition_being_sent())
    came(row, Kind.ACCEPTED)
    came(row, Kind.DELAYED, "4.2.2")
    came(row, Kind.BOUNCED, "5.1.1")
    came(row, Kind.AUTO_REPLIED)
    apply_events()
    incident = row.notice.incident
    page = reverse("person", args=[incident.reference, row.person_id])

    client.force_login(make_user("dpo"))
    shown = words_of(client.get(page).content)
    told = [
        "Customer notice: bounced",
        "Their mail server put it off: the mailbox is full or busy 4.2.2",
        "It came back: the address does not exist or cannot take mail 5.1.1",
        "An automatic reply came",
    ]
    places = [shown.index(words) for words in told]
    assert places == sorted(places)

    answered = client.post(reverse("hotline-caller", args=[incident.reference, row.person_id]), {"reason": "A call."})
    heard = words_of(answered.content)
    assert "We sent it, and it came back" in heard
    assert all(words in heard for words in told[1:])
    assert Event.objects.filter(type="caller.answered").exists()

    someone = make_user("auditor")
    client.force_login(someone)
    assert ("What was sent to them" in words_of(client.get(page).content)) == someone.has_perm(
        "notifications.view_notice"
    )


def test_what_is_about_an_earlier_sending_says_so() -> None:
    row = sent_again(handed_over(make_edition_being_sent()))
    came(row, Kind.BOUNCED, "5.1.1", generation=0)
    came(row, Kind.DELIVERED, generation=1)
    apply_events()
    row.refresh_from_db()
    [caller] = callers(row.notice.incident, [row.person])
    [told] = caller.told
    assert [later.words for later in told.later] == [
        "It came back: the address does not exist or cannot take mail, of an earlier sending",
        "Their mail server took it",
    ]
    assert row.state == "delivered"
    section = collect_sections(row.notice.incident_id, private=False)["mail_events"]
    assert section == {
        "v": 1,
        "events": [
            {**of_edition(row), "kind": "bounced", "enhanced": "5.1.1", "applied": 1, "events": 1},
            {**of_edition(row), "kind": "delivered", "enhanced": "", "applied": 1, "events": 1},
        ],
    }


def of_edition(row: Delivery) -> dict[str, str]:
    return {"edition": str(row.edition_id), "source": "returned_mail"}
