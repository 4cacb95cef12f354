from uuid import UUID

from celery import shared_task
from django.utils import timezone

from breachdesk.accounts import reminders


@shared_task
def tell_colleagues(decision_id: str) -> None:
    reminders.tell(UUID(decision_id), timezone.now())


@shared_task
def call_deputies() -> None:
    """Every minute: deputies where nobody decided in time, and e-mails the relay did not take before."""
    reminders.call_deputies(timezone.now())
    reminders.tell_the_untold(timezone.now())
