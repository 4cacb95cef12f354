"""PDF/A-3a and PDF/UA-1, judged by veraPDF: every kind of document that a filing and the register leave as."""

from io import BytesIO

import pikepdf

from breachdesk.accounts.models import User
from regulators.models import Filing
from tests.faults.conformance import breaches_of
from tests.regulators.conftest import fresh, signed_in, submit
from tests.regulators.test_follow_up import second
from tests.regulators.test_save_answers import address
from tests.regulators.test_signed_pdf import configured, pair  # noqa: F401
from tests.signing import Signing


def without_its_language(pdf: bytes) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as document:
        del document.Root.Lang
        document.save(changed := BytesIO())
    return changed.getvalue()


def test_what_leaves_keeps_both_standards(signed: Filing, dpo: User, signing: Signing, configured: None) -> None:  # noqa: F811
    """Signed, with a checkpoint; its follow-up, with changes; the two compared; the register.

    And so that nobody takes silence for consent, one that is broken on purpose. All 25 forms go through tests/faults.
    """
    client = signed_in(dpo)
    signing.sign()
    made = {"signed": client.post(address(signed, "pdf/")).content}
    submit(fresh(signed), dpo, authority_reference="IC-1")
    twice = second(fresh(signed), dpo)
    made["follow-up"] = client.post(address(twice, "pdf/")).content
    made["compared"] = client.post(address(twice, "changes/pdf/")).content
    made["register"] = client.post("/register/pdf/").content
    assert b"ETSI.CAdES" in made["signed"]
    made["broken"] = without_its_language(made["register"])
    (said,) = breaches_of(made)
    assert said.startswith("broken: breaks PDFUA-1 7.2-")
