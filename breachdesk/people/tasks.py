from uuid import UUID

from celery import shared_task
from django.utils import timezone

from breachdesk.people import actions
from breachdesk.people.models import Upload

LONGEST_READING = 3600


@shared_task(time_limit=LONGEST_READING)
def load_upload(upload_id: str) -> None:
    actions.load_upload(UUID(upload_id))


@shared_task
def restart_stalled_uploads() -> None:
    """Beat rings again for files whose doorbell was lost or whose worker has died."""
    for upload in Upload.objects.stalled_at(timezone.now()):
        ring(upload.pk)


def ring(upload_id: UUID) -> None:
    load_upload.delay(str(upload_id))
