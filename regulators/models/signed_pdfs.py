import uuid

from django.conf import settings
from django.db import models

from regulators.models.filings import FilingVersion


class SignedPdfQuerySet(models.QuerySet["SignedPdf"]):
    def of(self, version: FilingVersion) -> "SignedPdfQuerySet":
        return self.filter(filing_version=version)

    def of_case(self, incident_id: uuid.UUID) -> "SignedPdfQuerySet":
        return self.filter(filing_version__filing__incident=incident_id)


class SignedPdf(models.Model):
    """The PDF of a version as it was signed, once: a second signing would be another file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing_version = models.OneToOneField(FilingVersion, on_delete=models.PROTECT, related_name="signed_pdf")
    name = models.CharField(max_length=160)
    sealed = models.BinaryField()
    sha256 = models.BinaryField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = SignedPdfQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Signed PDF of {self.filing_version_id}"

    @property
    def incident_id(self) -> uuid.UUID:
        return self.filing_version.incident_id
