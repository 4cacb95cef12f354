from celery import shared_task
from django.utils import timezone

from regulators.reminding import remind


@shared_task
def remind_of_deadlines() -> None:
    """Every five minutes: what comes near, and e-mails the relay did not take before."""
    remind(timezone.now())
