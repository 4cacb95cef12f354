"""Which tables are guarded, how, and why the others are not. The database is asked whether it is so."""

from dataclasses import dataclass

from django.db import connection

# Triggers that must be there, enabled and as late as they should be.
ROWS = {"audit_guard_rows", "audit_guard_changes", "audit_guard_truncate"}
LINKS = {"audit_guard_links", "audit_guard_truncate"}
STATEMENTS = {"audit_guard_insert", "audit_guard_update", "audit_guard_delete", "audit_guard_truncate"}
DEFERRED = {"audit_guard_rows", "audit_guard_changes", "audit_guard_links", "audit_touched_has_its_event"}


@dataclass(frozen=True)
class Owner:
    """Whom an event must name for a row that ties something to it."""

    column: str
    table: str
    label: str


USER = Owner("user_id", "accounts_user", "accounts.user")

GUARDED: dict[str, set[str]] = {
    "vault_data_key": ROWS,
    "accounts_user": ROWS,
    "auth_group": ROWS,
    "accounts_organisation": ROWS,
    "accounts_pendingdecision": ROWS,
    "incidents_incident": ROWS,
    "incidents_moment": ROWS,
    "incidents_assessment": ROWS,
    "incidents_decision": ROWS,
    "incidents_retention": ROWS,
    "incidents_legalhold": ROWS,
    "incidents_destruction": ROWS,
    "people_upload": ROWS,
    "people_countentry": ROWS,
    "people_columnmapping": ROWS,
    "people_peopleexport": ROWS,
    "people_hold": STATEMENTS,
    "people_person": STATEMENTS,
    "people_personmatch": STATEMENTS,
    "people_rejectedrow": STATEMENTS,
    "notifications_notice": ROWS,
    "notifications_edition": ROWS,
    "notifications_approval": ROWS,
    "notifications_override": ROWS,
    "notifications_opening": ROWS,
    "notifications_comment": ROWS,
    "notifications_breakglass": ROWS,
    "notifications_amendment": ROWS,
    "notifications_batch": ROWS,
    "notifications_delivery": STATEMENTS,
    "notifications_attempt": STATEMENTS,
    "notifications_mailevent": STATEMENTS,
    "notifications_deliverydecision": ROWS,
    "notifications_letterrun": ROWS,
    "notifications_letter": STATEMENTS,
    "regulators_filing": ROWS,
    "regulators_answer": ROWS,
    "regulators_filingversion": ROWS,
    "regulators_receipt": ROWS,
    "regulators_statedfact": ROWS,
    "regulators_dutymet": ROWS,
    "regulators_reminder": ROWS,
    "regulators_calendarfeed": ROWS,
    "regulators_signedpdf": ROWS,
}

OWNERS = {
    "accounts_user_groups": USER,
    "accounts_user_user_permissions": USER,
    "account_emailaddress": USER,
    "auth_group_permissions": Owner("group_id", "auth_group", "auth.group"),
    "accounts_pendingdecision_excluded": Owner(
        "pendingdecision_id", "accounts_pendingdecision", "accounts.pendingdecision"
    ),
    "notifications_editionauthor": Owner("edition_id", "notifications_edition", "notifications.edition"),
    "notifications_noticeauthor": Owner("notice_id", "notifications_notice", "notifications.notice"),
    "accounts_organisationauthor": Owner("organisation_id", "accounts_organisation", "accounts.organisation"),
}

ALL_GUARDED = {**GUARDED, **dict.fromkeys(OWNERS, LINKS)}

EXEMPT = {
    "audit_event": "the trail itself: rows are added and never changed, which its own triggers hold",
    "audit_private": "as audit_event; its rows come with their event and go by audit_erase() alone",
    "audit_pending": "the sequencer's list of what to link; filled by a trigger, proved by the log it becomes",
    "audit_entry": "as audit_event",
    "audit_node": "as audit_event",
    "audit_checkpoint": "as audit_event; signed, and compared with the signer's own last note",
    "audit_anchor": "as audit_event; what counts in it is signed by somebody outside",
    "people_reading": "how far a worker is with a file, and its sign of life; what came of it stands in the upload, "
    "which is guarded",
    "notifications_pace": "when the next messages of an edition may go, moved at every claim; how fast they may is "
    "approved with the edition, which is guarded",
    "notifications_sendingepoch": "a number that grows with every worker's start, compared with a file outside the "
    "database; who lets sending go on after they differed leaves an event",
    "people_tally": "counted from the people's rows, which are guarded; manage.py recount_people gives it anew, and a "
    "test compares the two after every action",
    "regulators_typing": "words typed and not saved, for whoever typed them, and who has a page open: no part of a "
    "filing. Saving makes an answer of them, which is guarded",
    "regulators_opendates": "worked out from the case, its people and its papers, which are guarded, and compared with "
    "them on every look; deleting all of it loses nothing",
    "auth_permission": "written by migrate from the models; opens nothing until a group holds it, which is guarded",
    "django_content_type": "written by migrate from the models; names tables and opens nothing",
    "django_session": "who is signed in, for hours; signing in leaves its event, and a session has its user's rights",
    "account_emailconfirmation": "never written: nobody confirms an address here, and none is used without its row in "
    "account_emailaddress, which is guarded",
}

# Columns of row-guarded tables that may change without an event.
FREE = {
    "accounts_user": {
        "password": "hashed afresh at a sign-in when hashing grew stronger; who chooses a new one leaves an event",
        "last_login": "written at every sign-in, which leaves an event of its own",
    },
    "accounts_pendingdecision": {
        "tried_at": "when the relay was tried; the asking is in the trail",
        "told_at": "when the relay took the e-mails; the asking is in the trail",
        "deputies_told_at": "as told_at; that deputies were asked is guarded",
    },
    "regulators_reminder": {
        "tried_at": "when the relay was tried; that colleagues are warned is in the trail",
        "told_at": "when the relay took the e-mails; that colleagues are warned is in the trail",
    },
    "notifications_batch": {
        "lease_until": "the worker's sign of life; says nothing of what came of a message",
        "route": "written with the batch, which nobody changes once it is settled",
        "journal": "written with the batch: where its worker notes what it does on the wire",
    },
}

# Columns that may change alone while a row is under way, and when that is.
FREE_FOR_A_TIME = {
    "people_upload": "state IN ('queued', 'reading'): the lease and the counts so far change by the second, and none "
    "of it counts until the list is loaded or has failed",
}


def triggers_of(table: str) -> dict[str, str]:
    """Name and definition of the table's own enabled triggers; a deferred one that is not deferred does not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT tgname, pg_get_triggerdef(oid), tgdeferrable AND tginitdeferred FROM pg_trigger
            WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled IN ('O', 'A')""",
            [table],
        )
        return {name: definition for name, definition, late in cursor.fetchall() if late or name not in DEFERRED}


def columns_of(table: str) -> set[str]:
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, table)
        return {column.name for column in description}
