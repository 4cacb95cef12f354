"""The peer that `import_people` is measured beside: django-import-export as its manual tunes it for large files.

One table with the same columns as the file and the same unique rule: one row per address and name. Bulk mode, no diff,
no report of skipped rows, repeated people left out by the database (ON CONFLICT DO NOTHING) in place of one query per
row, field checks without the database's. What it stores is in the clear, and it keeps no trail.
"""

from typing import Any

from django.db import models
from django.db.models.functions import Lower
from import_export import resources  # type: ignore[import-untyped]

from breachdesk.embedded.invented_people import HEADINGS

BATCH = 2_000


class Customer(models.Model):
    incident = models.UUIDField()
    customer_id = models.CharField(max_length=100)
    first_name = models.CharField(max_length=200)
    last_name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=60, blank=True)
    street = models.CharField(max_length=500, blank=True)
    city = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=40, blank=True)
    date_of_birth = models.CharField(max_length=40, blank=True)
    data_exposed = models.CharField(max_length=600, blank=True)
    tier = models.CharField(max_length=40, blank=True)

    objects: models.Manager["Customer"] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "bench_customer"
        constraints = [
            models.UniqueConstraint(
                "incident", Lower("email"), Lower("last_name"), Lower("first_name"), name="bench_one_row_per_person"
            )
        ]
        indexes = [
            models.Index(fields=["incident", "email"], name="bench_by_email"),
            models.Index(fields=["incident", "customer_id"], name="bench_by_reference"),
        ]

    def __str__(self) -> str:
        return self.customer_id


class CustomerResource(resources.ModelResource):  # type: ignore[misc]
    class Meta:
        model = Customer
        fields = HEADINGS
        import_id_fields = ("customer_id",)
        force_init_instance = True
        use_bulk = True
        batch_size = BATCH
        skip_diff = True
        skip_html_diff = True
        report_skipped = False

    def __init__(self, incident: str) -> None:
        super().__init__()
        self.incident = incident

    def before_save_instance(self, instance: Customer, row: Any, **kwargs: Any) -> None:
        instance.incident = self.incident

    def validate_instance(self, instance: Customer, *args: Any, **kwargs: Any) -> None:
        instance.clean_fields(exclude=["incident"])

    def bulk_create(self, *args: Any, **kwargs: Any) -> None:
        if self.create_instances:
            Customer.objects.bulk_create(self.create_instances, batch_size=BATCH, ignore_conflicts=True)
        self.create_instances.clear()
