"""A task takes one row, makes its mail with Django's own classes, sends it and saves the row.

Run as `celery -A tests.bench.naive.tasks worker`. It is spared what ours does besides: opening sealed data, rendering,
a trail, limits.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")
django.setup()

from celery import Celery  # noqa: E402
from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.bench.ready_message import ready_message  # noqa: E402

app = Celery("naive", broker=settings.CELERY_BROKER_URL)
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, task_default_queue="naive")


@app.task
def send_one(number: int) -> None:
    from tests.bench.naive.models import Recipient

    recipient = Recipient.objects.get(pk=number)
    ready_message().to(recipient.email).send()
    recipient.status, recipient.sent_at, recipient.attempts = "sent", timezone.now(), recipient.attempts + 1
    recipient.save(update_fields=["status", "sent_at", "attempts"])
