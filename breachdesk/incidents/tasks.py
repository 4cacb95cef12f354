from django.utils import timezone

from breachdesk.celery import app
from breachdesk.incidents import actions


@app.task
def lapse_requests() -> None:
    """Every ten minutes: requests to destroy whose 14 days are over."""
    actions.lapse_requests(at=timezone.now(), by=None)
