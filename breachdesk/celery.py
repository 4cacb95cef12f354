"""Celery rings; PostgreSQL knows. No task carries more than an id, and a lost task only costs time."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachdesk.settings")

app = Celery("breachdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "pulse": {"task": "breachdesk.desk.tasks.pulse", "schedule": 20.0},
    "sweep": {"task": "notifications.tasks.sweep", "schedule": 30.0},
    "restart-stalled-uploads": {"task": "breachdesk.people.tasks.restart_stalled_uploads", "schedule": 30.0},
    "end-what-is-over": {"task": "breachdesk.people.tasks.end_what_is_over", "schedule": 30.0},
    "lapse-requests": {"task": "breachdesk.incidents.tasks.lapse_requests", "schedule": 600.0},
    "call-deputies": {"task": "breachdesk.accounts.tasks.call_deputies", "schedule": 60.0},
    # Often, because a stamp must follow its checkpoint closely; it does something about once an hour.
    "stamp-checkpoint": {"task": "breachdesk.audit.tasks.stamp_checkpoint", "schedule": 20.0},
    "mail-checkpoint": {"task": "breachdesk.accounts.tasks.mail_checkpoint", "schedule": 60.0},
}
