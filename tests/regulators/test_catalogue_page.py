import re

import pytest
from django.test import Client
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from regulators.catalogue import later_versions, regimes_in_force, the_catalogue
from tests.factories import make_organisation
from tests.regulators.conftest import signed_in


@pytest.fixture
def client(dpo: User) -> Client:
    make_organisation()
    return signed_in(dpo)


def laws(client: Client, query: str = "") -> set[str]:
    answer = client.get(f"/catalogue/?{query}")
    assert answer.status_code == 200
    return set(re.findall(r'href="/catalogue/([a-z0-9_]+)/"', answer.text))


def test_it_lists_the_laws_in_force_by_place_with_their_duties(client: Client) -> None:
    answer = client.get("/catalogue/?place=NZ")
    said = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
    assert "1 law fit this filter" in said
    assert "Notifiable privacy breach New Zealand" in said
    assert (
        "OPC Without delay, no number Expected, not law: 72 hours from awareness Privacy Act 2020 section 114" in said
    )
    assert "Read, not reviewed Source" in said
    assert 'href="https://www.privacy.org.nz/responsibilities/privacy-breaches/notify-us"' in answer.text


def test_it_filters(client: Client) -> None:
    assert laws(client, "place=FR") == {"eu_gdpr", "eu_eprivacy_611", "eu_nis2", "eu_dora", "eu_cra"}
    assert laws(client, "place=FR&tell=controller") == {"eu_gdpr"}
    assert laws(client, "q=kvkk") == {"tr_kvkk"}
    assert laws(client, "q=in%20no%20law%20whatsoever") == set()
    later = {regime.id for regime in later_versions(timezone.localdate())}
    assert laws(client, "when=later") == later


def test_it_goes_through_all_laws_page_by_page(client: Client) -> None:
    seen = [laws(client, f"page={page}") for page in (1, 2, 3)]
    assert set().union(*seen) == {regime.id for regime in regimes_in_force(timezone.localdate())}
    assert 'href="?tell=people&amp;page=2"' in client.get("/catalogue/?tell=people").text


def test_what_is_asked_for_and_is_not_a_choice_lists_nothing(client: Client) -> None:
    answer = client.get("/catalogue/?place=XX")
    assert "0 laws" in answer.text
    assert "Select a valid choice" in answer.text


def test_every_law_has_a_page(client: Client) -> None:
    for law in ("eu_gdpr", "ua_law2297", "jp_appi", "us_tx", "ca_ab_pipa"):
        assert client.get(f"/catalogue/{law}/").status_code == 200
    said = client.get("/catalogue/jp_appi/").text
    assert "More than 1,000 affected people live there." in said
    assert "Not reviewed by a lawyer" in said
    assert "Belgium: <a" in client.get("/catalogue/eu_gdpr/").text
    assert "Nobody has to be told" in client.get("/catalogue/ua_law2297/").text
    nis2 = client.get("/catalogue/eu_nis2/").text
    assert "Finland: Early warning" in nis2
    assert "24 hours from detection; or 24 hours from awareness; whichever is first" in nis2
    assert "The CSIRT and the supervisor, whom one report reaches. In force since 15 August 2026" in nis2


def test_a_law_shows_the_version_in_force_and_leads_to_the_others(client: Client) -> None:
    said = client.get("/catalogue/uk_pecr/").text
    assert ("72 hours from awareness" in said, "24 hours from detection" in said) == (True, False)
    versions = the_catalogue().regimes["uk_pecr"]
    assert [one.in_force.state for one in versions] == ["replaced", "in_force"]
    assert 'href="/catalogue/uk_pecr/1/"' in said
    assert "24 hours from detection" in client.get("/catalogue/uk_pecr/1/").text


@pytest.mark.parametrize("path", ["xx_none/", "uk_pecr/3/", "uk_pecr/0/"])
def test_there_is_no_page_for_what_there_is_not(client: Client, path: str) -> None:
    assert client.get(f"/catalogue/{path}").status_code == 404


def test_the_filings_lead_to_it(incident: Incident, dpo: User) -> None:
    assert 'href="/catalogue/"' in signed_in(dpo).get(f"/incidents/{incident.reference}/filings/").text


def test_it_refuses_whoever_may_see_no_filing(administrator: User) -> None:
    make_organisation()
    assert signed_in(administrator).get("/catalogue/").status_code == 403


@pytest.fixture
def administrator(db: None) -> User:
    from tests.factories import make_user

    return make_user("administrator")
