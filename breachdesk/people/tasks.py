from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from breachdesk.celery import app
from breachdesk.incidents.models import Incident
from breachdesk.people import ending, working
from breachdesk.people.models import Upload
from breachdesk.people.uploads import discard_forgotten

LONGEST_WORK = 3600
FORGOTTEN_AFTER = timedelta(days=1)


@app.task(time_limit=LONGEST_WORK)
def work_on_upload(upload_id: str) -> None:
    working.work_on_upload(UUID(upload_id))


@app.task
def restart_stalled_uploads() -> None:
    """Beat rings again for files whose ring was lost or whose worker has died, and clears away what crashes left."""
    now = timezone.now()
    for upload in Upload.objects.stalled_at(now):
        ring(upload.pk)
    discard_forgotten(now - FORGOTTEN_AFTER)


@app.task
def end_what_is_over() -> None:
    """Beat lets people go whose hold has ended, and deletes the files of exports whose day is over."""
    now = timezone.now()
    ending.release_ended_holds(now)
    ending.expire_exports(now)


def ring(upload_id: UUID) -> None:
    work_on_upload.delay(str(upload_id))


def ring_waiting(incident: Incident) -> None:
    """Whoever waited behind a file that is decided may be read."""
    for waiting in Upload.objects.of(incident).waiting():
        ring(waiting.pk)
