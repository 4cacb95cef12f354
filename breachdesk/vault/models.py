from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone


class DataKeyQuerySet(models.QuerySet["DataKey"]):
    def without_share(self) -> list[UUID]:
        """Scopes of keys that live and that the master key alone opens."""
        living = self.filter(shared_at=None, index_destroyed_at=None)
        return list(living.order_by("created_at").values_list("scope", flat=True))

    def data_destroyed(self) -> list[UUID]:
        return list(self.filter(destroyed_at__isnull=False).values_list("scope", flat=True))

    def index_destroyed(self) -> list[UUID]:
        return list(self.filter(index_destroyed_at__isnull=False).values_list("scope", flat=True))


class DataKey(models.Model):
    """Two random keys of one scope (an incident, or ORGANISATION), each wrapped by the master key and by its share.

    The data key opens what is sealed; the index key finds equal values and lives as long or longer. A destroyed key
    stays as a row without it, so that nobody can make a second one under the same scope. A row without `shared_at` was
    made before there were shares: the master key alone opens it.
    """

    scope = models.UUIDField(primary_key=True)
    wrapped_data = models.BinaryField(null=True)
    wrapped_index = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    shared_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)
    index_destroyed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = DataKeyQuerySet.as_manager()

    class Meta:
        db_table = "vault_data_key"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="data_key_destroyed_means_gone",
                condition=Q(destroyed_at__isnull=True, wrapped_data__isnull=False)
                | Q(destroyed_at__isnull=False, wrapped_data__isnull=True),
            ),
            models.CheckConstraint(
                name="index_key_destroyed_means_gone",
                condition=Q(index_destroyed_at__isnull=True, wrapped_index__isnull=False)
                | Q(index_destroyed_at__isnull=False, wrapped_index__isnull=True),
            ),
            models.CheckConstraint(
                name="index_key_outlives_the_data_key",
                condition=Q(index_destroyed_at__isnull=True) | Q(destroyed_at__isnull=False),
            ),
        ]

    @property
    def incident_id(self) -> UUID | None:
        return self.scope if self.scope.int else None
