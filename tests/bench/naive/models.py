from django.db import models


class Recipient(models.Model):
    email = models.EmailField()
    status = models.CharField(max_length=10, default="queued", db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
