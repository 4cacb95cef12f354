"""A private address under which one's calendar reads the open dates, until it is revoked."""

import re
from datetime import datetime, timedelta

import icalendar
import pytest
from django.test import Client
from django.urls import reverse

from breachdesk.accounts import actions as staff
from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import StatedMoment, state_moment
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.models import CalendarFeed
from tests.factories import make_people, make_user, unguarded

pytestmark = pytest.mark.django_db
ICO = "Information Commissioner"


def read(token: str) -> bytes | None:
    response = Client().get(reverse("calendar-feed"), {"key": token})
    return response.content if response.status_code == 200 else None


def entries(token: str) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(read(token)).walk("VEVENT"))


def ico(token: str) -> icalendar.Event:
    return next(entry for entry in entries(token) if ICO in entry["summary"])


def starts(entry: icalendar.Event) -> datetime:
    at = entry["dtstart"].dt
    assert isinstance(at, datetime)
    return at


def test_it_holds_the_date_with_its_working(incident: Incident, dpo: User) -> None:
    entry = ico(actions.make_calendar_feed(by=dpo))
    assert entry["dtstart"].dt == (incident.aware_at + timedelta(hours=72)).replace(microsecond=0)
    assert entry["summary"].startswith(f"{incident.reference}: ")
    assert "72 hours later is" in entry["description"]
    assert incident.title not in str(entry)


def test_the_page_shows_the_address_once_and_the_trail_says_it_was_made(dpo: User, incident: Incident) -> None:
    client = Client()
    client.force_login(dpo)
    made = client.post(reverse("calendar-make")).content.decode()
    [token] = re.findall(r"http://testserver/calendar/deadlines\.ics\?key=([\w-]{43})", made)
    assert entries(token)
    assert token not in client.get(reverse("calendar")).content.decode()
    event = Event.objects.newest_first()[0]
    assert (event.type, token in str(event.content)) == ("calendar.made", False)
    assert token.encode() not in bytes(CalendarFeed.objects.get().token_sha256)


def test_a_revoked_address_says_nothing(dpo: User, incident: Incident) -> None:
    token = actions.make_calendar_feed(by=dpo)
    client = Client()
    client.force_login(dpo)
    assert client.post(reverse("calendar-revoke"), follow=True).status_code == 200
    assert read(token) is None
    assert Event.objects.filter(type="calendar.revoked").exists()


def test_a_new_address_ends_the_old_one(dpo: User, incident: Incident) -> None:
    old, new = actions.make_calendar_feed(by=dpo), actions.make_calendar_feed(by=dpo)
    assert read(old) is None
    assert entries(new)


def test_a_colleague_who_was_removed_or_may_no_longer_see_filings_reads_nothing(dpo: User, incident: Incident) -> None:
    token = actions.make_calendar_feed(by=dpo)
    with unguarded():
        dpo.groups.clear()
    assert entries(token) == []
    with unguarded():
        User.objects.filter(pk=dpo.pk).update(is_active=False)
    assert read(token) is None


def test_a_removal_and_a_reset_end_it_for_good(dpo: User, incident: Incident) -> None:
    administrator = make_user("administrator")
    known_at_reset = actions.make_calendar_feed(by=dpo)
    staff.reset_user(dpo, by=administrator)
    assert read(known_at_reset) is None
    known_at_removal = actions.make_calendar_feed(by=dpo)
    staff.remove_user(dpo, reason="Left us.", by=administrator)
    staff.readmit_user(dpo, by=administrator)
    assert read(known_at_removal) is None
    assert Event.objects.filter(type="calendar.revoked").done_by(administrator.pk).count() == 2


def test_an_unknown_address_says_nothing() -> None:
    assert read("A" * 43) is None


def test_an_entry_keeps_its_identity_and_leaves_when_it_is_done(
    dpo: User, incident: Incident, signed: object, submitted: object
) -> None:
    token = actions.make_calendar_feed(by=dpo)
    assert not [entry for entry in entries(token) if ICO in entry["summary"]]
    first, second = (sorted(str(entry["uid"]) for entry in entries(token)) for _ in range(2))
    assert first == second


def test_every_authority_has_its_entry_once(incident: Incident, dpo: User) -> None:
    for key, places in (("us.established_in", ["GB"]), ("us.targets", ["FR", "IE"])):
        actions.state_position(actions.Statement(key, places), by=dpo)
    make_people(incident)
    found = entries(actions.make_calendar_feed(by=dpo))
    assert len({str(entry["uid"]) for entry in found}) == len(found)
    for key in ("uk_gdpr:authority:GB", "eu_gdpr:authority:FR", "eu_gdpr:authority:IE"):
        assert sum(str(entry["url"]).endswith(f"/duties/{key}/") for entry in found) == 1


def test_a_date_that_moves_moves_in_the_calendar(incident: Incident, dpo: User) -> None:
    token = actions.make_calendar_feed(by=dpo)
    before = ico(token)
    at = incident.aware_at - timedelta(hours=4)
    state_moment(incident, StatedMoment("aware", at), expected_version=incident.version, reason="Spam.", by=dpo)
    after = ico(token)
    assert str(after["uid"]) == str(before["uid"])
    assert starts(before) - starts(after) == timedelta(hours=4)


def test_revoking_ends_nobody_elses_address(incident: Incident, dpo: User) -> None:
    mine, colleague = actions.make_calendar_feed(by=dpo), make_user("auditor")
    theirs = actions.make_calendar_feed(by=colleague)
    client = Client()
    client.force_login(colleague)
    client.post(reverse("calendar-revoke"))
    assert read(theirs) is None
    assert entries(mine)
    assert client.get(reverse("calendar-revoke")).status_code == 405


def test_whoever_may_not_see_filings_has_no_page(incident: Incident) -> None:
    client = Client()
    client.force_login(make_user("administrator"))
    assert client.get(reverse("calendar")).status_code == 403
