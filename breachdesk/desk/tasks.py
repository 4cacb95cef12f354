from celery import shared_task

from breachdesk.pulse import note_run


@shared_task
def pulse() -> None:
    """Rung by beat and done by a worker: one note shows that beat, broker and worker all run."""
    note_run("beat")
