"""The PDF that is signed once, where a certificate is configured, and leaves as it is ever after."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asn1crypto import pem
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from breachdesk.audit.models import Event
from breachdesk.pdf import PdfError, PdfSigning, sign_pdf
from breachdesk.vault.sealing import shred
from regulators import actions
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing, SignedPdf
from regulators.pdf_signing import pdf_to_export
from tests.audit.tsa import LocalTsa
from tests.factories import unguarded
from tests.pdfs import attachment_of
from tests.regulators.conftest import fresh, signed_in, submit
from tests.regulators.test_save_answers import address


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, key = tmp_path_factory.mktemp("signing"), rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Halden & Rowe, filings")])
    now = datetime.now(UTC)
    usage = dict.fromkeys(("digital_signature", "content_commitment"), True)
    others = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    alone = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    certificate = made.add_extension(x509.KeyUsage(**usage, **alone), critical=True).sign(key, SHA256())
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return key_file, certificate_file


@pytest.fixture
def configured(pair: tuple[Path, Path], settings: Any) -> None:
    chosen = {"pdf_signing_key_file": pair[0], "pdf_certificate_file": pair[1]}
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update=chosen)


def looked_at(pdf: bytes, certificate_file: Path) -> Any:
    trusted = Certificate.load(pem.unarmor(certificate_file.read_bytes())[2])
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_signatures
    return validate_pdf_signature(signature, ValidationContext(trust_roots=[trusted], allow_fetching=False))


def test_it_is_signed_once_and_the_same_bytes_leave_ever_after(
    signed: Filing, configured: None, pair: tuple[Path, Path], dpo: Any
) -> None:
    plain = filing_pdf(signed, at=signed.opened_at).pdf
    client = signed_in(dpo)
    first = client.post(address(signed, "pdf/")).content
    assert first.startswith(plain), "a signature is a revision behind the file, so it stays PDF/A and PDF/UA"
    status = looked_at(first, pair[1])
    assert (status.intact, status.valid, status.trusted, status.bottom_line) == (True, True, True, True)
    assert status.coverage.name == "ENTIRE_FILE"
    with pikepdf.open(BytesIO(first)) as document, document.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfuaid:part"]) == ("3", "1")
        (field,) = document.Root.AcroForm.Fields
        assert [int(side) for side in field.get("/Rect", [0, 0, 0, 0])] == [0, 0, 0, 0]
    version = fresh(signed).signed
    assert version is not None
    assert attachment_of(first, "filing.json") == bytes(version.content)
    row = SignedPdf.objects.get()
    assert b"%PDF" not in bytes(row.sealed)
    event = Event.objects.newest_first()[0]
    assert event.content["data"]["bytes"] == len(first)
    assert str(row.pk) in str(event.content)

    submit(fresh(signed), dpo, way="email")
    actions.begin_follow_up(signed, expected_version=fresh(signed).version, by=dpo)
    assert client.post(address(signed, "versions/1/pdf/")).content == first
    assert SignedPdf.objects.count() == 1
    with unguarded():
        shred(signed.incident_id)
    gone = client.post(address(signed, "versions/1/pdf/"))
    assert gone.status_code == 200, "what the filing said stays, without the signature"
    assert b"ETSI.CAdES" not in gone.content


def test_two_first_exports_at_once_give_one_file(signed: Filing, configured: None, dpo: Any) -> None:
    now = datetime.now(UTC)
    first, second = pdf_to_export(signed, at=now), pdf_to_export(signed, at=now)
    assert first.content != second.content
    kept = actions.export_filing(signed, first, by=dpo)
    assert actions.export_filing(signed, second, by=dpo).content == kept.content == first.content


def test_a_draft_is_not_signed(complete: Filing, configured: None) -> None:
    document = pdf_to_export(complete, at=datetime.now(UTC))
    assert document.to_keep is None
    assert b"ETSI.CAdES" not in document.content


@pytest.fixture
def small() -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    document.save(file := BytesIO())
    return file.getvalue()


def test_an_authority_states_the_time(small: bytes, pair: tuple[Path, Path], local_tsa: LocalTsa) -> None:
    pdf = sign_pdf(small, PdfSigning(*pair, local_tsa.url), reason="A test")
    stamp = looked_at(pdf, pair[1]).timestamp_validity
    assert stamp.intact
    assert stamp.valid


def test_what_is_wrong_with_its_files_is_a_sentence(small: bytes, pair: tuple[Path, Path], tmp_path: Path) -> None:
    key, certificate = pair
    other = tmp_path / "other.pem"
    other.write_text("no key at all")
    stranger = tmp_path / "stranger.pem"
    made = rsa.generate_private_key(65537, 2048)
    stranger.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cases = {
        "cannot be read: No such file": PdfSigning(tmp_path / "none.pem", certificate),
        "must be PEM": PdfSigning(other, certificate),
        "is not the one of the first certificate": PdfSigning(stranger, certificate),
        "gave no stamp": PdfSigning(key, certificate, "http://127.0.0.1:9/"),
    }
    for sentence, how in cases.items():
        with pytest.raises(PdfError, match=sentence):
            sign_pdf(small, how, reason="A test")
