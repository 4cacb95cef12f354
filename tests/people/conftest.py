from collections.abc import Iterator

import pytest

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from tests.factories import make_incident, make_organisation, make_people, make_user
from tests.people.exporting import sealed_files


@pytest.fixture(scope="module")
def taken_in(made_once: None) -> Incident:
    make_organisation()
    incident = make_incident()
    make_people(incident)
    return incident


@pytest.fixture
def listed(taken_in: Incident, db: None) -> Incident:
    """An incident whose list of four people was taken in."""
    return Incident.objects.get(pk=taken_in.pk)


@pytest.fixture
def asker(db: None) -> User:
    return make_user("dpo")


@pytest.fixture
def no_export_files() -> Iterator[None]:
    """A test's rows go by themselves, its files do not."""
    yield
    for path in sealed_files():
        path.unlink()
