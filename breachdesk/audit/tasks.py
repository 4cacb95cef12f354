from celery import shared_task
from django.utils import timezone

from breachdesk.audit import anchors


@shared_task
def stamp_checkpoint() -> None:
    """Looks every few seconds, and asks when an hour is over or something was filed."""
    anchors.stamp_if_due(timezone.now())
