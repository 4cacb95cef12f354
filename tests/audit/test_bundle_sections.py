"""What higher apps add: by name, once, or not at all."""

from typing import Any
from uuid import UUID

import pytest

from breachdesk.audit.bundle.export import digest_of
from breachdesk.audit.sections import SectionTwiceError, collect_sections, delivery_rows, section
from tests.factories import make_incident

pytestmark = pytest.mark.django_db


def test_every_app_has_its_section() -> None:
    incident = make_incident()
    told = collect_sections(incident.pk, private=False)
    assert list(told) == ["duties", "filings", "incident", "mail_events", "notices", "people", "risk"]
    assert {content["v"] for content in told.values()} == {1}


def test_colleagues_are_named_only_in_private() -> None:
    incident = make_incident()
    told = collect_sections(incident.pk, private=True)["people_of_record"]
    assert told["users"] == [
        {"id": str(incident.opened_by.pk), "name": incident.opened_by.name, "roles": ["responder"]}
    ]


def test_a_second_section_of_the_same_name_is_refused() -> None:
    collect_sections(make_incident().pk, private=False)

    def another(incident_id: UUID, *, private: bool) -> dict[str, Any]:
        return {}

    with pytest.raises(SectionTwiceError, match="two bundle sections named 'incident'"):
        section("incident")(another)
    with pytest.raises(SectionTwiceError, match="one place only"):
        delivery_rows(lambda incident_id: iter(()))


@pytest.mark.parametrize("name", ["", "Incident", "a/b", "../x", "1st"])
def test_a_section_has_a_name_that_a_file_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a section"):
        section(name)


def test_the_digest_covers_names_and_contents() -> None:
    digests = {
        digest_of({"sections/a.json": b"1", "sections/b.json": b"2"}),
        digest_of({"sections/a.json": b"2", "sections/b.json": b"1"}),
        digest_of({"sections/a.json": b"1"}),
        digest_of({}),
    }
    assert len(digests) == 4
    assert digest_of({"sections/b.json": b"2", "sections/a.json": b"1"}) in digests
