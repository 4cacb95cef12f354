from breachdesk.celery import app
from breachdesk.pulse import note_run


@app.task
def pulse() -> None:
    """Rung by beat and done by a worker: one note shows that beat, broker and worker all run."""
    note_run("beat")
