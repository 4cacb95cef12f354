"""Rows for tests, made by the product's own actions. Plain functions with defaults."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from breachdesk.accounts.models import Organisation, User
from breachdesk.audit.record import record
from breachdesk.incidents.actions import Facts, StatedMoment, open_incident
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import accept_upload, match_columns, receive_upload
from breachdesk.people.models import Upload
from breachdesk.people.reading.guessing import guess_for
from breachdesk.people.reading.plan import Plan
from breachdesk.people.uploads import seal_chunks
from breachdesk.people.working import work_on_upload
from breachdesk.vault.sealing import cipher_for, create_key, shred
from notifications import actions as notices
from notifications.models import DeliveryDecision, Edition

_numbers = count(1)


@contextmanager
def unguarded() -> Iterator[None]:
    """What only a superuser can do, for a state that no action makes: here no trigger of any table fires."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def make_scope(scope: UUID | None = None) -> UUID:
    """What the trail knows of an incident: its id and its data key, over a trail that is still empty."""
    with unguarded():
        return create_key(scope or uuid4()).scope


def destroy_key(scope: UUID) -> None:
    with unguarded():
        shred(scope)


def make_user(*roles: str, **fields: Any) -> User:
    """A colleague who has joined, with these roles."""
    groups = list(Group.objects.filter(name__in=roles))
    if len(groups) < len(roles):
        call_command("sync_roles", verbosity=0)
        groups = list(Group.objects.filter(name__in=roles))
    number = next(_numbers)
    email = fields.pop("email", f"colleague{number}@halden-rowe.example")
    fields = {"name": f"Colleague {number}", "joined_at": timezone.now(), **fields}
    with transaction.atomic():
        user = User.objects.create_user(email, "a long enough pass phrase", **fields)
        user.groups.add(*groups)
        record("user.invited", by=None, on=user, roles=sorted(roles))
    return user


def make_organisation(**fields: Any) -> Organisation:
    defaults: dict[str, Any] = {
        "legal_name": "Halden & Rowe Ltd",
        "short_name": "Halden & Rowe",
        "address": "14 Tanner Row, Bath",
        "company_number": "00000000",
        "ico_registration": "ZA000000",
        "dpo_name": "Priya Raman",
        "dpo_email": "dpo@halden-rowe.example",
        "dpo_phone": "01632 960110",
        "sender_name": "Halden & Rowe",
        "sender_email": "care@halden-rowe.example",
        "reply_to": "care@halden-rowe.example",
        "hotline": "01632 960100",
        "website": "https://halden-rowe.example",
        "allowed_links": ["halden-rowe.example"],
        "languages": ["en"],
    }
    with transaction.atomic():
        organisation = Organisation.objects.create(**{**defaults, **fields})
        record("organisation.changed", by=None, on=organisation, fields=sorted(defaults.keys() | fields.keys()))
    return organisation


def make_incident(**facts: Any) -> Incident:
    """A breach at a processor that we have known of for five hours."""
    defaults: dict[str, Any] = {
        "what_happened": "A parcel carrier lost a list of our customers.",
        "origin": "processor",
        "processor": "Larkfield Parcels",
        "kinds": ["name", "email", "postal_address"],
    }
    aware = StatedMoment("aware", timezone.now() - timedelta(hours=5), basis="Larkfield rang the service desk.")
    return open_incident(Facts(**{**defaults, **facts}), [aware], by=make_user("responder"))


LIST = """customer_id,first_name,last_name,email,street,city,country,language,date_of_birth,data_exposed
HR-1,Amelia,Okafor,amelia.okafor@example.com,1 Quay Street,Leeds,GB,en-GB,1984-05-31,name;email
HR-2,Jürgen,Müller,j.mueller@example.org,Gartenstraße 2,Köln,DE,de,1970-01-02,name;email;phone
HR-3,Chloé,Dubois,chloe@example.net,3 rue des Lilas,Lyon,FR,fr,2015-06-07,name
HR-4,Noah,Doyle,,4 Harbour Row,Dublin,IE,en-IE,1990-11-12,name;postal_address
HR-1-B, AMELIA,Okafor  ,Amelia.Okafor@EXAMPLE.com,1 Quay Street,Leeds,GB,en-GB,1984-05-31,name
HR-5,Broken,Row,nobody at example.com,5 Mill Lane,York,GB,en-GB,,
"""


def make_upload(incident: Incident, text: str = LIST, name: str = "customers.csv", by: User | None = None) -> Upload:
    """A list that was handed in, and whose columns nobody matched yet: four people, one twice, and one broken row."""
    sealed = seal_chunks(incident.pk, name, [text.encode()])
    return receive_upload(incident, sealed, by=by or make_user("responder"))


def match_upload(upload: Upload, purpose: str = "add", reason: str = "", plan: Plan | None = None) -> Upload:
    """Its columns matched as they are guessed; it waits to be read."""
    plan = plan or guess_for(upload, cipher_for(upload.incident_id))
    by, version = upload.uploaded_by, upload.version
    return match_columns(upload, plan, purpose=purpose, reason=reason, expected_version=version, by=by, ring=False)


def check_upload(upload: Upload, purpose: str = "add", reason: str = "") -> Upload:
    """Matched and read; it waits for a decision."""
    return work_on_upload(match_upload(upload, purpose, reason).pk)


def take_in(upload: Upload) -> Upload:
    """Accepted, with everything explained, and taken in."""
    if upload.state != Upload.State.CHECKED:
        return upload
    explained = {signal["key"]: "The carrier confirmed it." for signal in upload.signals}
    accept_upload(upload, explained, by=upload.uploaded_by, ring=False)
    return work_on_upload(upload.pk)


def make_people(
    incident: Incident,
    text: str = LIST,
    *,
    purpose: str = "add",
    reason: str = "",
    name: str = "customers.csv",
    by: User | None = None,
) -> Upload:
    """A list from its handing in until its people count."""
    reason = reason or ("They were test entries." if purpose == "withdraw" else "")
    return take_in(check_upload(make_upload(incident, text, name, by), purpose, reason))


def make_edition(incident: Incident | None = None, *, by: User | None = None) -> Edition:
    """The first draft of a notice to three people who can be reached, by a comms author."""
    if not Organisation.objects.exists():
        make_organisation()
    if incident is None:
        incident = make_incident()
        make_people(incident)
    notice = notices.create_notice(incident, title="Customer notice", by=by or make_user("author"))
    return notice.editions.with_incident().get()


def make_edition_in_review(edition: Edition | None = None) -> Edition:
    edition = edition or make_edition()
    return notices.submit_for_review(edition, by=edition.authors.get().author)


def open_everything(edition: Edition, *, by: User) -> None:
    """What an approver must have seen before a yes."""
    for rendering in Edition.objects.get(pk=edition.pk).renderings:
        notices.open_rendering(edition, rendering=rendering, by=by)


def approve(edition: Edition, *, by: User | None = None) -> Edition:
    """One yes, by somebody who opened everything first."""
    by = by or make_user("approver")
    open_everything(edition, by=by)
    return notices.approve_edition(edition, by=by)


def make_approved_edition(edition: Edition | None = None, *, by: User | None = None) -> Edition:
    return approve(edition or make_edition_in_review(), by=by)


def make_edition_being_sent() -> Edition:
    return notices.start_edition(make_approved_edition(), by=make_user("approver"))


def make_delivery_decision(edition: Edition, kind: str) -> DeliveryDecision:
    """Confirmed, by another person than asked: for moves that are tried in raw SQL."""
    now, people = timezone.now(), [make_user("approver"), make_user("dpo")]
    with unguarded():
        return DeliveryDecision.objects.create(
            edition=edition,
            kind=kind,
            reason="The relay's log names nobody.",
            people=1,
            rows_root=b"0" * 32,
            asked_by=people[0],
            asked_at=now,
            confirmed_by=people[1],
            confirmed_at=now,
        )
