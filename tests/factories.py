"""Rows for tests, made by the product's own actions. Plain functions with defaults."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from breachdesk.accounts.models import Organisation, User
from breachdesk.accounts.permissions import ROLES
from breachdesk.incidents.actions import Facts, StatedMoment, open_incident
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import load_upload, receive_upload
from breachdesk.people.models import Upload
from breachdesk.people.uploads import seal_chunks

_numbers = count(1)


def make_user(*roles: str, **fields: Any) -> User:
    """A colleague who has joined, with these roles."""
    if not Group.objects.filter(name__in=ROLES).exists():
        call_command("sync_roles", verbosity=0)
    number = next(_numbers)
    email = fields.pop("email", f"colleague{number}@halden-rowe.example")
    user = User.objects.create_user(
        email, "a long enough pass phrase", **{"name": f"Colleague {number}", "joined_at": timezone.now(), **fields}
    )
    user.groups.set(Group.objects.filter(name__in=roles))
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
    return Organisation.objects.create(**{**defaults, **fields})


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
    """A list that was handed in and waits to be read: four people, one of them twice, and one broken row."""
    sealed = seal_chunks(incident.pk, name, [text.encode()])
    return receive_upload(incident, sealed, by=by or make_user("responder"), ring=False)


def make_people(incident: Incident, text: str = LIST) -> Upload:
    """The same, read to its end."""
    return load_upload(make_upload(incident, text).pk)
