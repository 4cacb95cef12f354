from django.utils import timezone

from breachdesk.celery import app
from regulators.open_dates import work_out_old
from regulators.reminding import remind


@app.task
def remind_of_deadlines() -> None:
    """Every five minutes: what comes near, and e-mails the relay did not take before."""
    remind(timezone.now())


@app.task
def work_out_dates() -> None:
    """Rung when something was stated about the organisation: it may change the dates of every case."""
    work_out_old(timezone.now())
