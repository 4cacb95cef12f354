"""No change without its event: raw SQL, in transactions of its own, against every guarded table (T19)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from breachdesk.accounts.models import Organisation, OrganisationAuthor, PendingDecision, User
from breachdesk.audit.record import record
from breachdesk.incidents.models import Assessment, Decision, Destruction, Incident, LegalHold, Retention
from breachdesk.people.models import ColumnMapping, Hold, PeopleExport, Person, PersonMatch, Upload
from notifications.models import (
    Amendment,
    BreakGlass,
    Comment,
    DeliveryDecision,
    Edition,
    Letter,
    LetterRun,
    NoticeAuthor,
    Opening,
    Override,
)
from regulators.models import (
    Answer,
    CalendarFeed,
    DutyMet,
    Filing,
    FilingVersion,
    Receipt,
    Reminder,
    SignedPdf,
    StatedFact,
)
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.guard_table import ALL_GUARDED, GUARDED, OWNERS, ROWS

pytestmark = pytest.mark.django_db(transaction=True)

# The rows of a batch, and what is still to be said about them, belong to the tests of notifications.
TABLES = [table for table, guards in GUARDED.items() if guards == ROWS and table != "notifications_batch"]
# Tables loaded in bulk, with the column that says which batch a row is of.
LOADED = {
    "notifications_letter": "run_id",
    "people_hold": "placing",
    "people_person": "upload_id",
    "people_personmatch": "upload_id",
    "people_rejectedrow": "upload_id",
}
# What an UPDATE changes where there is no version to count up.
CHANGES = {
    "auth_group": "name = 'intern'",
    "regulators_filingversion": "number = number + 1",
    "people_personmatch": "row_number = row_number + 1000",
    "people_rejectedrow": "row_number = row_number + 1000",
}


Change = partial[None]  # still to be given what executes a statement


class Undone(Exception):
    """Ends an attempt that was not refused."""


@contextmanager
def only_the_guards_of(table: str) -> Iterator[Callable[..., None]]:
    """One transaction in which the table's other triggers and its foreign keys are silent."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'audit%%'", [table])
        guards = [name for (name,) in cursor.fetchall()]
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for name in guards:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
        yield cursor.execute


def commits(table: str, change: Change, *names: str) -> bool:
    """Whether the change passes at the end of a transaction with one event of these names. It is undone anyway."""
    try:
        with only_the_guards_of(table) as execute:
            change(execute)
            if names:
                record("heartbeat", by=None, log_size=0, batches=map(split, names))
            execute("SET CONSTRAINTS ALL IMMEDIATE")  # as COMMIT does
            raise Undone
    except Undone:
        return True
    except IntegrityError:
        return False


def insert(table: str, key: str, row: object, execute: Callable[..., None]) -> None:
    execute("SET LOCAL session_replication_role = replica")
    execute(f"CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM {table} WHERE {key} = %s", [row])
    execute(f"DELETE FROM {table} WHERE {key} = %s", [row])
    execute("SET LOCAL session_replication_role = origin")
    execute(f"INSERT INTO {table} SELECT * FROM kept")


def update(table: str, key: str, row: object, execute: Callable[..., None]) -> None:
    execute(f"UPDATE {table} SET {CHANGES.get(table, 'version = version + 1')} WHERE {key} = %s", [row])


def delete(table: str, key: str, row: object, execute: Callable[..., None]) -> None:
    execute(f"DELETE FROM {table} WHERE {key} = %s", [row])


def run(statement: str, row: object, execute: Callable[..., None]) -> None:
    execute(statement, [row])


def named(change: Change) -> str:
    return f"{change.func.__name__} {change.args[0]}" if change.func is run else change.func.__name__


def split(name: str) -> tuple[str, str]:
    table, _, batch = name.partition("/")
    return table, batch


def label_of(table: str) -> str:
    return next(model._meta.label_lower for model in apps.get_models() if model._meta.db_table == table)


def value(query: str, *params: object) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()[0][0]


def first_row(table: str) -> tuple[str, object, int]:
    """Its key's name, its key and its version."""
    with connection.cursor() as cursor:
        key = connection.introspection.get_primary_key_column(cursor, table)
        assert key
        cursor.execute(f"SELECT to_jsonb(t) ->> 'version', t.{key} FROM {table} AS t ORDER BY 2 LIMIT 1")
        found = cursor.fetchone()
    assert found, f"nothing is in {table}"
    return key, found[1], int(found[0] or 0)


@pytest.fixture
def world() -> None:
    """At least one row in every guarded table."""
    edition, user, now = make_edition_being_sent(), make_user("dpo"), timezone.now()
    with unguarded():
        Override.objects.create(
            edition=edition,
            check_key="scam.from",
            sentence="s",
            reason="r",
            text_sha256=b"0" * 32,
            given_by=user,
            given_at=now,
        )
        fill_approving(edition, user)
        filing = Filing.objects.create(
            incident=edition.notice.incident, form="uk_ico", form_version=1, opened_by=user, opened_at=now
        )
        Answer.objects.create(filing=filing, question="q", value=1, answered_by=user, answered_at=now)
        signed = {"content": b"{}", "digest": sha256(b"{}").digest(), "signed_by": user, "signed_at": now}
        version = FilingVersion.objects.create(filing=filing, number=1, sign_event=uuid4(), **signed)
        Receipt.objects.create(filing_version=version, submitted_at=now, way="post", recorded_by=user, recorded_at=now)
        SignedPdf.objects.create(
            filing_version=version, name="a.pdf", sealed=b"", sha256=b"", made_by=user, made_at=now
        )
        upload, person = Upload.objects.get(), Person.objects.all()[0]
        PersonMatch.objects.create(
            upload=upload, person=person, row_number=900, row_checksum=b"", found_by=PersonMatch.FoundBy.IDENTITY
        )
        fill_judging(filing.incident, user)
        ColumnMapping.objects.create(name="Carrier", plan={}, saved_by=user, saved_at=now)
        fill_keeping(upload.incident, person, user)
        fill_following(edition, person, user)
        user.user_permissions.add(user.groups.get().permissions.all()[0])
        EmailAddress.objects.create(user=user, email=user.email)
        PendingDecision.objects.all()[0].excluded.add(user)


def fill_approving(edition: Edition, user: User) -> None:
    now, digest = timezone.now(), b"0" * 32
    NoticeAuthor.objects.create(notice=edition.notice, author=user)
    OrganisationAuthor.objects.create(organisation=Organisation.objects.get(), author=user, at=now)
    Opening.objects.create(edition=edition, digest=digest, rendering="r", opened_by=user, opened_at=now)
    Comment.objects.create(edition=edition, quote="q", text="t", made_by=user, made_at=now)
    BreakGlass.objects.create(edition=edition, digest=digest, reason="r", given_by=user, given_at=now)
    Amendment.objects.create(
        edition=edition, digest=digest, rows_root=digest, added=1, changed=0, asked_by=user, asked_at=now
    )


def fill_following(edition: Edition, person: Person, user: User) -> None:
    now = timezone.now()
    DeliveryDecision.objects.create(
        edition=edition, kind="resend", reason="r", people=1, rows_root=b"0" * 32, asked_by=user, asked_at=now
    )
    run = LetterRun.objects.create(edition=edition, people=1, made_by=user, made_at=now)
    Letter.objects.create(run=run, notice=edition.notice, person=person, number=1)


def fill_judging(incident: Incident, user: User) -> None:
    now = timezone.now()
    made = Assessment.objects.create(
        incident=incident, number=1, method="m", inputs={}, score=1, level="low", made_by=user, made_at=now
    )
    Decision.objects.create(
        incident=incident,
        about="people",
        tell=True,
        reason="Grave.",
        assessment=made,
        facts=b"",
        decided_by=user,
        decided_at=now,
    )
    StatedFact.objects.create(incident=incident, key="k", stated_by=user, stated_at=now)
    DutyMet.objects.create(
        incident=incident, regime="r", duty="d", place="GB", told_at=now, how="Post.", recorded_by=user, recorded_at=now
    )
    Reminder.objects.create(
        incident=incident, duty="r:d:GB", warning="overdue", due_at=now, calls_deputies=True, made_at=now
    )
    CalendarFeed.objects.create(user=user, token_sha256=b"", made_at=now)


def fill_keeping(incident: Incident, person: Person, user: User) -> None:
    now, today = timezone.now(), timezone.localdate()
    Hold.objects.create(
        incident=incident,
        person=person,
        placing=uuid4(),
        kind="police",
        sealed_reason=b"",
        placed_by=user,
        placed_at=now,
    )
    PeopleExport.objects.create(
        incident=incident, which="all", fields=[], people=1, sealed_reason=b"", asked_by=user, asked_at=now
    )
    Retention.objects.create(
        incident=incident, delete_on=today, index_until=today, reason="Over.", set_by=user, set_at=now
    )
    LegalHold.objects.create(incident=incident, reason="A claim.", set_by=user, set_at=now)
    Destruction.objects.create(
        incident=incident, what="data", reason="Over.", asked_by=user, asked_at=now, lapses_at=now + timedelta(days=1)
    )


def faults_of(table: str, change: Change, right: str, *wrong: str) -> Iterator[str]:
    """What passes though it must not, and the other way round. Right names in another transaction must not help."""
    with transaction.atomic():
        record("heartbeat", by=None, log_size=0, batches=[split(right)])
    for names in ([], *([name] for name in wrong)):
        if commits(table, change, *names):
            yield f"{named(change)} {table} passed with {names or 'no event'}"
    if not commits(table, change, right):
        yield f"{named(change)} {table} was refused with {right}"


def test_a_row_changes_only_with_an_event_that_names_it(world: None) -> None:
    faults: list[str] = []
    for table in TABLES:
        key, row, version = first_row(table)
        label, grown = label_of(table), version + 1 if version else 0
        for make, then in ((insert, version), (update, grown), (delete, version)):
            wrong = [f"{label}/{uuid4()}/{then}", f"{label}/{row}/{then + 7}", f"other.model/{row}/{then}"]
            faults += faults_of(table, partial(make, table, key, row), f"{label}/{row}/{then}", *wrong)
    assert faults == []


def test_a_change_that_is_not_counted_is_refused(world: None) -> None:
    for table in TABLES:
        key, row, version = first_row(table)
        back = f"UPDATE {table} SET version = version - 1 WHERE {key} = %s"
        if table not in CHANGES:
            names = [f"{label_of(table)}/{row}/{number}" for number in (version - 1, version, version + 1)]
            assert not commits(table, partial(run, back, row), *names), table


def test_a_link_changes_only_with_an_event_that_names_its_owner(world: None) -> None:
    faults: list[str] = []
    for table, owner in OWNERS.items():
        key, row, _ = first_row(table)
        of, version = value(f"SELECT {owner.column} FROM {table} WHERE {key} = %s", row), 0
        if owner.table not in CHANGES:
            version = value(f"SELECT version FROM {owner.table} WHERE id = %s", of)
        moved = f"UPDATE {table} SET {owner.column} = {owner.column} WHERE {key} = %s"
        wrong = [f"{owner.label}/{uuid4()}/{version}", f"{owner.label}/{of}/{version + 1}", f"{table}/{of}"]
        for change in (partial(insert, table, key, row), partial(delete, table, key, row), partial(run, moved, row)):
            faults += faults_of(table, change, f"{owner.label}/{of}/{version}", *wrong)
    assert faults == []


def test_loaded_rows_change_only_with_an_event_that_names_their_batch_or_each(world: None) -> None:
    faults: list[str] = []
    for table, column in LOADED.items():
        key, row, version = first_row(table)
        label, batch = label_of(table), value(f'SELECT "{column}" FROM {table} WHERE {key} = %s', row)
        for make, then in ((insert, version), (update, version + 1 if version else 0), (delete, version)):
            wrong = [f"{label}/{row}/{then + 7}", f"{table}/{uuid4()}", f"people_countentry/{batch}"]
            for right in (f"{label}/{row}/{then}", f"{table}/{batch}"):
                faults += faults_of(table, partial(make, table, key, row), right, *wrong)
    assert faults == []


def test_every_guarded_table_is_tried_here_or_with_the_notices() -> None:
    elsewhere = {"notifications_batch", "notifications_delivery", "notifications_attempt", "notifications_mailevent"}
    assert ALL_GUARDED.keys() == {*TABLES, *OWNERS, *LOADED, *elsewhere}


def test_the_refusal_says_which_row_of_which_table(world: None) -> None:
    incident = Incident.objects.get()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(title="Nothing happened", version=incident.version + 1)
    assert (
        f"Row {incident.pk} of incidents_incident was changed and no event of this transaction names it at version 2."
    ) in str(refusal.value)
    with pytest.raises(IntegrityError, match="of incidents_incident was changed and its version stayed at 1"):
        Incident.objects.filter(pk=incident.pk).update(title="Nothing happened")
    incident.refresh_from_db()
    assert incident.title != "Nothing happened"


def test_a_role_given_in_raw_sql_is_refused(world: None) -> None:
    user, approvers = make_user("author"), make_user("approver").groups.get()
    with pytest.raises(IntegrityError, match=r"of accounts_user \(its rows in accounts_user_groups\)"):
        user.groups.add(approvers)
    assert User.objects.get(pk=user.pk).roles == ["author"]
