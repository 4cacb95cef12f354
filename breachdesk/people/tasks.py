from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from breachdesk.people import actions
from breachdesk.people.models import Upload
from breachdesk.people.uploads import discard_forgotten

LONGEST_READING = 3600
FORGOTTEN_AFTER = timedelta(days=1)


@shared_task(time_limit=LONGEST_READING)
def load_upload(upload_id: str) -> None:
    actions.load_upload(UUID(upload_id))


@shared_task
def restart_stalled_uploads() -> None:
    """Beat rings again for files whose ring was lost or whose worker has died, and clears away what crashes left."""
    now = timezone.now()
    for upload in Upload.objects.stalled_at(now):
        ring(upload.pk)
    discard_forgotten(now - FORGOTTEN_AFTER)


def ring(upload_id: UUID) -> None:
    load_upload.delay(str(upload_id))
