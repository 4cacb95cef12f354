"""A case whose data key is gone, walked through: every page says so, and none fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as product
from django.core.management import call_command
from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.verification import verify
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Hold, Person, Upload
from notifications.actions import cancel_edition, create_notice
from notifications.models import Delivery, Edition
from regulators.models import Filing
from tests.desk.exporting import Exporting, check, members_of, pointing, told_case
from tests.factories import make_people, make_user
from tests.incidents.keeping import client_of, destroy
from tests.signing import Signing

pytestmark = pytest.mark.django_db

MASK = "•"
NAMES = re.compile(rb"Person 5|person0005@|\bAna\b|HR-5|lindqvist")  # a token of a form may hold three letters
HEADING = "customer_id,first_name,last_name,email,language"
REJECTED = f"{HEADING}\nHR-90,Zoë,Rejected,not-an-address,en\nHR-91,Ole,Late,ole.late@example.com,en"


@dataclass
class Gone:
    """A case after its data key was destroyed, the list of its people as it was shown before, and what was exported."""

    incident: Incident
    listed_before: str
    verdict: str
    bundle: Path
    proof: Path


@pytest.fixture(scope="module")
def gone(committed_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gone]:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(product, "BREACHDESK", product.BREACHDESK)  # put back at the end
        case = told_case(pointing(product))
        cancel_edition(Edition.objects.get(), by=make_user("dpo"), reason="Everybody else has it.")
        make_people(case, REJECTED, name="mrs-lindqvist.csv")
        create_notice(case, title="A second notice", by=make_user("author"))
        listed = client_of(make_user("dpo")).get(reverse("people-list", args=[case.reference])).content.decode()
        destroy(case)
        yield Gone(case, listed, *handed_out(case, tmp_path_factory.mktemp("gone")))


def handed_out(case: Incident, folder: Path) -> tuple[str, Path, Path]:
    """What our own verifier says of the log, a bundle with private values, and a proof of a notice."""
    signing, proof = Signing(product, folder), folder / "proof.pdf"
    sequence_everything()
    signing.sign()
    verdict = verify().verdict
    bundle = Exporting(signing, folder)(case, "--private")
    delivery = Delivery.objects.filter(state="handed_over")[0]
    call_command("export_proof_of_notice", str(delivery.pk), "-o", str(proof), stdout=StringIO())
    return verdict, bundle, proof


@pytest.fixture
def destroyed(gone: Gone, db: None) -> Incident:
    return Incident.objects.get(pk=gone.incident.pk)


def addresses_of(case: Incident) -> dict[str, list[Any]]:
    """Every page of the case that can be opened, by the name of its address."""
    uploads = Upload.objects.of(case).values_list("pk", flat=True)
    [person, *_] = Person.objects.filter(incident=case, held=True).values_list("pk", flat=True)
    editions = Edition.objects.of(case).values_list("pk", flat=True)
    filings = Filing.objects.filter(incident=case).values_list("pk", flat=True)
    plain = [
        "incident-detail", "incident-trail", "incident-evidence", "incident-retention", "retention-dates",
        "legal-hold", "people", "people-watch", "people-list", "people-counts", "people-holds", "exports", "export-ask",
        "notice-list", "filing-list", "index-ask", "notice-new", "people-hold-list", "incident-facts",
    ]  # fmt: skip
    of_uploads = ["upload", "upload-watch", "people-rejected", "upload-match", "upload-undo"]
    of_editions = ["edition-detail", "edition-edit", "edition-review", "edition-preview", "edition-start", "send"]
    of_filings = ["filing-detail", "filing-export", "filing-submission"]
    return {
        **{name: [()] for name in plain},
        **{name: [(pk,) for pk in uploads] for name in of_uploads},
        **{name: [(person,)] for name in ("person", "person-hold", "person-release")},
        **{name: [(pk,) for pk in editions] for name in of_editions},
        **{name: [(pk,) for pk in filings] for name in of_filings},
        "destruction-ask": [("data",), ("index",)],
    }


SAY_GONE = {"person", "edition-edit"}
DOTS_ALONE = MASK * 4  # a first letter before them would be left of a name


def test_every_page_says_so_and_none_fails(destroyed: Incident) -> None:
    answers: dict[str, set[int]] = {}
    for user in (make_user("dpo", "approver", "author", "responder"), make_user("auditor")):
        client = client_of(user)
        for name, many in addresses_of(destroyed).items():
            for words in many:
                response = client.get(reverse(name, args=[destroyed.reference, *words]))
                answers.setdefault(name, set()).add(response.status_code)
                assert not NAMES.findall(response.content), name
                assert MASK not in response.content.decode().replace(DOTS_ALONE, ""), name
                assert not re.search(rf"\w{MASK}", response.content.decode()), name
                assert response.status_code != 410 or b"was destroyed on" in response.content, name
    assert {name: codes for name, codes in answers.items() if any(code >= 500 for code in codes)} == {}
    assert {name for name, codes in answers.items() if 410 in codes} == SAY_GONE


def test_what_a_form_asks_for_is_gone_too(destroyed: Incident) -> None:
    client = client_of(make_user("dpo", "approver", "author", "responder"))
    person = Person.objects.filter(incident=destroyed)[0].pk
    upload = Upload.objects.of(destroyed).latest("received_at").pk
    asked: dict[str, tuple[list[Any], dict[str, str]]] = {
        "people-search": ([], {"q": "person0005@example.com", "reason": "A call."}),
        "person-reveal": ([person], {"reason": "A call."}),
        "person-hold": ([person], {"kind": "dispute", "reason": "A call.", "version": "1"}),
        "people-upload": ([], {}),
        "rejected-download": ([upload], {"reason": "A call."}),
        "export-ask": ([], {"which": "all", "fields": "email", "reason": "A call."}),
    }
    for name, (words, data) in asked.items():
        response = client.post(reverse(name, args=[destroyed.reference, *words]), data)
        content = b"".join(response) if response.streaming else response.content
        assert response.status_code < 500, name
        assert not NAMES.findall(content), name


def test_the_case_is_handed_out_as_before(gone: Gone, destroyed: Incident) -> None:
    """A bundle with private values verifies outside; a proof of a notice stands, without a name."""
    assert gone.verdict == "VALID"
    assert check(gone.bundle)["verdict"] == "VALID"
    members = members_of(gone.bundle)
    assert not [name for name, content in members.items() if b"Zolt" in content or b"person0005" in content]
    assert gone.proof.stat().st_size > 5_000
    client = client_of(make_user("dpo"))
    evidence = client.post(reverse("incident-evidence", args=[destroyed.reference]))
    assert (evidence.status_code, evidence["Content-Type"]) == (200, "application/pdf")
    assert client.get(reverse("incident-bundle", args=[destroyed.reference])).status_code < 500
    assert Event.objects.of_type("proof.exported").count() == 1


def test_the_page_of_people_counts_on_and_names_nobody(destroyed: Incident) -> None:
    client = client_of(make_user("dpo"))
    text = client.get(reverse("people", args=[destroyed.reference])).content.decode()
    assert "The personal data was destroyed on" in text
    assert "13 people" in text


def test_lists_and_holds_stay_without_names(destroyed: Incident) -> None:
    """Who is held back, why in general and until when is still to be seen, and how many people live where."""
    client = client_of(make_user("dpo"))
    listed, held = (
        client.get(reverse(name, args=[destroyed.reference])).content.decode()
        for name in ("people-list", "people-holds")
    )
    assert "13 people, without their names" in listed
    assert f"<bdi>{DOTS_ALONE}</bdi>" in listed
    assert "Open<span" not in listed
    assert f"<bdi>{DOTS_ALONE}</bdi>" in held
    assert Hold.objects.open().get().get_kind_display() in held
    assert "was destroyed on" in listed
    assert "was destroyed on" in held


def test_the_walk_would_see_masked_names_before(gone: Gone) -> None:
    assert MASK in gone.listed_before
