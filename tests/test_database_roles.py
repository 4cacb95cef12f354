"""Each process of the product as the role it runs as: its job works, and what it must not do is refused."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from breachdesk.audit.erasure import sealed_names
from breachdesk.audit.models import Anchor, Event
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.tasks import stamp_checkpoint
from breachdesk.audit.verification import verify
from breachdesk.desk import database_roles
from breachdesk.desk.database_roles import COLUMNS, FUNCTIONS, GRANTS, LOGINS, PRIVILEGES, ROLES, granted
from breachdesk.embedded.logins import address_of, write_addresses
from breachdesk.incidents.erasing import carry_out, erase_values
from breachdesk.people import actions as people
from breachdesk.people.ending import expire_exports, release_ended_holds
from breachdesk.people.models import Person
from breachdesk.people.working import work_on_upload
from notifications.models import Delivery
from notifications.sweeping import sweep
from tests.audit.tsa import LocalTsa
from tests.cluster import roles_in_use
from tests.factories import (
    make_edition_being_sent,
    make_incident,
    make_people,
    make_upload,
    make_user,
    match_upload,
)
from tests.incidents.keeping import confirmed
from tests.signing import Signing

TRAIL = [table for table in GRANTS if table.startswith("audit_")]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[None]:
    """The roles as production has them, with a login each, in this test's own database."""
    with roles_in_use():
        addresses = write_addresses(tmp_path / "logins", os.environ["DATABASE_URL"])
        call_command("sync_database_roles", "--logins", *addresses, verbosity=0)
        yield


def password_of(login: str) -> str:
    return str(conninfo_to_dict(address_of(login, os.environ["DATABASE_URL"]))["password"])


@contextmanager
def signed_in(login: str) -> Iterator[None]:
    """Everything the product does from here on, it does over a connection of this login."""
    owner = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=login, PASSWORD=password_of(login))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(owner)


def tried(login: str, statement: str) -> str:
    """What the database says to a statement over a connection of this login: nothing if it was done."""
    with signed_in(login):
        return refusal_of(statement)


def refusal_of(statement: str) -> str:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as refusal:
        return str(refusal)
    return ""


# The table


def test_every_table_of_every_model_has_its_line() -> None:
    models = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert models - GRANTS.keys() == set()
    assert set(connection.introspection.table_names()) == GRANTS.keys()


def test_every_line_is_for_every_role() -> None:
    assert [table for table in GRANTS if granted(table).keys() != ROLES.keys()] == []
    letters = {table: set("".join(granted(table).values())) for table in GRANTS}
    assert [table for table in GRANTS if not letters[table] <= PRIVILEGES.keys()] == []


def test_nobody_may_change_the_trail_and_only_the_sequencer_empties_its_list() -> None:
    for table in TRAIL:
        for role, letters in granted(table).items():
            assert "u" not in letters
            assert "d" not in letters or (table, role) == ("audit_pending", "bd_sequencer")
    assert [role for role, letters in granted("audit_entry").items() if "i" in letters] == ["bd_sequencer"]
    assert [role for role, letters in granted("audit_checkpoint").items() if "i" in letters] == ["bd_signer"]
    assert FUNCTIONS["audit_erase(uuid[],text[])"] == ("bd_eraser",)


def test_the_auditor_and_the_backup_only_read() -> None:
    assert {letters for table in GRANTS for letters in granted(table)["bd_auditor"]} <= {"r", "-"}
    assert {letters for table in GRANTS for letters in granted(table)["bd_backup"]} <= {"r", "i"}
    assert [table for table in GRANTS if "i" in granted(table)["bd_backup"]] == ["audit_event"]


# The command


def privileges() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, relowner::regrole::text, relacl::text FROM pg_class
               WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
               UNION ALL SELECT proname, proowner::regrole::text, proacl::text FROM pg_proc
               WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2, 3"""
        )
        return list(cursor.fetchall())


def test_it_can_run_again_and_again(roles: None) -> None:
    before = privileges()
    call_command("sync_database_roles", verbosity=0)
    assert privileges() == before
    assert {owner for name, owner, _ in before if name in GRANTS} == {"bd_owner"}


def test_it_takes_away_what_somebody_gave(roles: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("GRANT UPDATE, DELETE ON audit_event TO bd_app; GRANT ALL ON audit_private TO PUBLIC")
    call_command("sync_database_roles", verbosity=0)
    assert "permission denied" in tried("breachdesk_web", "UPDATE audit_event SET type = type")
    assert "permission denied" in tried("breachdesk_sequencer", "SELECT FROM audit_private")


def test_several_at_once_do_not_meet(roles: None) -> None:
    together = threading.Barrier(3, timeout=60)

    def write(_: int) -> None:
        try:
            connection.ensure_connection()
            together.wait()
            call_command("sync_database_roles", verbosity=0)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(write, range(3))) == [None] * 3


def test_a_table_without_a_line_is_named(roles: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        database_roles, "GRANTS", {name: line for name, line in GRANTS.items() if name != "people_person"}
    )
    with pytest.raises(CommandError, match="who may use people_person"):
        call_command("sync_database_roles", verbosity=0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("postgresql://root:x@localhost/breachdesk", "must name one of breachdesk_web"),
        ("postgresql://breachdesk_web@localhost/breachdesk", "and its password"),
        ("not an address", "holds no address"),
        (None, "cannot be read"),
    ],
)
def test_a_login_it_cannot_make_is_named(tmp_path: Path, text: str | None, why: str) -> None:
    if text:
        (tmp_path / "url").write_text(text)
    with pytest.raises(CommandError, match=why):
        call_command("sync_database_roles", "--logins", str(tmp_path / "url"), verbosity=0)


def test_a_role_that_may_more_is_refused() -> None:
    with roles_in_use(alone=True), connection.cursor() as cursor:
        call_command("sync_database_roles", verbosity=0)
        cursor.execute("GRANT bd_owner TO bd_app")
        try:
            with pytest.raises(CommandError, match="bd_app may do more"):
                call_command("sync_database_roles", verbosity=0)
        finally:
            cursor.execute("REVOKE bd_owner FROM bd_app")


# T18: what nobody may, as every role, over a connection of its own

COLUMN = {"audit_event": "body", "audit_private": "salt", "audit_pending": "event_row", "audit_entry": "entry"}
COLUMN |= {"audit_node": "hash", "audit_checkpoint": "root", "audit_anchor": "ok", "audit_erasing": "field"}
ATTEMPTS = [
    "UPDATE {table} SET {column} = {column}",
    "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "DROP TABLE {table} CASCADE",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
]
EVERYWHERE = [
    "SET session_replication_role = replica",
    "SET ROLE bd_owner",
    "CREATE TABLE public.mine ()",
    "CREATE SCHEMA mine",
    "CREATE TEMPORARY TABLE audit_event ()",
    "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP FUNCTION audit_refuse_change() CASCADE",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "INSERT INTO audit_erasing SELECT event_id, field FROM audit_private",
    "INSERT INTO audit_touched (of_table, batch) VALUES ('people_person', 'x')",
    "COPY audit_event TO PROGRAM 'cat'",
]


def attempts_of(login: str) -> list[str]:
    """All that this login must not be able to do to the trail; the sequencer alone empties its list."""
    on_tables = [attempt.format(table=table, column=COLUMN.get(table, "id")) for table in TRAIL for attempt in ATTEMPTS]
    if login == "breachdesk_sequencer":
        on_tables.remove("DELETE FROM audit_pending")
    return on_tables + EVERYWHERE


def test_no_role_changes_the_trail_or_its_guards(roles: None) -> None:
    done = []
    for login in LOGINS:
        with signed_in(login):
            done += [(login, statement) for statement in attempts_of(login) if not refusal_of(statement)]
            assert refusal_of("SELECT") == "", f"{login} was refused for its connection, not for its rights"
    assert done == []


def test_nobody_but_the_eraser_erases(roles: None) -> None:
    call = "SELECT audit_erase(ARRAY[gen_random_uuid()], ARRAY['reason'])"
    for login in LOGINS:
        if login != "breachdesk_eraser":
            with signed_in(login):
                assert "permission denied for function" in refusal_of(call), login
                assert "permission denied" in refusal_of("UPDATE vault_data_key SET destroyed_at = now()"), login


def test_the_eraser_erases_only_what_an_event_names(roles: None) -> None:
    incident = make_incident()
    name = sealed_names(incident.pk)[0]
    refusal = tried("breachdesk_eraser", f"SELECT audit_erase(ARRAY['{name.event}'::uuid], ARRAY['{name.field}'])")
    assert "No event privacy.erased" in refusal


def test_the_auditor_sees_no_password_and_no_session(roles: None) -> None:
    for statement in ("SELECT password FROM accounts_user", "SELECT * FROM accounts_user", "TABLE django_session"):
        assert "permission denied" in tried("breachdesk_auditor", statement)
    columns = ", ".join(COLUMNS["accounts_user", "bd_auditor"])
    assert tried("breachdesk_auditor", f"SELECT {columns} FROM accounts_user") == ""


def test_a_stranger_reads_nothing(roles: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE a_stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(make_conninfo(**{**parameters(), "user": "a_stranger", "password": "x"}))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE a_stranger")


def parameters() -> dict[str, Any]:
    known = connection.settings_dict
    return {"dbname": known["NAME"], "host": known["HOST"], "port": known["PORT"] or None}


# What each job needs


def test_the_web_server_signs_in_and_logs_an_incident(roles: None, client: Client) -> None:
    from tests.incidents.test_open_incident import answers

    user = make_user("responder")
    with signed_in("breachdesk_web"):
        typed = {"login": user.email, "password": "a long enough pass phrase"}
        assert client.post(reverse("account_login"), typed).status_code == 302
        assert client.post(reverse("incident-new"), answers()).status_code == 302
        assert client.get(reverse("home")).status_code == 200
    assert {"user.signed_in", "incident.opened"} <= set(Event.objects.values_list("type", flat=True))


def test_the_worker_reads_a_list_and_sweeps(roles: None) -> None:
    upload = match_upload(make_upload(make_incident()))
    edition = make_edition_being_sent()
    with signed_in("breachdesk_worker"):
        upload = work_on_upload(upload.pk)
        sweep()
    assert Person.objects.filter(upload=upload).count() == 4
    with signed_in("breachdesk_web"):
        explained = {signal["key"]: "A school's list." for signal in upload.signals}
        people.accept_upload(upload, explained, by=upload.uploaded_by, ring=False)
    with signed_in("breachdesk_worker"):
        assert work_on_upload(upload.pk).state == "loaded"
    with signed_in("breachdesk_web"):
        people.undo_upload(upload, reason="The wrong list.", by=upload.uploaded_by, ring=False)
    with signed_in("breachdesk_worker"):
        assert work_on_upload(upload.pk).state == "gone"
    assert Delivery.objects.filter(edition=edition).exists()


def test_the_web_server_holds_and_exports_and_the_worker_ends_both(roles: None) -> None:
    incident, dpo, approver, end = make_incident(), make_user("dpo"), make_user("approver"), now() + timedelta(days=2)
    make_people(incident)
    with signed_in("breachdesk_web"):
        people.hold_people(incident, "HR-1\nHR-2", kind="police", reason="A letter.", until=end, by=dpo)
        asked = people.ask_export(incident, which="all", fields=["email"], reason="Letters.", by=dpo)
        made, _ = people.make_export(people.approve_export(asked, by=approver), by=dpo)
        people.download_export(made, by=dpo)
    with signed_in("breachdesk_worker"):
        assert (release_ended_holds(end), expire_exports(end)) == (2, 1)
    assert not Person.objects.held_back().exists()


def test_the_sequencer_links_and_says_that_it_runs(roles: None) -> None:
    incident = make_incident()
    with signed_in("breachdesk_sequencer"):
        with transaction.atomic():
            record("heartbeat", by=None, log_size=0)
        assert (
            sequence_pending()
            == Event.objects.of_incident(incident.pk).count() + Event.objects.filter(incident=None).count()
        )


def test_the_signer_signs_and_the_worker_leaves_it_with_somebody_outside(
    roles: None, signing: Signing, settings: Any, tmp_path: Path
) -> None:
    sequence_pending()
    with signed_in("breachdesk_signer"):
        checkpoint = signing.look()
        assert (checkpoint and checkpoint.size, signing.signer.refusal) == (1, None)
    with LocalTsa(tmp_path / "tsa") as tsa, signed_in("breachdesk_worker"):
        stamping = {"tsa_urls": tsa.url, "tsa_roots_file": tsa.roots_file}
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update=stamping)
        stamp_checkpoint()
    assert Anchor.objects.get().ok


def test_the_signer_says_why_it_does_not_sign(roles: None, signing: Signing) -> None:
    sequence_pending()
    signing.key.unlink()
    with signed_in("breachdesk_signer"):
        assert signing.look() is None
    assert Event.objects.newest_first()[0].type == "checkpoint.refused"


def test_the_auditor_verifies_with_the_master_key(roles: None) -> None:
    make_incident()
    sequence_pending()
    with signed_in("breachdesk_auditor"):
        report = verify()
    assert (report.verdict, report.missing) == ("VALID", [])


def test_the_eraser_erases(roles: None) -> None:
    incident, dpo = make_incident(), make_user("dpo")
    name = sealed_names(incident.pk)[0]
    with signed_in("breachdesk_eraser"):
        erase_values([name], ground="request", requester="The person herself", by=dpo)
    assert name not in sealed_names(incident.pk)
    make_people(incident)
    request = confirmed(incident)
    with signed_in("breachdesk_eraser"):
        assert carry_out(request.pk, at=request.not_before, by=None) == ""
    assert incident.uploads.get().file_name == "name destroyed"


def test_the_backup_reads_everything_and_records_itself(roles: None, tmp_path: Path) -> None:
    make_people(make_incident())
    with signed_in("breachdesk_backup"):
        call_command("backup", str(tmp_path / "data"), verbosity=0)
    assert (tmp_path / "data/database.dump").stat().st_size > 10_000
    assert Event.objects.newest_first()[0].type == "backup.made"
