"""Colleagues are reminded of a date once for each warning, deputies when nobody reacted, nobody of what is done."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from regulators import actions, tasks
from regulators.catalogue import get_supervisor
from regulators.models import Filing, Reminder
from regulators.reminding import remind
from tests.factories import make_incident, make_organisation, make_people, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def incident(dpo: User) -> Incident:
    make_organisation()
    return make_incident()


def after(incident: Incident, hours: float) -> datetime:
    return incident.aware_at + hours * HOUR


def ico(incident: Incident) -> list[str]:
    rows = Reminder.objects.of(incident).filter(duty="uk_gdpr:authority:GB")
    return list(rows.order_by("made_at", "due_at").values_list("warning", flat=True))


def receivers() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


def test_whoever_may_write_filings_is_reminded_once(incident: Incident, dpo: User) -> None:
    make_user("auditor")
    make_user("dpo", is_active=False)
    assert remind(after(incident, 35)) == 0
    assert remind(after(incident, 36.1)) >= 1
    assert remind(after(incident, 36.2)) == 0
    assert (ico(incident), receivers()) == (["50_percent"], [dpo.email])


def test_the_e_mail_says_what_is_due_and_names_nobody(incident: Incident, dpo: User) -> None:
    remind(after(incident, 36.1))
    [letter] = mail.outbox
    assert letter.subject == f"{incident.reference}: a deadline comes near"
    assert "UK GDPR Article 33(1)" in letter.body
    assert "35 hours left. Whether it is owed is not decided yet." in letter.body
    assert f"http://testserver/incidents/{incident.reference}/duties/" in letter.body
    assert incident.title not in letter.subject + letter.body
    assert dpo.name not in letter.subject + letter.body


def test_what_was_missed_while_nothing_ran_comes_in_one_e_mail(incident: Incident, dpo: User) -> None:
    remind(after(incident, 73))
    assert len(ico(incident)) == 6
    assert receivers() == [dpo.email]
    assert mail.outbox[0].subject == f"{incident.reference}: a deadline has passed"
    assert "the reason for the delay is asked for" in mail.outbox[0].body


def test_deputies_are_called_when_nobody_reacted(incident: Incident, dpo: User) -> None:
    deputy = make_user("dpo", deputy=None)
    with_deputy = make_user("dpo", deputy=make_user("responder"))
    remind(after(incident, 36.1))
    assert receivers() == sorted([dpo.email, deputy.email, with_deputy.email])
    remind(after(incident, 48.1))
    assert with_deputy.deputy
    assert mail.outbox[-1].to == [with_deputy.deputy.email]
    assert mail.outbox[-1].subject.startswith("Nobody has reacted yet, and you are named as a deputy:")


def test_a_report_that_is_begun_calls_no_deputy_before_it_is_late(incident: Incident, dpo: User) -> None:
    deputy = make_user("responder")
    make_user("dpo", deputy=deputy)
    remind(after(incident, 36.1))
    actions.open_filing(incident, "uk_ico", by=dpo)
    remind(after(incident, 48.1))
    assert deputy.email not in receivers()
    remind(after(incident, 72.1))
    assert deputy.email in receivers()


def test_the_trail_says_who_was_reminded(incident: Incident, dpo: User) -> None:
    made = remind(after(incident, 36.1))
    data = Event.objects.filter(type="deadline.warned").get().content["data"]
    assert (data["asked"], data["users"], data["deputies"], data["warnings"]) == (1, [str(dpo.pk)], [], made)
    assert f"regulators.reminder/{Reminder.objects.all()[0].pk}/1" in data["also"]


def test_a_relay_that_is_down_is_tried_again_and_then_left_alone(
    incident: Incident, dpo: User, settings: Settings
) -> None:
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 2
    remind(after(incident, 36.1))
    settings.EMAIL_BACKEND = working
    remind(after(incident, 36.1) + timedelta(minutes=9))
    assert receivers() == []
    remind(after(incident, 36.1) + timedelta(minutes=11))
    remind(after(incident, 36.1) + timedelta(minutes=30))
    assert receivers() == [dpo.email]


def test_what_was_done_meanwhile_is_not_reminded_of(incident: Incident, dpo: User, submitted: object) -> None:
    remind(after(incident, 36.1))
    assert ico(incident) == []


def test_the_same_warning_cannot_be_made_twice(incident: Incident, dpo: User) -> None:
    remind(after(incident, 36.1))
    row = Reminder.objects.all()[0]
    row.pk = None
    with pytest.raises(IntegrityError, match="a_warning_is_made_once"), transaction.atomic():
        Reminder.objects.bulk_create([row])


def test_the_beat_asks_for_it(incident: Incident, dpo: User) -> None:
    tasks.remind_of_deadlines()
    assert Reminder.objects.of(incident).count() == len({(r.duty, r.warning) for r in Reminder.objects.all()})


def test_every_authority_is_reminded_of_once(incident: Incident, dpo: User) -> None:
    for key, places in (("us.established_in", ["GB"]), ("us.targets", ["FR", "IE"])):
        actions.state_position(actions.Statement(key, places), by=dpo)
    make_people(incident)
    owed = {"uk_gdpr:authority:GB", "eu_gdpr:authority:FR", "eu_gdpr:authority:IE"}
    remind(after(incident, 36.1))
    rows = list(Reminder.objects.values_list("duty", "warning"))
    assert len(rows) == len(set(rows))
    assert {duty for duty, warning in rows if warning == "50_percent"} >= owed
    names = [get_supervisor(key).name for key in ("gb_ico", "fr_cnil", "ie_dpc")]
    assert [name for name in names if name not in mail.outbox[0].body] == []
    met = actions.Told("eu_gdpr", "authority", "FR", timezone.now() - timedelta(minutes=1), "By telephone.")
    actions.meet_duty(incident, met, by=dpo)
    remind(after(incident, 48.1))
    later = set(Reminder.objects.filter(warning="24_hours").values_list("duty", flat=True))
    assert later & owed == owed - {"eu_gdpr:authority:FR"}


def test_a_report_under_another_law_to_the_same_authority_is_not_the_one(incident: Incident, dpo: User) -> None:
    actions.open_filing(incident, "uk_pecr_5a", by=dpo)
    assert not Filing.objects.of(incident).home().exists()
    remind(after(incident, 36.1))
    remind(after(incident, 48.1))
    assert all(row.calls_deputies for row in Reminder.objects.filter(duty="uk_gdpr:authority:GB", warning="24_hours"))
    assert ico(incident) == ["50_percent", "24_hours"]
