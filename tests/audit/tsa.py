"""A time-stamping authority for tests: real RFC 3161 answers by the openssl command line, under a CA of its own.

    with LocalTsa(folder) as tsa:
        tsa.url            # answers there over http, on the loopback interface
        tsa.roots_pem      # the certificate to trust
        tsa.stamp(data)    # the answer as DER, without the way over http

`tsa.behaves` makes it misbehave: see BEHAVIOURS.
"""

import os
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEHAVIOURS = {
    "good": "answers as it should",
    "refuses": "answers that it will not stamp (status 2)",
    "wrong_imprint": "stamps other bytes than it was asked to",
    "wrong_nonce": "repeats an older answer",
    "stranger": "signs under a CA that nobody trusts",
    "garbage": "sends bytes that are no answer",
    "empty": "sends nothing",
    "huge": "sends more than any answer needs",
    "error": "answers with HTTP 500",
    "moved": "sends the asker to another host",
    "hangs": "takes the question and never answers",
}
SHA256 = bytes.fromhex("300d06096086480165030402010500")
USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
POLICY = "1.3.6.1.4.1.13762.3"
CONFIG = """\
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/issuer.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = {policy}
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def need_openssl() -> str:
    """The path of openssl; without it the test is skipped, unless the machine promised to have every tool."""
    found = shutil.which("openssl")
    if found is None:
        assert not os.environ.get("REQUIRE_OPENSSL"), "REQUIRE_OPENSSL=1, and there is no openssl."
        pytest.skip("openssl is not installed: apt-get install openssl.")
    return found


class LocalTsa:
    def __init__(self, folder: Path, name: str = "Stamping Example") -> None:
        self.folder, self.name, self.openssl = folder, name, need_openssl()
        self.behaves = "good"
        # What it states as the time of stamping; None is the machine's own time.
        self.gen_time: datetime | None = None
        self.asked: list[bytes] = []
        self._server: ThreadingHTTPServer | None = None
        self._released = threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        _make_authority(folder, name)
        (folder / "serial").write_text("01\n")
        (folder / "tsa.conf").write_text(CONFIG.format(folder=folder, policy=POLICY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def roots_pem(self) -> str:
        return (self.folder / "ca.pem").read_text()

    @property
    def roots_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def url(self) -> str:
        if self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
            self._server.daemon_threads = True
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/tsr"

    def close(self) -> None:
        self._released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def stamp(self, data: bytes, *, gen_time: datetime | None = None) -> bytes:
        """The answer to a question about `data`, without a nonce. With `gen_time` it states that time."""
        question = self.folder / "question.tsq"
        (self.folder / "data").write_bytes(data)
        self._run("ts", "-query", "-data", "data", "-sha256", "-cert", "-no_nonce", "-out", "question.tsq")
        return self.answer(question.read_bytes(), gen_time=gen_time)

    def answer(self, question: bytes, *, gen_time: datetime | None = None) -> bytes:
        """The answer to a TimeStampReq in DER."""
        if gen_time is not None:
            return self._answer_of_another_time(question, gen_time)
        (self.folder / "question.tsq").write_bytes(question)
        self._run("ts", "-reply", "-config", "tsa.conf", "-queryfile", "question.tsq", "-out", "answer.tsr")
        return (self.folder / "answer.tsr").read_bytes()

    def _answer_of_another_time(self, question: bytes, gen_time: datetime) -> bytes:
        """`openssl ts` knows the machine's clock alone, so this signs the statement (TSTInfo) as any CMS content."""
        statement = _statement(question, gen_time)
        (self.folder / "statement").write_bytes(statement)
        self._run(
            *("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-cades", "-md", "sha256", "-in", "statement"),
            *("-econtent_type", "1.2.840.113549.1.9.16.1.4", "-signer", "tsa.pem", "-inkey", "tsa.key"),
            *("-certfile", "issuer.pem", "-outform", "DER", "-out", "token"),
        )
        return der(0x30, der(0x30, der(0x02, b"\x00")) + (self.folder / "token").read_bytes())

    def _run(self, *arguments: str) -> None:
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(self.folder)}
        command = [self.openssl, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def behave(self, question: bytes) -> bytes:
        """What goes over the wire, for the behaviours that are answers."""
        match self.behaves:
            case "refuses":
                return der(0x30, der(0x30, der(0x02, b"\x02")))
            case "wrong_imprint":
                asked = children(question)[1][1]
                other = der(0x30, SHA256 + der(0x04, sha256(b"other bytes").digest()))
                question = question.replace(der(0x30, asked), other)
            case "wrong_nonce":
                question = _with_nonce(question, 12345)
            case "stranger":
                with LocalTsa(self.folder / "stranger", "Nobody trusts this") as stranger:
                    return stranger.answer(question, gen_time=self.gen_time)
            case "garbage":
                return b"\x30\x82\xff\xff this is no answer"
            case "empty":
                return b""
            case "huge":
                return b"\x30" * (1 << 21)
        return self.answer(question, gen_time=self.gen_time)


def _handler_of(tsa: LocalTsa) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            tsa.asked.append(question)
            if tsa.behaves == "hangs":
                tsa._released.wait(60)
                return
            if tsa.behaves == "moved":
                self._send(302, b"", {"Location": "http://elsewhere.example/tsr"})
            elif tsa.behaves == "error":
                self._send(500, b"", {})
            else:
                self._send(200, tsa.behave(question), {"Content-Type": "application/timestamp-reply"})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """The test says what it saw."""

    return Handler


# DER, as little as a time stamp needs


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8]) + _big(size)
    return bytes([tag]) + length + content


def _big(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def children(encoded: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each part of a SEQUENCE."""
    _, content, _ = _part(encoded, 0)
    found, at = [], 0
    while at < len(content):
        tag, inner, at = _part(content, at)
        found.append((tag, inner))
    return found


def _part(encoded: bytes, at: int) -> tuple[int, bytes, int]:
    tag, size, start = encoded[at], encoded[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(encoded[at + 2 : start], "big")
    return tag, encoded[start : start + size], start + size


def _with_nonce(question: bytes, nonce: int) -> bytes:
    kept = [
        der(0x02, _big(nonce)) if n and tag == 0x02 else der(tag, c) for n, (tag, c) in enumerate(children(question))
    ]
    return der(0x30, b"".join(kept))


def _statement(question: bytes, gen_time: datetime) -> bytes:
    """TSTInfo of RFC 3161, section 2.4.2."""
    asked = children(question)
    nonce = b"".join(der(tag, content) for n, (tag, content) in enumerate(asked) if n and tag == 0x02)
    stated = gen_time.astimezone(UTC)
    text = stated.strftime("%Y%m%d%H%M%S")
    fraction = f".{stated.microsecond:06}".rstrip("0") if stated.microsecond else ""
    policy = x509.ObjectIdentifier(POLICY)
    return der(
        0x30,
        der(0x02, b"\x01")
        + der(0x06, _oid(policy.dotted_string))
        + der(0x30, asked[1][1])
        + der(0x02, b"\x2a")
        + der(0x18, f"{text}{fraction}Z".encode())
        + nonce,
    )


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytes([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        encoded += bytes(reversed(groups))
    return encoded


# The authority's own papers, valid long enough for any time a test states


def _make_authority(folder: Path, name: str) -> None:
    """A root, an issuer below it, and the authority. The answer carries the last two, and its own paper is the longer
    one: openssl then writes the set in an order that strict DER does not allow, as well-known authorities do."""
    root_key, issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name, issuer_name = _named(f"{name} Root"), _named("Issuer")
    root = (
        _paper(root_name, root_name, root_key).add_extension(CA, critical=True).add_extension(CERTIFIES, critical=True)
    )
    issuer = (
        _paper(issuer_name, root_name, issuer_key)
        .add_extension(CA, critical=True)
        .add_extension(CERTIFIES, critical=True)
    )
    own = (
        _paper(_named(f"{name}, an authority that stamps the time in tests and nowhere else"), issuer_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    )
    for file, paper, signer in (("ca", root, root_key), ("issuer", issuer, root_key), ("tsa", own, issuer_key)):
        signed = paper.sign(signer, hashes.SHA256())
        (folder / f"{file}.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "tsa.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    (folder / "tsa.key").chmod(0o600)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _paper(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in USAGES})


CA, CERTIFIES = x509.BasicConstraints(ca=True, path_length=None), _usage(key_cert_sign=True, crl_sign=True)
