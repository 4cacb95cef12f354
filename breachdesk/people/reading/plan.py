"""How one file is to be read: which column becomes what."""

import json
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from breachdesk.people.columns import Columns
from breachdesk.people.models import Upload
from breachdesk.people.reading.rows import PeopleFile
from breachdesk.people.uploads import opened
from breachdesk.vault.sealing import Cipher

TABLE, COLUMN = "people_upload", "sealed_plan"


@dataclass(frozen=True)
class Column:
    heading: str
    becomes: str  # a key of FIELDS; empty when the column is not stored


@dataclass(frozen=True)
class Plan:
    columns: tuple[Column, ...]

    @property
    def stored(self) -> int:
        return sum(bool(column.becomes) for column in self.columns)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Plan":
        return cls(tuple(Column(**column) for column in value["columns"]))

    @classmethod
    def of(cls, columns: Columns) -> "Plan":
        return cls(
            tuple(Column(heading, name or "") for name, heading in zip(columns.names, columns.headings, strict=True))
        )


def seal_plan(cipher: Cipher, upload_id: UUID, plan: Plan) -> bytes:
    """Sealed, for what stands in the first row may turn out to be somebody's name."""
    value = json.dumps(plan.as_json(), ensure_ascii=False).encode()
    return cipher.seal(value, table=TABLE, column=COLUMN, row=upload_id)


def plan_of(cipher: Cipher, upload: Upload) -> Plan:
    assert upload.sealed_plan is not None, "its columns are not matched yet"
    return Plan.from_json(json.loads(cipher.unseal(upload.sealed_plan, table=TABLE, column=COLUMN, row=upload.pk)))


def guess_for(upload: Upload, cipher: Cipher) -> Plan:
    """From the file's own first row. Raises ValidationError when this is no list of people that we can read."""
    with opened(upload, cipher) as stream:
        return Plan.of(PeopleFile(stream, today=timezone.localdate()).columns)
