"""render_pdf(): HTML to a tagged, archivable PDF, made by a child process on a short leash.

The child (`pdf_child.py`) is started for one document and knows nothing of the product: no Django, no settings, no
database, no key. It may use so much processor time, wall clock and memory, reads only the style sheets, pictures and
fonts packaged under `static/print/`, and fetches nothing. The result is PDF/A-3a and declares PDF/UA-1.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

NO_ROOM_FOR_WORDS = 4  # of pdf_child.py
CHILD = Path(__file__).with_name("pdf_child.py")
SIGNING_CHILD = Path(__file__).with_name("pdf_signing_child.py")
SIGNING_SECONDS = 60
STATIC = Path(__file__).with_name("static")
# What the dynamic loader and fontconfig need to find the machine's own libraries and fonts; nothing of ours.
PASSED_ON = ("DYLD_FALLBACK_LIBRARY_PATH", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


class PdfError(Exception):
    """Says in one sentence why there is no PDF."""


class PdfRefused(PdfError):
    pass


class PdfTimedOut(PdfError):
    pass


class PdfTooLarge(PdfError):
    pass


class PangoMissing(PdfError):
    pass


@dataclass(frozen=True)
class PdfAttachment:
    name: str
    content: bytes
    description: str


@dataclass(frozen=True)
class PdfSigning:
    """Where the key and its certificates lie, and who states the time. The key itself is read by the child alone."""

    key_file: Path
    certificate_file: Path
    tsa_url: str = ""


@dataclass(frozen=True)
class PdfLimits:
    cpu_seconds: int = 60
    wall_seconds: float = 120
    memory_bytes: int = 1 << 30


SENTENCES = {
    "refused": "the document asked for {detail}, and it may use only the packaged style sheets, pictures and fonts",
    "memory": "the document needs more than {memory} MB of memory. Shorten it",
    "pango": "this machine lacks the Pango text library ({detail}). Only PDFs need it. Install it with "
    "`apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0`, "
    "`dnf install pango` or `brew install pango`",
    "engine": "the PDF engine failed with {detail}",
    "time": "the document took more than {cpu} seconds of work or {wall:g} seconds of waiting. Shorten it",
}
KINDS: dict[str, type[PdfError]] = {
    "refused": PdfRefused,
    "memory": PdfTooLarge,
    "pango": PangoMissing,
    "time": PdfTimedOut,
}


def render_pdf(
    html: str,
    *,
    moment: datetime,
    attachments: Sequence[PdfAttachment] = (),
    limits: PdfLimits = PdfLimits(),
) -> bytes:
    """The same html, moment and attachments give the same bytes on the same machine.

    `moment` is what the file states as the time of its making. Raises a PdfError with a sentence, never anything else.
    """
    return _pdf_of(*_answer_of(_request_of([html], moment, attachments, limits), moment, limits), limits)


@dataclass(frozen=True)
class BoundPdf:
    """Several documents in one file: how many pages each has without the blank backs, and letters no font has."""

    pdf: bytes
    pages: list[int]
    missing: str


def render_bound_pdf(
    documents: Sequence[str], *, blank: str, moment: datetime, limits: PdfLimits = PdfLimits()
) -> BoundPdf:
    """One PDF of many documents, for printing on both sides: each begins on the front of a sheet, `blank` fills backs.

    As render_pdf in everything else; a document costs about a fifth of what it would take alone.
    """
    request = _request_of(documents, moment, (), limits, blank=blank)
    answer, code = _answer_of(request, moment, limits)
    said, _, pdf = answer.partition(b"\n") if code == 0 else (b"", b"", answer)
    pdf = _pdf_of(pdf, code, limits)
    told = json.loads(said)
    return BoundPdf(pdf, told["pages"], "".join(map(chr, told["missing"])))


def _answer_of(request: bytes, moment: datetime, limits: PdfLimits) -> tuple[bytes, int]:
    # A folder of its own, so that what the engine writes (unpacked fonts) is gone however the child ends.
    with tempfile.TemporaryDirectory(prefix="breachdesk-pdf-") as folder:
        child = subprocess.Popen(
            [sys.executable, "-s", "-P", "-W", "ignore", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment_of(folder, moment),
            start_new_session=True,
        )
        try:
            answer, _ = child.communicate(request, timeout=limits.wall_seconds)
        except subprocess.TimeoutExpired:
            raise _fault("time", "", limits) from None
        finally:
            _end(child)
    return answer, child.returncode


def sign_pdf(pdf: bytes, how: PdfSigning, *, reason: str) -> bytes:
    """The same PDF with an invisible signature behind it. Raises a PdfError with a sentence, never anything else."""
    request = {
        "pdf": b64encode(pdf).decode(),
        "key_file": str(how.key_file),
        "certificate_file": str(how.certificate_file),
        "tsa_url": how.tsa_url,
        "reason": reason,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-W", "ignore", str(SIGNING_CHILD)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=SIGNING_SECONDS,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        raise PdfError(f"The PDF was not signed: it took more than {SIGNING_SECONDS} seconds. Try again.") from None
    if done.returncode == 0 and done.stdout.startswith(b"%PDF-"):
        return done.stdout
    raise PdfError(f"The PDF was not signed, so none was made: {_fault_of_signing(done.stdout, done.returncode)}.")


def _fault_of_signing(answer: bytes, code: int) -> str:
    try:
        return str(json.loads(answer)["fault"])
    except (ValueError, KeyError):
        return f"the signing engine ended with exit code {code}"


def _request_of(
    documents: Sequence[str],
    moment: datetime,
    attachments: Sequence[PdfAttachment],
    limits: PdfLimits,
    blank: str = "",
) -> bytes:
    stated = moment.astimezone(UTC).replace(microsecond=0)
    identity = sha256()
    for html in documents:
        identity.update(html.encode("utf-8", "surrogatepass"))
    for attachment in attachments:
        identity.update(sha256(attachment.content).digest())
    return json.dumps(
        {
            **({"several": list(documents), "blank": blank} if blank else {"html": documents[0]}),
            "static": str(STATIC),
            "moment": stated.isoformat(),
            "identifier": identity.hexdigest()[:32],
            "attachments": [
                {"name": a.name, "content": b64encode(a.content).decode(), "description": a.description}
                for a in attachments
            ],
            "cpu_seconds": limits.cpu_seconds,
            "memory_bytes": limits.memory_bytes,
        }
    ).encode()


def _environment_of(folder: str, moment: datetime) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": folder,
        "TMPDIR": folder,
        # Both would otherwise differ from run to run, and so would the bytes.
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(int(moment.timestamp())),
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
    }


def _end(child: subprocess.Popen[bytes]) -> None:
    """No child and no grandchild outlives the call."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def _pdf_of(answer: bytes, code: int, limits: PdfLimits) -> bytes:
    if code == 0 and answer.startswith(b"%PDF-"):
        return answer
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _fault("time", "", limits)
    if code < 0 or code == NO_ROOM_FOR_WORDS:
        # A C library that gets no memory ends the process instead of raising.
        raise _fault("memory", "", limits)
    try:
        fault = json.loads(answer)
        raise _fault(fault["fault"], fault["detail"], limits)
    except (ValueError, KeyError):
        raise _fault("engine", f"exit code {code}", limits) from None


def _fault(name: str, detail: str, limits: PdfLimits) -> PdfError:
    memory, cpu, wall = limits.memory_bytes >> 20, limits.cpu_seconds, limits.wall_seconds
    reason = SENTENCES[name].format(detail=detail[:200], memory=memory, cpu=cpu, wall=wall)
    return KINDS.get(name, PdfError)(f"The PDF was not made: {reason}.")
