"""A case whose time is over, and the way two people take to destroy what is left of it."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.incidents.actions import ask_destruction, close_incident, confirm_destruction, set_retention
from breachdesk.incidents.erasing import carry_out
from breachdesk.incidents.retention import keeping_of
from tests.factories import make_incident, make_user

FAR = timedelta(days=2000)


def closed(incident=None, by=None):
    incident = incident or make_incident()
    by = by or make_user("dpo")
    return close_incident(incident, reason="Everybody is told.", expected_version=incident.version, by=by)


def due(incident=None, by=None, what="data"):
    """Closed, and its day has come."""
    by, today = by or make_user("dpo"), timezone.localdate()
    incident = incident or closed(by=by)
    incident.refresh_from_db()
    if incident.status != "closed":
        incident = closed(incident, by)
    until = today if what == "index" else today + FAR
    delete_on = today if what == "data" else keeping_of(incident).delete_on
    set_retention(incident, delete_on=delete_on, index_until=until, reason="The term is over.", by=by)
    return incident


def confirmed(incident=None, what="data", by=None, other=None):
    by = by or make_user("dpo")
    incident = due(incident, by, what)
    request = ask_destruction(incident, what=what, reason="The term is over.", by=by)
    return confirm_destruction(request, by=other or make_user("dpo"))


def destroy(incident=None, what="data", by=None):
    """Returns the request that was carried out."""
    request = confirmed(incident, what, by)
    refusal = carry_out(request.pk, at=request.not_before, by=None)
    assert not refusal, refusal
    request.refresh_from_db()
    return request


def client_of(user):
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def page(user, name, *args, **data):
    client = client_of(user)
    return client.post(reverse(name, args=args), data) if data else client.get(reverse(name, args=args))
