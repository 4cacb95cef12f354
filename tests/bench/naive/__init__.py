"""One Celery task for each recipient, as it is often written: what `send` is measured beside."""
