"""The table of attacks on approval: whatever is tried between a draft and the wire, one of us says no, or the database.

What two who break the glass may not do stands in test_two_approvers.py, what may not be slipped onto a frozen list in
test_amendments.py, and what the app's own database role cannot do in test_attacks_as_the_app.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.actions import change_organisation, remove_user, set_roles
from breachdesk.accounts.models import Organisation, OrganisationAuthor
from breachdesk.incidents.actions import Facts, change_facts
from notifications import actions as notices
from notifications.models import Delivery, Edition, NoticeAuthor
from tests.factories import approve, make_edition, make_edition_in_review, make_user, open_everything

pytestmark = pytest.mark.django_db

REFUSED = (ValidationError, IntegrityError, PermissionDenied)


@pytest.fixture(scope="module")
def case(made_once: None) -> SimpleNamespace:
    """One notice waits for approval, one has it; everybody who could try something is there."""
    author, administrator = make_user("author", "approver"), make_user("administrator", "approver")
    approver, second = make_user("approver"), make_user("approver")
    draft = make_edition(by=author)
    linked = f"{draft.body}\n\nRead [halden-rowe.example/help](https://halden-rowe.example/help).\n"
    first = make_edition_in_review(notices.save_draft(draft, subject=draft.subject, body=linked, by=author))
    again = notices.create_notice(first.notice.incident, title="Second notice", by=author)
    waiting = notices.submit_for_review(again.editions.with_incident().get(), by=author)
    return SimpleNamespace(
        author=author,
        administrator=administrator,
        approver=approver,
        second=second,
        approved=approve(first, by=approver),
        waiting=waiting,
        incident=first.notice.incident,
    )


def sql(statement: str) -> Callable[[Any], None]:
    """One statement about the approved edition (%(approved)s) or the one that waits (%(waiting)s), as the owner."""

    def run(case: Any) -> None:
        with connection.cursor() as cursor:
            named = {"approved": case.approved.pk, "waiting": case.waiting.pk, "notice": case.approved.notice_id}
            people = {"author": case.author.pk, "approver": case.approver.pk, "second": case.second.pk}
            cursor.execute(statement, named | people | {"id": uuid4()})

    return run


def start(case: Any) -> None:
    notices.start_edition(case.approved, by=case.second)


def role_removed(case: Any) -> None:
    set_roles(case.approver, roles=["auditor"], by=case.administrator)


def approver_removed(case: Any) -> None:
    remove_user(case.approver, reason="Left.", by=case.administrator)


def self_approval(case: Any) -> None:
    notices.approve_edition(case.waiting, by=case.author)


def approval_without_the_role(case: Any) -> None:
    open_everything(case.waiting, by=case.approver)
    role_removed(case)
    notices.approve_edition(case.waiting, by=case.approver)


def stale_tab(case: Any) -> None:
    approve_now(case, expected_version=case.waiting.version - 1)


def approve_now(case: Any, **options: Any) -> None:
    open_everything(case.waiting, by=case.approver)
    notices.approve_edition(case.waiting, by=case.approver, **options)


def approved_twice(case: Any) -> None:
    approve_now(case)
    approve_now(case)


def sent_back_after_the_yes(case: Any) -> None:
    approve_now(case)
    notices.reject_edition(case.waiting, reason="Late.", by=case.second)


def edited_before_the_start(case: Any) -> None:
    notices.save_draft(case.approved, subject="Another", body=case.approved.body, by=case.author)
    start(case)


def edited_and_approved_by_the_new_author(case: Any) -> None:
    draft = notices.save_draft(
        case.approved, subject=f"{case.approved.subject}.", body=case.approved.body, by=case.author
    )
    notices.submit_for_review(draft, by=case.author)
    notices.start_edition(draft, by=case.second)


def organisation_changed(case: Any) -> None:
    change_organisation(hotline="01632 960999", by=make_user("administrator"))
    start(case)


def links_changed(case: Any) -> None:
    change_organisation(allowed_links=[], by=make_user("administrator"))
    start(case)


def facts_changed(case: Any) -> None:
    facts = Facts(what_happened="A list was lost.", origin="processor", processor="Larkfield Parcels", kinds=["health"])
    change_facts(case.incident, facts, expected_version=case.incident.version, by=make_user("responder"))
    start(case)


def whoever_changed_the_page_approves(case: Any) -> None:
    change_organisation(sector="Shops", by=case.administrator)
    open_everything(case.waiting, by=case.administrator)
    notices.approve_edition(case.waiting, by=case.administrator)


def the_approver_changes_the_page_then(case: Any) -> None:
    change_organisation(sector="Shops", by=make_user("administrator"))
    OrganisationAuthor.objects.create(organisation=Organisation.objects.get(), author=case.approver, at=timezone.now())
    start(case)


def the_new_author_of_the_page_in_the_database(case: Any) -> None:
    change_organisation(sector="Shops", by=case.administrator)
    open_everything(case.waiting, by=case.administrator)
    sql(YES.replace("%(author)s", f"'{case.administrator.pk}'"))(case)


def whoever_chose_the_audience_approves(case: Any) -> None:
    NoticeAuthor.objects.create(notice=case.waiting.notice, author=case.approver)
    approve_now(case)


YES = """INSERT INTO notifications_approval (id, edition_id, digest, subject, body, approver_id, approved_at, version)
    SELECT %(id)s, id, digest, subject, body, %(author)s, now(), 1 FROM notifications_edition WHERE id = %(waiting)s"""
ROW = """INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, next_at, tries, generation,
    frozen) SELECT %(id)s, notice_id, edition_id, (SELECT id FROM people_person WHERE NOT has_email LIMIT 1),
    'planned', now(), 0, 0, frozen FROM notifications_delivery WHERE edition_id = %(approved)s LIMIT 1"""


@dataclass(frozen=True)
class Attack:
    """What is tried, and how the refusal begins or what it says."""

    tried: Callable[[Any], None]
    said: str
    before: Callable[[Any], None] | None = None


def set_approved(change: str) -> Callable[[Any], None]:
    return sql(f"UPDATE notifications_edition SET {change}, version = version + 1 WHERE id = %(approved)s")


def set_waiting(change: str) -> Callable[[Any], None]:
    return sql(f"UPDATE notifications_edition SET {change}, version = version + 1 WHERE id = %(waiting)s")


FOR_SOMEBODY_ELSE = """
UPDATE notifications_delivery SET person_id = %(id)s
WHERE id = (SELECT id FROM notifications_delivery WHERE edition_id = %(approved)s LIMIT 1)
"""

HANDED_OVER = "UPDATE notifications_delivery SET state = 'handed_over', next_at = NULL, token = %(id)s"

ATTACKS = {
    "an author approves": Attack(self_approval, "You wrote a part"),
    "an author approves in SQL": Attack(sql(YES), "Whoever wrote a part"),
    "an approval without opening in SQL": Attack(sql(YES.replace("(author)", "(second)")), "has not opened everything"),
    "the role is gone before the yes": Attack(approval_without_the_role, "This needs the role"),
    "the role is gone before the start": Attack(start, "may not approve it any more", before=role_removed),
    "the approver left before the start": Attack(start, "may not approve it any more", before=approver_removed),
    "a stale tab": Attack(stale_tab, "changed by somebody else since you opened it"),
    "the form again": Attack(approved_twice, "it is “approved"),
    "sent back after the yes": Attack(sent_back_after_the_yes, "it is “approved"),
    "edited before the start": Attack(edited_before_the_start, "it is “draft”"),
    "edited and submitted, not approved": Attack(edited_and_approved_by_the_new_author, "it is “waiting for approval”"),
    "the organisation's page changed": Attack(organisation_changed, "not what was submitted any more"),
    "the allowed links changed": Attack(links_changed, "not what was submitted any more"),
    "a fact changed": Attack(facts_changed, "not what was submitted any more"),
    "who changed the page approves": Attack(whoever_changed_the_page_approves, "You changed the organisation's page"),
    "who changed the page approves in SQL": Attack(the_new_author_of_the_page_in_the_database, "Whoever wrote a part"),
    "the approver changes the page": Attack(the_approver_changes_the_page_then, "may not approve it any more"),
    "who chose the audience approves": Attack(whoever_chose_the_audience_approves, "You chose whom this notice is for"),
    "approved in SQL": Attack(set_waiting("state = 'approved'"), "No approval stands"),
    "sent in SQL": Attack(set_waiting("state = 'sending', epoch = 1"), "cannot go from in_review to sending"),
    "started in SQL after the yes was voided": Attack(
        set_approved("state = 'sending', epoch = 1"),
        "No approval stands",
        before=sql("UPDATE notifications_approval SET voided_at = now(), version = 2 WHERE edition_id = %(approved)s"),
    ),
    "another digest": Attack(set_approved("digest = '\\x00'"), "is frozen"),
    "another root": Attack(set_approved("recipients_root = '\\x00'"), "is frozen"),
    "another text": Attack(set_approved("body = body || '.'"), "Only the text of a draft"),
    "another subject": Attack(set_approved("subject = subject || '.'"), "Only the text of a draft"),
    "another schedule": Attack(set_approved("""schedule = '{"rate": 1}'"""), "Only the schedule of a draft"),
    "fewer approvals": Attack(set_waiting("approvers_needed = 0"), "is frozen"),
    "nothing to open": Attack(set_waiting("renderings = '[]'"), "is frozen"),
    "other words for the public": Attack(set_approved("published = '{}'"), "is frozen"),
    "armed before the yes": Attack(set_waiting("armed_by_id = %(second)s, armed_at = now()"), "start by itself"),
    "another yes": Attack(sql("UPDATE notifications_approval SET digest = '\\x00'"), "can only be voided"),
    "other words of the yes": Attack(sql("UPDATE notifications_approval SET body = 'x'"), "can only be voided"),
    "a yes deleted": Attack(sql("DELETE FROM notifications_approval"), "never deleted"),
    "authors forgotten": Attack(sql("DELETE FROM notifications_editionauthor"), "never changed or forgotten"),
    "authors of the page forgotten": Attack(
        sql("DELETE FROM accounts_organisationauthor"),
        "never changed or forgotten",
        before=lambda case: change_organisation(sector="Shops", by=case.administrator),
    ),
    "authors of the audience forgotten": Attack(
        sql("DELETE FROM notifications_noticeauthor"), "never changed or forgotten"
    ),
    "another starter": Attack(
        sql("UPDATE notifications_notice SET starter = 'own_systems' WHERE id = %(notice)s"), "only while all its"
    ),
    "another audience": Attack(
        sql("""UPDATE notifications_notice SET audience = '{"minors": true}' WHERE id = %(notice)s"""), "only while all"
    ),
    "another order of languages": Attack(
        sql("UPDATE notifications_notice SET fallback = '{fr}' WHERE id = %(notice)s"), "only while all its editions"
    ),
    "one more on the list": Attack(sql(ROW), "Nobody comes to a frozen list"),
    "a row frozen anew": Attack(sql("UPDATE notifications_delivery SET frozen = '\\x00'"), "A delivery cannot go"),
    "a row amended": Attack(sql("UPDATE notifications_delivery SET amended = '\\x00'"), "as the person is now"),
    "a row for somebody else": Attack(sql(FOR_SOMEBODY_ELSE), "cannot go"),
    "a row handed over": Attack(sql(HANDED_OVER), "cannot go from"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_it_is_refused(case: SimpleNamespace, attack: Attack) -> None:
    if attack.before:
        attack.before(case)
    with pytest.raises(REFUSED, match=attack.said), transaction.atomic():
        attack.tried(case)
    assert not Delivery.objects.exclude(state="planned").exists()
    assert not Edition.objects.sending().exists()
    connection.needs_rollback = False
    with connection.cursor() as cursor:  # what was only made to try it is not asked for its event
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    transaction.set_rollback(True)


def test_a_second_session_is_the_same_author(case: SimpleNamespace) -> None:
    wrote, other = Client(), Client()
    wrote.force_login(case.author)
    other.force_login(case.author)
    arguments = [case.incident.reference, case.waiting.pk]
    assert wrote.get(reverse("edition-detail", args=arguments)).status_code == 200
    opened = [
        other.post(reverse("edition-open", args=arguments), {"rendering": key}) for key in case.waiting.renderings
    ]
    assert {answer.status_code for answer in opened} == {302}
    answer = other.post(reverse("edition-approve", args=arguments), {"version": case.waiting.version})
    assert (answer.status_code, "You wrote a part of this edition" in answer.content.decode()) == (409, True)


def test_a_forged_list_of_one_fewer_is_not_started(case: SimpleNamespace) -> None:
    sql(
        "DELETE FROM notifications_delivery WHERE id = (SELECT min(id::text)::uuid FROM notifications_delivery "
        "WHERE edition_id = %(approved)s)"
    )(case)
    with pytest.raises(ValidationError, match="the list of people has changed"):
        start(case)
    transaction.set_rollback(True)
