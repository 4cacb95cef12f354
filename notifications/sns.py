"""Signatures of Amazon SNS, which carries what Amazon SES reports. Anymail asks only for the secret.

After "Verifying the signatures of Amazon SNS messages" in the SNS developer guide: the signed text is made of named
fields in alphabetical order, the certificate comes from SNS itself over TLS, and a message of a topic that nobody
named is refused however well it is signed, because anybody may have a topic. A repeated message needs no window in
time: an event is kept once.
"""

import functools
import re
from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

Fetch = Callable[[str], bytes]
_HOST = r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?"
_CERTIFICATE = re.compile(rf"https://{_HOST}/SimpleNotificationService-[0-9a-f]{{32}}\.pem")
_SUBSCRIBE = re.compile(rf"https://{_HOST}/\?Action=ConfirmSubscription&[\x21-\x7e]{{1,2000}}")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
# Version 1 is what a topic has until somebody sets the other. A forger would need a second text with a given SHA-1.
_HASHES = {"1": SHA1, "2": SHA256}
LARGEST = 20_000
PATIENCE = 5  # seconds


class Forged(Exception):
    """Not from SNS, or of a topic that is not ours. The message says why."""


def verify(message: Mapping[str, Any], topics: Collection[str], fetch: Fetch) -> None:
    """Returns if SNS signed this message of one of our topics."""
    fields = _SIGNED.get(str(message.get("Type")))
    kind_of_hash = _HASHES.get(str(message.get("SignatureVersion")))
    if fields is None or kind_of_hash is None:
        raise Forged("its type or the version of its signature is not known")
    if message.get("TopicArn") not in topics:
        raise Forged("it is of a topic that BREACHDESK_SNS_TOPICS does not name")
    address = str(message.get("SigningCertURL", ""))
    if not _CERTIFICATE.fullmatch(address):
        raise Forged("its certificate is not kept by SNS")
    text = "".join(f"{name}\n{message[name]}\n" for name in fields if name in message).encode()
    try:
        signature = b64decode(str(message.get("Signature", "")), validate=True)
        _key_of(fetch(address)).verify(signature, text, PKCS1v15(), kind_of_hash())
    except (InvalidSignature, ValueError) as error:
        raise Forged("its signature is wrong") from error


def _key_of(certificate: bytes) -> RSAPublicKey:
    read = x509.load_pem_x509_certificate(certificate)
    key = read.public_key()
    if not read.not_valid_before_utc <= datetime.now(UTC) <= read.not_valid_after_utc:
        raise Forged("its certificate is not valid now")
    if not isinstance(key, RSAPublicKey):
        raise Forged("its certificate holds no RSA key")
    return key


@functools.lru_cache(16)
def fetch_certificate(address: str) -> bytes:
    """From SNS, over TLS, and kept. What fails is tried again with the next message."""
    return get(address)


def get(address: str) -> bytes:
    with requests.get(address, timeout=PATIENCE, allow_redirects=False, stream=True) as answer:
        answer.raise_for_status()
        body: bytes = answer.raw.read(LARGEST + 1, decode_content=True)
    if len(body) > LARGEST:
        raise Forged("what it points at is too long")
    return body


def confirm_subscription(message: Mapping[str, Any], fetch: Fetch) -> None:
    """Says yes to SNS, for a message that was verified."""
    address = str(message.get("SubscribeURL", ""))
    if not _SUBSCRIBE.fullmatch(address):
        raise Forged("it asks to be confirmed elsewhere than at SNS")
    fetch(address)
