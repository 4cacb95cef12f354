"""The process that signs one PDF: started by pdf.py as a file, so it imports none of ours, and reads the private key.

It reads one JSON request from standard input and writes the signed PDF to standard output; or a JSON object with the
fault in one sentence, and exit code 3. The signature is a PAdES one without a picture, added as a revision: what the
PDF was before stands in it byte for byte, so that it stays PDF/A-3a and PDF/UA-1.
"""

import asyncio
import json
import logging
import os
import sys
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

TSA_SECONDS = 10


class FaultError(Exception):
    """Says in one sentence why nothing was signed."""


def signer_of(request: dict[str, Any]) -> Any:
    from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    key_file, certificate_file = Path(request["key_file"]), Path(request["certificate_file"])
    certificates = usable(certificate_file, lambda pem: list(load_certs_from_pemder_data(pem)))
    if not certificates:
        raise FaultError(f"{certificate_file} holds no certificate")
    key = usable(key_file, lambda pem: load_private_key_from_pemder_data(pem, None))
    if not is_pair(key_file, certificates[0]):
        raise FaultError(f"the key in {key_file} is not the one of the first certificate in {certificate_file}")
    return SimpleSigner(certificates[0], key, SimpleCertificateStore.from_certs(certificates[1:]))  # type: ignore[no-untyped-call]


def usable(file: Path, load: Any) -> Any:
    """What a file holds. No message of a library is passed on: it might quote the key."""
    try:
        return load(file.read_bytes())
    except OSError as error:
        raise FaultError(f"{file} cannot be read: {error.strerror}") from None
    except Exception as error:
        raise FaultError(
            f"{file} is not usable ({type(error).__name__}): it must be PEM, a key without password"
        ) from None


def is_pair(key_file: Path, certificate: Any) -> bool:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = load_pem_private_key(key_file.read_bytes(), None).public_key().public_bytes(*form)
    return bool(public == certificate.public_key.dump())


def stamper_of(url: str) -> Any:
    from pyhanko.sign.timestamps import HTTPTimeStamper

    return HTTPTimeStamper(url, timeout=TSA_SECONDS) if url else None


async def signed(pdf: bytes, request: dict[str, Any]) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, async_sign_pdf
    from pyhanko.sign.timestamps import TimestampRequestError

    signer, output = signer_of(request), BytesIO()
    how = PdfSignatureMetadata(
        field_name="Signature", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=request["reason"]
    )
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    try:
        await async_sign_pdf(writer, how, signer, timestamper=stamper_of(request["tsa_url"]), output=output)
    except (TimestampRequestError, OSError) as error:
        raise FaultError(
            f"the time-stamping authority gave no stamp ({type(error).__name__}). Try again later"
        ) from None
    return output.getvalue()


def main() -> int:
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing a library prints may land inside the PDF
    logging.disable()
    request = json.load(sys.stdin.buffer)
    try:
        output, code = asyncio.run(signed(b64decode(request["pdf"]), request)), 0
    except Exception as error:  # the parent must hear a sentence whatever breaks, and none that quotes the document
        said = str(error) if isinstance(error, FaultError) else f"the signing engine failed with {type(error).__name__}"
        output, code = json.dumps({"fault": said}).encode(), 3
    answer.write(output)
    answer.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
