from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone


class DataKey(models.Model):
    """Two random keys of one scope (an incident, or ORGANISATION), each wrapped by the master key.

    A destroyed key stays as a row without keys, so that nobody can make a second one under the same scope.
    """

    scope = models.UUIDField(primary_key=True)
    wrapped_data = models.BinaryField(null=True)
    wrapped_index = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    destroyed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "vault_data_key"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="data_key_destroyed_means_gone",
                condition=Q(destroyed_at__isnull=True, wrapped_data__isnull=False, wrapped_index__isnull=False)
                | Q(destroyed_at__isnull=False, wrapped_data__isnull=True, wrapped_index__isnull=True),
            ),
        ]

    @property
    def incident_id(self) -> UUID | None:
        return self.scope if self.scope.int else None
