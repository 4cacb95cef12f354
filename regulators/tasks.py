from celery import shared_task
from django.utils import timezone

from regulators.open_dates import work_out_old
from regulators.reminding import remind


@shared_task
def remind_of_deadlines() -> None:
    """Every five minutes: what comes near, and e-mails the relay did not take before."""
    remind(timezone.now())


@shared_task
def work_out_dates() -> None:
    """Rung when something was stated about the organisation: it may change the dates of every case."""
    work_out_old(timezone.now())
