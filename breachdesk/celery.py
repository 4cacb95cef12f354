"""Celery rings; PostgreSQL knows. No task carries more than an id, and a lost task only costs time."""

import os
from typing import Any

from celery import Celery, Task
from celery.exceptions import CeleryError

from breachdesk.tracebacks import without_values

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachdesk.settings")


class TaskFailed(Exception):
    """Where and how, without values. What it was stays in the process that failed."""


class QuietTask(Task):  # type: ignore[type-arg]
    """The worker logs the exception of a task that fails, and an exception quotes what it could not handle."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except CeleryError:
            raise
        except Exception as error:
            raise TaskFailed(f"\n{without_values(error)}") from None


app = Celery("breachdesk", task_cls=QuietTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "pulse": {"task": "breachdesk.desk.tasks.pulse", "schedule": 20.0},
    "sweep": {"task": "notifications.tasks.sweep", "schedule": 30.0},
    "restart-letters": {"task": "notifications.tasks.restart_letters", "schedule": 30.0},
    "restart-stalled-uploads": {"task": "breachdesk.people.tasks.restart_stalled_uploads", "schedule": 30.0},
    "end-what-is-over": {"task": "breachdesk.people.tasks.end_what_is_over", "schedule": 30.0},
    "lapse-requests": {"task": "breachdesk.incidents.tasks.lapse_requests", "schedule": 600.0},
    "call-deputies": {"task": "breachdesk.accounts.tasks.call_deputies", "schedule": 60.0},
    "remind-of-deadlines": {"task": "regulators.tasks.remind_of_deadlines", "schedule": 300.0},
    # Often, because a stamp must follow its checkpoint closely; it does something about once an hour.
    "stamp-checkpoint": {"task": "breachdesk.audit.tasks.stamp_checkpoint", "schedule": 20.0},
    "mail-checkpoint": {"task": "breachdesk.accounts.tasks.mail_checkpoint", "schedule": 60.0},
}
