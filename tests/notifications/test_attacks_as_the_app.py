"""With the app's own database role, and whatever events it likes: change one byte after the yes, and nothing leaves for
whom it matters. What does leave is seen by the mail server.

The role may write into most tables, and an event that names a row lets every guard of the trail pass. What is left is
what an approval binds: it is computed anew at the start, at each drain and for each row.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from pytest_django import Settings

from breachdesk.accounts.models import Organisation
from breachdesk.audit.record import record
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of, row_checksum, seal_personal
from breachdesk.vault.sealing import cipher_for
from notifications import actions as notices
from notifications import sending, starters
from notifications.models import Edition, Notice
from notifications.rendering import compiled_layout
from notifications.routes import connect
from tests.cluster import roles_in_use
from tests.factories import (
    approve,
    make_edition,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)
from tests.notifications.sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 6
EVERYBODY = {f"person{n:04}@example.com" for n in range(PEOPLE)}


@pytest.fixture
def edition() -> Iterator[Edition]:
    """Approved; the database knows its roles."""
    with roles_in_use():
        call_command("sync_database_roles", verbosity=0)
        make_organisation()
        incident = make_incident()
        rows = [f"HR-{n},Ana,Person {n},person{n:04}@example.com,en,name;email" for n in range(PEOPLE)]
        make_people(incident, "\n".join(["customer_id,first_name,last_name,email,language,data_exposed", *rows]))
        draft = make_edition(incident)
        linked = f"{draft.body}\n\nRead [halden-rowe.example/help](https://halden-rowe.example/help).\n"
        author = draft.authors.get().author
        with as_the_app():  # writing, submitting, opening and approving need no more than the role has
            written = notices.save_draft(draft, subject=draft.subject, body=linked, by=author)
            waiting = notices.submit_for_review(written, by=author)
        approver = make_user("approver")
        with as_the_app():
            approved = approve(waiting, by=approver)
        yield approved


@contextmanager
def as_the_app() -> Iterator[None]:
    """Until the end of the block, every statement is one of the role that the web server has."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE bd_app")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")


def forge(on: models.Model, **changes: object) -> None:
    """The change, its version grown, and an event that names it: as an action would leave it."""
    on.refresh_from_db(fields=["version"])
    on.version += 1  # type: ignore[attr-defined]
    with as_the_app(), transaction.atomic():
        type(on)._base_manager.filter(pk=on.pk).update(version=on.version, **changes)  # type: ignore[attr-defined]
        record("heartbeat", by=None, log_size=0, also=[on])


def address_of(person: Person) -> str:
    return personal_of(cipher_for(person.upload.incident_id), person)["email"]


# What is changed


def text(edition: Edition) -> None:
    forge(edition, body=edition.body.replace("a", "b", 1))


def link_in_the_text(edition: Edition) -> None:
    forge(edition, body=edition.body.replace("/help", "/hell"))


def sender(edition: Edition) -> None:
    organisation = Organisation.objects.get()
    forge(organisation, sender_email=f"x{organisation.sender_email}")


def allowed_links(edition: Edition) -> None:
    forge(Organisation.objects.get(), allowed_links=["halden-r0we.example"])


def page(edition: Edition) -> None:
    forge(Organisation.objects.get(), hotline="01632 960101")


def starter_key(edition: Edition) -> None:
    forge(Notice.objects.get(), starter="own_systems")


def through_a_draft(edition: Edition) -> None:
    """Back to a draft, another text, and forward again with the digest and the yes of before: all of it forged.

    What was opened still counts as opened: it is of the same digest."""
    kept = {name: getattr(edition, name) for name in ("digest", "recipients_root", "recipients_count")}
    kept |= {"approvers_needed": 1, "renderings": edition.renderings}
    given = edition.approvals.get()
    forge(given, voided_at=given.approved_at)
    forge(edition, state="draft", **dict.fromkeys(kept, None) | {"renderings": []})
    forge(edition, body=edition.body.replace("a", "b", 1))
    forge(edition, state="in_review", **kept)
    with as_the_app(), connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            """INSERT INTO notifications_approval (id, edition_id, digest, subject, body, approver_id, approved_at,
               version) SELECT gen_random_uuid(), e.id, e.digest, e.subject, e.body, a.approver_id, now(), 1
               FROM notifications_edition AS e JOIN notifications_approval AS a ON a.edition_id = e.id"""
        )
        record("heartbeat", by=None, log_size=0, also=[edition.approvals.in_force().get()])
    forge(edition, state="approved")


def address(person: Person, other: Person) -> None:
    """Sealed anew, with the checksum as it should be for the other address."""
    cipher = cipher_for(person.upload.incident_id)
    sealed = seal_personal(cipher, personal_of(cipher, person) | {"email": "elsewhere@example.com"}, person.pk)
    value = cipher.unseal(sealed, table="people_person", column="sealed", row=person.pk)
    forge(person, sealed=sealed, row_checksum=row_checksum(cipher, value))


def sealed_alone(person: Person, other: Person) -> None:
    forge(person, sealed=other.sealed)


def kinds(person: Person, other: Person) -> None:
    forge(person, kinds=["name", "email", "passport"])


def sent(edition: Edition, settings: Settings) -> set[str]:
    """Who the mail server heard of when a worker did what it could."""
    with Sink() as sink:
        where = {"smtp_port": sink.port, "smtp_timeout": 15, "lease_margin": 20, "smtp_connections": 1}
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update=where)
        sending.drain_edition(edition.pk, connect=connect, seconds=20)
    return set(sink.times())


def again(edition: Edition) -> Edition:
    return Edition.objects.with_incident().get(pk=edition.pk)


BY_THE_DATABASE = {
    text: "Only the text of a draft",
    link_in_the_text: "Only the text of a draft",
    starter_key: "only while all its editions",
}
BY_THE_START = {
    sender: {"sender_email": "care@halden-rowe.example"},
    allowed_links: {"allowed_links": ["halden-rowe.example"]},
    page: {"hotline": "01632 960100"},
}
OTHER = "not what was submitted any more"


def test_a_person_whose_row_was_changed_gets_nothing_and_everybody_else_does(
    edition: Edition, settings: Settings
) -> None:
    people = list(Person.objects.filter(deliveries__edition=edition).order_by("pk"))
    who = {person: address_of(person) for person in people}
    for change, person in zip((address, sealed_alone, kinds), people, strict=False):
        change(person, people[-1])
    started = notices.start_edition(edition, by=make_user("approver"))
    assert sent(started, settings) == EVERYBODY - {who[person] for person in people[:3]}
    blocked = started.deliveries.filter(state="blocked").values_list("person", flat=True)
    assert set(blocked) == {person.pk for person in people[:3]}


def test_with_another_text_sender_link_layout_or_starter_nothing_leaves(
    edition: Edition, settings: Settings, tmp_path: Path
) -> None:
    starter = make_user("approver")
    for change, said in BY_THE_DATABASE.items():
        with pytest.raises(IntegrityError, match=said):
            change(again(edition))
    for change, before in BY_THE_START.items():
        change(again(edition))
        with pytest.raises(ValidationError, match=OTHER):
            notices.start_edition(edition, by=starter)
        assert sent(edition, settings) == set()
        forge(Organisation.objects.get(), **before)
    with another_layout(settings, tmp_path), pytest.raises(ValidationError, match=OTHER):
        notices.start_edition(edition, by=starter)
    through_a_draft(again(edition))
    with pytest.raises(ValidationError, match=OTHER):
        notices.start_edition(edition, by=starter)
    assert sent(edition, settings) == set()


def test_what_changes_while_it_is_sent_stops_it(edition: Edition, settings: Settings, tmp_path: Path) -> None:
    starter = make_user("approver")
    started = notices.start_edition(edition, by=starter)
    with another_layout(settings, tmp_path):
        assert sent(started, settings) == set()
    assert again(edition).state == Edition.State.PAUSED
    notices.resume_edition(again(edition), by=starter)
    sender(again(edition))
    assert sent(started, settings) == set()
    forge(Organisation.objects.get(), **BY_THE_START[sender])
    notices.resume_edition(again(edition), by=starter)
    assert sent(started, settings) == EVERYBODY


def test_a_starter_that_was_changed_since_changes_nothing_of_what_is_sent(
    edition: Edition, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its words became the edition's when it was begun; the file is never read for it again."""
    for file in starters.FOLDER.iterdir():
        (tmp_path / file.name).write_text("Send us your password\n\nNow.", "utf-8")
    monkeypatch.setattr(starters, "FOLDER", tmp_path)
    approved = edition.approvals.get()
    started = notices.start_edition(edition, by=make_user("approver"))
    assert sent(started, settings) == EVERYBODY
    assert (again(edition).subject, again(edition).body) == (approved.subject, approved.body)


@contextmanager
def another_layout(settings: Settings, folder: Path) -> Iterator[None]:
    """One byte of the layout that every message is made with is another."""
    before = settings.BASE_DIR
    copied = folder / "templates" / "notifications" / "email.mjml"
    copied.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(before / "templates" / "notifications" / "email.mjml", copied)
    layout = copied.read_text()
    copied.write_text(layout.replace("font-size:15px", "font-size:14px"))
    assert copied.read_text() != layout
    settings.BASE_DIR = folder
    compiled_layout.cache_clear()
    try:
        yield
    finally:
        settings.BASE_DIR = before
        compiled_layout.cache_clear()
