from uuid import UUID

from django.utils import timezone

from breachdesk.accounts import reminders
from breachdesk.accounts.models import Organisation
from breachdesk.audit.anchors import mail_if_due
from breachdesk.celery import app


@app.task
def tell_colleagues(decision_id: str) -> None:
    reminders.tell(UUID(decision_id), timezone.now())


@app.task
def call_deputies() -> None:
    """Every minute: deputies where nobody decided in time, and e-mails the relay did not take before."""
    reminders.call_deputies(timezone.now())
    reminders.tell_the_untold(timezone.now())


@app.task
def mail_checkpoint() -> None:
    """Every minute: the note to the DPO and to whoever keeps it outside, when a day is over or something was filed."""
    mail_if_due(timezone.now(), dpo=Organisation.current().dpo_email)
