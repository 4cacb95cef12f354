"""The list: everybody once, forwards and backwards, at any depth, and nobody's name in an address."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from tests.factories import check_upload, make_incident, make_organisation, make_people, make_upload, make_user

pytestmark = pytest.mark.django_db

HEADING = "customer_id,first_name,last_name,email\n"


def rows(first: int, last: int) -> str:
    return HEADING + "".join(f"C-{n},Ana,Nu{n:04},p{n}@example.com\n" for n in range(first, last))


@pytest.fixture(scope="module", autouse=True)
def taken_in(made_once: None) -> Incident:
    make_organisation()
    incident = make_incident()
    make_people(incident, rows(0, 120))
    return incident


@pytest.fixture
def incident(taken_in: Incident, db: None) -> Incident:
    return Incident.objects.get(pk=taken_in.pk)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("auditor"))
    return client


class Pages:
    def __init__(self, client: Client, incident: Incident) -> None:
        self.client, self.address = client, reverse("people-list", args=[incident.reference])

    def open(self, query: str = "") -> str:
        self.page = self.client.get(f"{self.address}{query}").content.decode()
        return self.page

    def follow(self, label: str) -> str:
        link = re.search(rf'href="(\?[^"]*)">{label}<', self.page)
        assert link, f"There is no {label}."
        return self.open(link[1].replace("&amp;", "&"))

    @property
    def people(self) -> list[str]:
        return re.findall(r'/people/([0-9a-f-]{36})/"', self.page)

    @property
    def place(self) -> str:
        found = re.search(r"[\d,]+ to [\d,]+ of [\d,]+ people", self.page)
        assert found
        return found[0]


def in_order(incident: Incident) -> list[str]:
    return [str(pk) for pk in Person.objects.of(incident).order_by("identity_index").values_list("pk", flat=True)]


def test_forwards_everybody_comes_once(client: Client, incident: Incident) -> None:
    pages, seen, places = Pages(client, incident), [], []
    pages.open()
    while True:
        seen += pages.people
        places.append(pages.place)
        if ">Next<" not in pages.page:
            break
        pages.follow("Next")
    assert seen == in_order(incident)
    assert places == ["1 to 50 of 120 people", "51 to 100 of 120 people", "101 to 120 of 120 people"]


def test_backwards_from_the_end_too(client: Client, incident: Incident) -> None:
    pages = Pages(client, incident)
    pages.open()
    pages.follow("Last")
    seen, places = pages.people, [pages.place]
    while ">Back<" in pages.page:
        pages.follow("Back")
        seen, places = [*pages.people, *seen], [*places, pages.place]
    assert seen == in_order(incident)
    assert places == ["71 to 120 of 120 people", "21 to 70 of 120 people", "1 to 20 of 120 people"]
    pages.follow("Next")
    assert pages.place == "21 to 70 of 120 people"


@pytest.mark.parametrize("query", ["?after=nobody", "?before=7", "?after=", "?place=-1", "?page=2", "?from=start"])
def test_nonsense_gives_the_beginning(client: Client, incident: Incident, query: str) -> None:
    pages = Pages(client, incident)
    pages.open(query)
    assert pages.people == in_order(incident)[:50]


def test_somebody_of_another_incident_is_no_place_here(client: Client, incident: Incident) -> None:
    other = make_incident()
    make_people(other, rows(500, 560))
    pages = Pages(client, incident)
    pages.open(f"?after={in_order(other)[-1]}&place=50")
    assert pages.people == in_order(incident)[:50]


def test_whoever_does_not_count_is_not_listed(client: Client, incident: Incident) -> None:
    make_people(incident, rows(0, 3), purpose="withdraw")
    check_upload(make_upload(incident, rows(200, 260)))
    pages = Pages(client, incident)
    pages.open()
    assert pages.place == "1 to 50 of 117 people"
    pages.follow("Last")
    assert pages.place == "68 to 117 of 117 people"
    assert len(in_order(incident)) == 117


def test_a_deep_page_reads_no_more_than_the_first(client: Client, incident: Incident) -> None:
    """By the statement itself: no OFFSET, and a limit that does not grow."""
    pages = Pages(client, incident)
    pages.open()
    pages.follow("Next")
    with CaptureQueriesContext(connection) as queries:
        pages.follow("Next")
    lists = [query["sql"] for query in queries if "LIMIT 51" in query["sql"]]
    assert len(lists) == 1
    assert not [query["sql"] for query in queries if "OFFSET" in query["sql"]]


def test_an_empty_list_says_so(client: Client) -> None:
    assert "Nobody is on the list yet" in Pages(client, make_incident()).open()
