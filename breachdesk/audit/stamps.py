"""Time stamps after RFC 3161: a question to an authority over http(s), and an answer that is checked before it counts.

Nothing here knows the database. An authority may be slow, broken or hostile: whatever it does ends as StampRefused with
a sentence, within TIMEOUT seconds.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

if TYPE_CHECKING:
    from cryptography import x509

TIMEOUT = 10.0  # seconds, from the first byte out to the last byte in
LARGEST = 256 << 10  # bytes; real answers have about 7,000
SHA256 = "2.16.840.1.101.3.4.2.1"
# DER: the sets inside a SignedData whose order its signature does not cover.
SEQUENCE, SET, CONTEXT_0, CONTEXT_1 = 0x30, 0x31, 0xA0, 0xA1


class StampRefused(Exception):
    """Says in one sentence why there is no time stamp, or why it does not count. `receipt` is what was answered."""

    def __init__(self, sentence: str, receipt: bytes | None = None) -> None:
        super().__init__(sentence)
        self.receipt = receipt


@dataclass(frozen=True)
class Stamp:
    """A checked answer (DER TimeStampResp) and the time that the authority states in it."""

    receipt: bytes
    stated_at: datetime


def read_roots(path: Path | None) -> "list[x509.Certificate]":
    """The certificates an answer must lead back to. Raises StampRefused with a sentence."""
    if path is None:
        raise StampRefused("BREACHDESK_TSA_ROOTS_FILE is not set, so no time stamp can be checked.")
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise StampRefused(f"{path}, the file of trusted certificates, cannot be read: {error.strerror}.") from None
    except ValueError:
        raise StampRefused(f"{path} holds no certificate in PEM.") from None


def ask_all(urls: Sequence[str], data: bytes, roots: "Sequence[x509.Certificate]") -> dict[str, Stamp | StampRefused]:
    """Asks every authority at the same time, so that one that hangs delays nobody; all have TIMEOUT seconds."""
    answers: SimpleQueue[tuple[str, Stamp | StampRefused]] = SimpleQueue()
    deadline = time.monotonic() + TIMEOUT
    for url in urls:
        # Not waited for when it hangs: its socket gives up by itself, and a process may end meanwhile.
        threading.Thread(target=_ask_into, args=(answers, url, data, roots, deadline), daemon=True).start()
    found: dict[str, Stamp | StampRefused] = {}
    while len(found) < len(urls):
        try:
            url, answer = answers.get(timeout=max(deadline + 0.5 - time.monotonic(), 0))
        except Empty:
            break
        found[url] = answer
    late = StampRefused(f"It did not answer within {TIMEOUT:.0f} seconds.")
    return {url: found.get(url, late) for url in urls}


def _ask_into(answers: Any, url: str, data: bytes, roots: "Sequence[x509.Certificate]", deadline: float) -> None:
    try:
        answers.put((url, ask(url, data, roots, deadline=deadline)))
    except StampRefused as refusal:
        answers.put((url, refusal))
    except BaseException as error:  # a fault of the parser, which is no Exception, must not leave the asker waiting
        answers.put((url, StampRefused(f"Its answer could not be read: {type(error).__name__}.")))


def ask(url: str, data: bytes, roots: "Sequence[x509.Certificate]", *, deadline: float) -> Stamp:
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    question = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    receipt = _post(url, question.as_bytes(), deadline)
    return Stamp(receipt, check_stamp(receipt, data, roots, nonce=question.nonce))


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        """None: the answer that sends us elsewhere is the answer."""


def _post(url: str, question: bytes, deadline: float) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "User-Agent": "BreachDesk"}
    request = Request(url, data=question, headers=headers, method="POST")  # noqa: S310 - environment.py allows http(s) alone
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as response:
            return b"".join(_limited(response, deadline))
    except HTTPError as error:
        error.close()
        raise StampRefused(_said_no(error)) from None
    except URLError as error:
        raise StampRefused(f"It could not be reached: {_reason(error.reason)}.") from None
    except (OSError, HTTPException) as error:
        raise StampRefused(f"It could not be reached: {_reason(error)}.") from None


def _said_no(error: HTTPError) -> str:
    if 300 <= error.code < 400:
        elsewhere = urlsplit(error.headers.get("Location", "")).hostname or "another address"
        return (
            f"It sends us to {elsewhere[:100]}, and we follow nobody. Put the right address into BREACHDESK_TSA_URLS."
        )
    return f"It answered with HTTP {error.code}."


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} seconds"
    return str(getattr(error, "strerror", None) or getattr(error, "verify_message", None) or type(error).__name__)


def _limited(response: Any, deadline: float) -> Iterator[bytes]:
    """Its body, up to what any real answer needs; one that drips does not outlast the deadline."""
    size = 0
    while part := response.read1(16 << 10):
        size += len(part)
        if size > LARGEST:
            raise StampRefused(f"Its answer is larger than {LARGEST >> 10} KB, which no time stamp needs.")
        if time.monotonic() > deadline:
            raise StampRefused(f"Its answer took more than {TIMEOUT:.0f} seconds.")
        yield part


def check_stamp(
    receipt: bytes, data: bytes, roots: "Sequence[x509.Certificate]", *, nonce: int | None = None
) -> datetime:
    """The time that the answer states over exactly these bytes. Raises StampRefused when any part of it is wrong.

    Checked are its status, the imprint and its algorithm, the nonce if one is given, the signature, the authority's
    right to stamp, and that its certificates lead back to `roots` at the stated time.
    """
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        answer = decode_timestamp_response(in_order(receipt))
    except ValueError:
        raise StampRefused("What it sent is not an answer after RFC 3161.", receipt) from None
    if answer.status != 0:
        raise StampRefused(f"It refused to stamp (status {answer.status}).", receipt)
    try:
        imprint = answer.tst_info.message_imprint
        if imprint.hash_algorithm.dotted_string != SHA256 or imprint.message != sha256(data).digest():
            raise StampRefused("It stamped other bytes than the checkpoint.", receipt)
        verifier = VerifierBuilder(roots=list(roots), nonce=nonce).build()
        verifier.verify(answer, sha256(data).digest())
        return answer.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise StampRefused(f"Its answer does not hold: {_fault_of(error)}.", receipt) from None


def _fault_of(error: Exception) -> str:
    text = str(error)
    if "verifying certificates" in text:
        return "its signature does not lead back to a certificate in BREACHDESK_TSA_ROOTS_FILE"
    return text[:1].lower() + text[1:].rstrip(".")[:200]


def in_order(answer: bytes) -> bytes:
    """The answer with the sets around its signature in the order of strict DER, which well-known authorities do not
    keep and our parser demands. No signature covers that order, and no length changes. What is no DER stays as it is.
    """
    try:
        ordered = bytearray(answer)
        content = _child(answer, _child(answer, (0, len(answer)), 0), 1)  # TimeStampResp: status, token
        signed_data = _child(answer, _child(answer, content, 1), 0)  # ContentInfo: type, [0] SignedData
        for tag, whole, inside in _parts(answer, signed_data):
            if tag in (SET, CONTEXT_0, CONTEXT_1):
                members = sorted(answer[slice(*member)] for _, member, _ in _parts(answer, inside))
                ordered[slice(*inside)] = b"".join(members)
                assert whole[1] == inside[1]
        return bytes(ordered)
    except (IndexError, ValueError):
        return answer


Span = tuple[int, int]


def _child(encoded: bytes, within: Span, number: int) -> Span:
    """Where the content of one part stands."""
    return list(_parts(encoded, within))[number][2]


def _parts(encoded: bytes, within: Span) -> Iterator[tuple[int, Span, Span]]:
    """Tag, whole and content of each part between two positions. ValueError for a length that DER does not know."""
    at, end = within
    while at < end:
        tag, first = encoded[at], encoded[at + 1]
        start = at + 2 + (first & 0x7F if first & 0x80 else 0)
        length = int.from_bytes(encoded[at + 2 : start], "big") if first & 0x80 else first
        if first == 0x80 or start + length > end:
            raise ValueError("not DER")
        yield tag, (at, start + length), (start, start + length)
        at = start + length
