"""What each process of the product may do in the database, in one table; and who signs in as whom.

Roles belong to the whole cluster, what they may do to one database. Nothing here is a migration: several databases of a
cluster are migrated at the same time, and a dump does not carry roles. write_database_roles() brings both into the
state of this file, under a lock of the cluster, and running it again changes nothing.

Nobody but the owner may TRUNCATE, add or disable triggers or change a table's shape, and nobody may UPDATE the trail.
The owner is a role nobody signs in as while the product runs. That stops mistakes and an injected process; whoever is a
superuser can pass it, which is what the proof in the trail itself is for.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.db import connection, transaction
from psycopg import ProgrammingError, sql
from psycopg.conninfo import conninfo_to_dict

LOCK = 0x6264726F6C6573  # "bdroles"
OWNER = "bd_owner"

ROLES = {
    "bd_app": "the web server",
    "bd_worker": "worker, beat and sweeper",
    "bd_sequencer": "links events into the log",
    "bd_signer": "signs checkpoints, and alone reads the signing key",
    "bd_eraser": "erases sealed values and destroys data keys",
    "bd_auditor": "reads and verifies; changes nothing",
    "bd_backup": "reads everything for a backup",
}
# Who signs in as which role. The owner's own login is whatever the installation was made with.
LOGINS = {
    "breachdesk_web": "bd_app",
    "breachdesk_worker": "bd_worker",
    "breachdesk_sequencer": "bd_sequencer",
    "breachdesk_signer": "bd_signer",
    "breachdesk_eraser": "bd_eraser",
    "breachdesk_auditor": "bd_auditor",
    "breachdesk_backup": "bd_backup",
}

PRIVILEGES = {"r": "SELECT", "i": "INSERT", "u": "UPDATE", "d": "DELETE", "m": "MAINTAIN", "-": ""}
MAINTAIN_SINCE = 170000

# One letter each: r SELECT, i INSERT, u UPDATE, d DELETE, m ANALYZE (PostgreSQL 17 and newer), - nothing. Locking a
# row needs u. A test finds every table that has no line. The auditor reads sealed values and wrapped keys, because
# without the master key they say nothing and with it they are what verify_audit checks; but no session that he could
# take over, and of a colleague no password (see COLUMNS).
GRANTS = {
    #                                 app    worker seq.   signer eraser auditor backup
    # The trail
    "audit_event":                   "ri     ri     ri     ri     ri     r      ri",
    "audit_private":                 "ri     ri     -      -      ri     r      r",
    "audit_pending":                 "r      r      rd     r      r      r      r",
    "audit_entry":                   "r      r      ri     r      r      r      r",
    "audit_node":                    "r      r      ri     r      r      r      r",
    "audit_checkpoint":              "r      r      r      ri     r      r      r",
    "audit_anchor":                  "r      ri     r      r      r      r      r",
    "audit_touched":                 "-      -      -      -      -      -      r",
    "audit_erasing":                 "-      -      -      -      -      -      r",
    # Keys: only the eraser may change one, and all that changes is that it is destroyed
    "vault_data_key":                "ri     ri     -      -      ru     r      r",
    # Colleagues
    "accounts_user":                 "riu    r      -      -      r      -      r",
    "accounts_user_groups":          "rid    r      -      -      r      r      r",
    "accounts_user_user_permissions": "r     r      -      -      r      r      r",
    "accounts_organisation":         "riu    r      -      -      r      r      r",
    "accounts_organisationauthor":   "ri     r      -      -      r      r      r",
    "accounts_pendingdecision":      "riu    riu    -      -      r      r      r",
    "accounts_pendingdecision_excluded": "rid rid   -      -      r      r      r",
    "accounts_limit_cache":          "riud   riud   riud   riud   riud   -      r",
    "account_emailaddress":          "riud   r      -      -      -      -      r",
    "account_emailconfirmation":     "riud   -      -      -      -      -      r",
    "auth_group":                    "ru     r      -      -      r      r      r",
    "auth_group_permissions":        "r      r      -      -      r      r      r",
    "auth_permission":               "r      r      -      -      r      r      r",
    "django_content_type":           "r      r      -      -      r      r      r",
    "django_session":                "riud   -      -      -      -      -      r",
    "django_migrations":             "r      r      r      r      r      r      r",
    # Cases and affected people
    "incidents_incident":            "riu    r      -      -      r      r      r",
    "incidents_moment":              "riu    r      -      -      r      r      r",
    "incidents_assessment":          "ri     r      -      -      r      r      r",
    "incidents_decision":            "riu    r      -      -      r      r      r",
    "incidents_retention":           "riu    r      -      -      r      r      r",
    "incidents_legalhold":           "riu    r      -      -      r      r      r",
    # Asked and confirmed by the web server, ended by beat when it lapses, done by the eraser alone
    "incidents_destruction":         "riu    ru     -      -      ru     r      r",
    "people_upload":                 "riu    riu    -      -      ru     r      r",  # its name goes with the key
    "people_reading":                "rd     riud   -      -      r      r      r",
    "people_rejectedrow":            "r      rid    -      -      r      r      r",
    "people_person":                 "ru     riudm  -      -      r      r      r",
    "people_personmatch":            "r      riudm  -      -      r      r      r",
    "people_hold":                   "riu    rud    -      -      r      r      r",
    "people_peopleexport":           "riu    ru     -      -      r      r      r",
    "people_columnmapping":          "riud   r      -      -      r      r      r",
    "people_countentry":             "ri     ri     -      -      r      r      r",
    "people_tally":                  "riu    riu    -      -      r      r      r",
    # Notices
    "notifications_notice":          "riu    ru     -      -      r      r      r",
    "notifications_edition":         "riu    ru     -      -      r      r      r",
    "notifications_editionauthor":   "ri     r      -      -      r      r      r",
    "notifications_approval":        "riu    r      -      -      r      r      r",
    "notifications_override":        "riu    r      -      -      r      r      r",
    "notifications_noticeauthor":    "ri     r      -      -      r      r      r",
    "notifications_opening":         "ri     r      -      -      r      r      r",
    "notifications_comment":         "riu    r      -      -      r      r      r",
    "notifications_breakglass":      "riu    r      -      -      r      r      r",
    "notifications_amendment":       "riu    r      -      -      r      r      r",
    "notifications_delivery":        "riudm  rum    -      -      r      r      r",
    "notifications_attempt":         "ri     ri     -      -      r      r      r",
    "notifications_batch":           "riud   riud   -      -      r      r      r",
    "notifications_pace":            "riud   riud   -      -      r      r      r",
    "notifications_mailevent":       "riu    riu    -      -      r      r      r",
    "notifications_deliverydecision": "riu   r      -      -      r      r      r",
    "notifications_letterrun":       "riu    ru     -      -      r      r      r",
    "notifications_letter":          "riu    ru     -      -      r      r      r",
    "notifications_sendingepoch":    "r      riu    -      -      r      r      r",
    # Filings
    "regulators_filing":             "riu    r      -      -      r      r      r",
    "regulators_answer":             "riu    r      -      -      r      r      r",
    "regulators_filingversion":      "ri     r      -      -      r      r      r",
    "regulators_receipt":            "ri     r      -      -      r      r      r",
    "regulators_statedfact":         "riu    r      -      -      r      r      r",
    "regulators_dutymet":            "ri     r      -      -      r      r      r",
    "regulators_reminder":           "r      riu    -      -      r      r      r",
    "regulators_calendarfeed":       "riu    r      -      -      r      r      r",
    "regulators_signedpdf":          "ri     r      -      -      r      r      r",
    "regulators_typing":             "riud   r      -      -      r      r      r",
    "regulators_opendates":          "riu    riu    -      -      r      r      r",
}  # fmt: skip
# Of these only some columns, besides what the table above says.
COLUMNS = {
    ("accounts_user", "bd_auditor"): ("id", "email", "name", "zone", "deputy_id", "is_active", "joined_at", "version"),
}
WRITERS = ("bd_app", "bd_worker", "bd_sequencer", "bd_signer", "bd_eraser", "bd_backup")
# Every other function is for the owner alone; triggers run whatever they need by themselves.
FUNCTIONS = {
    "audit_erase(uuid[],text[])": ("bd_eraser",),
    "audit_names_of(bytea)": WRITERS,
    "audit_is_named(text[])": WRITERS,
    "audit_demand_event(text,text,text,bigint[])": WRITERS,
    "notifications_frozen_row(people_person)": ("bd_app", "bd_worker"),
}


class RolesRefused(Exception):
    """Nothing was changed; the message says why and what to do."""


class Login(NamedTuple):
    name: str
    password: str


def read_logins(paths: Iterable[Path]) -> list[Login]:
    """Each file holds the address one process signs in with: postgresql://breachdesk_web:password@host/database."""
    return [_read_login(path) for path in paths]


def _read_login(path: Path) -> Login:
    try:
        said = conninfo_to_dict(path.read_text().strip())
    except OSError as error:
        raise RolesRefused(f"{path} cannot be read: {error.strerror}. Nothing was changed.") from None
    except ProgrammingError:
        raise RolesRefused(f"{path} holds no address of a database. Nothing was changed.") from None
    name, password = str(said.get("user", "")), str(said.get("password", ""))
    if name not in LOGINS or not password:
        raise RolesRefused(
            f"{path} must name one of {', '.join(LOGINS)} and its password: postgresql://NAME:PASSWORD@host/database. "
            "Nothing was changed."
        )
    return Login(name, password)


def write_database_roles(logins: Iterable[Login] = ()) -> None:
    """Roles and logins of the cluster, then ownership and rights in this database. Running it again changes nothing."""
    with _one_at_a_time() as cluster:
        _write_roles(cluster)
        for login in logins:
            _write_login(cluster, login)
        with transaction.atomic(), connection.cursor() as cursor:
            _refuse_unknown_tables(cursor)
            _own_everything(cursor)
            _close_to_everybody(cursor)
            _grant(cursor)


@contextmanager
def _one_at_a_time() -> Iterator[Any]:
    """An advisory lock belongs to one database; the one called postgres stands for the whole cluster."""
    address = connection.get_connection_params() | {"dbname": "postgres"}
    with psycopg.connect(**address, autocommit=True) as cluster, cluster.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until this connection ends
        yield cursor


def _run(cursor: Any, statement: str, *names: str, **values: sql.Composable) -> None:
    named = {f"n{number}": sql.Identifier(name) for number, name in enumerate(names)}
    cursor.execute(sql.SQL(statement).format(**named, **values))


# The cluster


def _write_roles(cluster: Any) -> None:
    cluster.execute("SELECT rolname FROM pg_roles")
    known = {row[0] for row in cluster.fetchall()}
    for role in (OWNER, *ROLES):
        if role not in known:
            _run(cluster, "CREATE ROLE {n0} NOLOGIN", role)
    _refuse_mighty(cluster)
    cluster.execute(
        "SELECT rolsuper OR pg_has_role(oid, %s, 'USAGE') FROM pg_roles WHERE rolname = current_user", [OWNER]
    )
    if not cluster.fetchone()[0]:
        _run(cluster, "GRANT {n0} TO CURRENT_USER", OWNER)


def _refuse_mighty(cluster: Any) -> None:
    """A role with more rights than are written here would make all of it worthless."""
    cluster.execute(
        """SELECT member.rolname FROM pg_roles AS member WHERE member.rolname = ANY (%s) AND (
               member.rolsuper OR member.rolcreaterole OR member.rolcreatedb OR member.rolbypassrls
               OR member.rolreplication OR EXISTS (
                   SELECT FROM pg_auth_members AS held JOIN pg_roles AS role ON role.oid = held.roleid
                   WHERE held.member = member.oid AND (member.rolname, role.rolname) NOT IN (
                       SELECT * FROM unnest(%s::text[], %s::text[]))))""",
        [[*ROLES, *LOGINS], list(LOGINS), list(LOGINS.values())],
    )
    if mighty := sorted(row[0] for row in cluster.fetchall()):
        raise RolesRefused(
            f"{', '.join(mighty)} may do more in this cluster than BreachDesk gives: take its attributes and its other "
            "memberships away, then run this again. Nothing was changed."
        )


def _write_login(cluster: Any, login: Login) -> None:
    """The server gets a verifier, so that no statement log ever holds the password."""
    cluster.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [login.name])
    verb = "ALTER" if cluster.fetchone()[0] else "CREATE"
    server = cluster.connection.pgconn
    verifier = server.encrypt_password(login.password.encode(), login.name.encode(), b"scram-sha-256").decode()
    _run(cluster, f"{verb} ROLE {{n0}} LOGIN PASSWORD {{verifier}}", login.name, verifier=sql.Literal(verifier))
    _run(cluster, "GRANT {n0} TO {n1}", LOGINS[login.name], login.name)


# This database


def _refuse_unknown_tables(cursor: Any) -> None:
    there = set(connection.introspection.table_names(cursor))
    if unknown := sorted(there - GRANTS.keys()):
        raise RolesRefused(
            f"Nobody said who may use {', '.join(unknown)}: add a line to GRANTS in desk/database_roles.py. The rights "
            "in this database were not changed."
        )
    if missing := sorted(GRANTS.keys() - there):
        raise RolesRefused(f"There is no {', '.join(missing)} yet. Run migrate first.")


# What extensions brought stays as they brought it.
FUNCTIONS_HERE = """
    SELECT oid::regprocedure::text, pg_get_userbyid(proowner) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')"""


def _own_everything(cursor: Any) -> None:
    """Functions that run with their owner's rights must not run with a superuser's."""
    _run(cursor, "GRANT USAGE, CREATE ON SCHEMA public TO {n0}", OWNER)
    _run(cursor, "GRANT ALL ON DATABASE {n0} TO {n1}", connection.settings_dict["NAME"], OWNER)
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relname = ANY (%s) AND relowner <> %s::regrole", [[*GRANTS], OWNER]
    )
    for (table,) in cursor.fetchall():
        _run(cursor, "ALTER TABLE {n0} OWNER TO {n1}", table, OWNER)
    for function, owner in _functions(cursor):
        if owner != OWNER:
            _run(cursor, f"ALTER FUNCTION {function} OWNER TO {{n0}}", OWNER)


def _functions(cursor: Any) -> list[tuple[str, str]]:
    cursor.execute(FUNCTIONS_HERE)
    return list(cursor.fetchall())


def _close_to_everybody(cursor: Any) -> None:
    """Away with what PostgreSQL gives to all, and with what earlier versions gave to our roles."""
    roles = sql.SQL("PUBLIC, ") + _names(ROLES)
    _run(cursor, "REVOKE ALL ON DATABASE {n0} FROM {roles}", connection.settings_dict["NAME"], roles=roles)
    _run(cursor, "REVOKE ALL ON SCHEMA public FROM {roles}", roles=roles)
    _run(cursor, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}", roles=roles)
    _run(cursor, "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {roles}", roles=roles)
    for function, _ in _functions(cursor):
        _run(cursor, f"REVOKE ALL ON FUNCTION {function} FROM {{roles}}", roles=roles)


def _grant(cursor: Any) -> None:
    roles = _names(ROLES)
    _run(cursor, "GRANT CONNECT ON DATABASE {n0} TO {roles}", connection.settings_dict["NAME"], roles=roles)
    _run(cursor, "GRANT USAGE ON SCHEMA public TO {roles}", roles=roles)
    _run(cursor, "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO bd_backup")
    for table in GRANTS:
        for role, letters in granted(table).items():
            _grant_table(cursor, table, role, letters)
    for (table, role), columns in COLUMNS.items():
        _run(cursor, "GRANT SELECT ({columns}) ON {n0} TO {n1}", table, role, columns=_names(columns))
    for function, callers in FUNCTIONS.items():
        _run(cursor, f"GRANT EXECUTE ON FUNCTION {function} TO {{roles}}", roles=_names(callers))


def _names(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def granted(table: str) -> Mapping[str, str]:
    return dict(zip(ROLES, GRANTS[table].split(), strict=True))


def _grant_table(cursor: Any, table: str, role: str, letters: str) -> None:
    if cursor.connection.info.server_version < MAINTAIN_SINCE:
        letters = letters.replace("m", "")  # ANALYZE then only warns, and autovacuum does it later
    names = [PRIVILEGES[letter] for letter in letters if PRIVILEGES[letter]]
    if names:
        privileges = sql.SQL(", ").join(map(sql.SQL, names))
        _run(cursor, "GRANT {privileges} ON {n0} TO {n1}", table, role, privileges=privileges)
