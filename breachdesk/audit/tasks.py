from django.utils import timezone

from breachdesk.audit import anchors
from breachdesk.celery import app


@app.task
def stamp_checkpoint() -> None:
    """Looks every few seconds, and asks when an hour is over or something was filed."""
    anchors.stamp_if_due(timezone.now())
