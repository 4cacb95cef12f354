"""The process that turns one HTML document into one PDF: started by pdf.py as a file, so it imports none of ours.

It reads one JSON request from standard input, limits itself before it loads the engine, and writes the PDF to standard
output, for several documents behind a line of JSON about them; or a JSON object with the fault, and exit code 3; or,
without the memory for that, nothing and exit code 4.
"""

import gc
import json
import logging
import os
import re
import resource
import sys
import threading
import time
from base64 import b64decode
from datetime import datetime
from pathlib import Path
from typing import Any

BASE = "https://assets.invalid/"  # resolves nowhere: only a name for the files under static/print/
FOLDER = "print"
TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".png": "image/png"}
LINK = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
LAST_WORDS = 64 << 20
NO_ROOM_FOR_WORDS = 4
OPTIONS = {"pdf_variant": "pdf/a-3a", "pdf_tags": True}

# WeasyPrint states one standard per file. The engine's own `xmp_metadata` adds a second RDF block, which readers ignore
# (PDF/UA-1 rule 5-1 then fails), so this goes into the one block it writes; a test reads it back.
UA_XMP = b"""<rdf:Description rdf:about=""
  xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about=""
  xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
  xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
  xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of PDF/UA</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""


class FaultError(Exception):
    def __init__(self, fault: str, detail: str) -> None:
        super().__init__(detail)
        self.fault, self.detail = fault, detail


def limit_myself(cpu_seconds: int, memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    # A little more is kept back, to say that it was not enough. macOS accepts RLIMIT_AS and does not hold it, so a
    # thread watches there what is really used.
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes + LAST_WORDS))
    else:
        threading.Thread(target=watch_memory, args=(memory_bytes,), daemon=True).start()


def keep_room_for_last_words() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def watch_memory(memory_bytes: int) -> None:
    unit = 1 if sys.platform == "darwin" else 1024
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit < memory_bytes:
        time.sleep(0.05)
    os.abort()


def load_engine() -> Any:
    gc.disable()  # until it is loaded: what is loaded stays
    try:
        import weasyprint
    except OSError as error:
        raise FaultError("pango", str(error).split("'")[1] if "'" in str(error) else "not found") from None
    # Boxes live until the end: looked through at every 700th, they cost a tenth of the time.
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()
    logging.getLogger("weasyprint").addHandler(logging.NullHandler())
    logging.getLogger("weasyprint").propagate = False
    return weasyprint


def make_fetcher(static: Path) -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    packaged = {f"{FOLDER}/{file.name}": file for file in (static / FOLDER).iterdir() if file.suffix in TYPES}

    class PackagedAssets(URLFetcher):  # type: ignore[misc]
        """Serves the packaged files by name; refuses and remembers everything else."""

        def __init__(self) -> None:
            super().__init__(allowed_protocols=(), allow_redirects=False)
            self.refused: list[str] = []

        def fetch(self, url: str, headers: Any = None) -> Any:
            file = packaged.get(url.removeprefix(BASE)) if url.startswith(BASE) else None
            if file is None:
                self.refused.append(url)
                raise FatalURLFetchingError(url)
            return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": TYPES[file.suffix]})

    return PackagedAssets()


def render(request: dict[str, Any]) -> bytes:
    engine = load_engine()
    fetcher = make_fetcher(Path(request["static"]))
    try:
        pdf = write(engine, fetcher, request)
    except BaseException:  # the engine's own refusal is not an Exception, so that nothing inside it swallows it
        if not fetcher.refused:
            raise
    # A picture inside an SVG swallows the refusal, so the list counts and not only the exception.
    if fetcher.refused:
        raise FaultError("refused", fetcher.refused[0][:120])
    return pdf


def bind(engine: Any, fetcher: Any, request: dict[str, Any]) -> tuple[Any, list[int]]:
    """Several documents as one, each beginning on the front of a sheet; and how many pages each has of its own.

    Each is laid out by itself, so that its pages are counted from 1; the style sheets of the blank back are those of
    all, and are read once, with their fonts.
    """
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    sheets = [
        engine.CSS(url=BASE + name, url_fetcher=fetcher, font_config=fonts) for name in LINK.findall(request["blank"])
    ]
    shared: dict[str, Any] = {"font_config": fonts, "cache": {}, "stylesheets": sheets}

    def laid_out(html: str) -> Any:
        html = LINK.sub("", html)  # a document that read its own would unpack every font anew
        return engine.HTML(string=html, base_url=BASE, url_fetcher=fetcher).render(**shared, **OPTIONS)

    documents = [laid_out(html) for html in request["several"]]
    pages: list[Any] = []
    for document in documents:
        pages += document.pages
        if len(document.pages) % 2:
            pages += laid_out(request["blank"]).pages
    return documents[0].copy(pages), [len(document.pages) for document in documents]


def write(engine: Any, fetcher: Any, request: dict[str, Any]) -> bytes:
    moment = datetime.fromisoformat(request["moment"])
    counts: list[int] = []
    if "several" in request:
        document, counts = bind(engine, fetcher, request)
    else:
        document = engine.HTML(string=request["html"], base_url=BASE, url_fetcher=fetcher).render(**OPTIONS)
    document.metadata.created = document.metadata.modified = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = document.metadata.generate_rdf_metadata

    def with_ua(*args: Any, **kwargs: Any) -> bytes:
        before, end, after = plain(*args, **kwargs).rpartition(b"</rdf:RDF>")
        if not end:
            raise FaultError("engine", "metadata of an unknown shape")
        return bytes(before + UA_XMP + after)

    document.metadata.generate_rdf_metadata = with_ua
    attachments = [
        engine.Attachment(
            string=b64decode(item["content"]),
            name=item["name"],
            description=item["description"],
            relationship="Source",
            created=moment,
            modified=moment,
            url_fetcher=fetcher,
        )
        for item in request["attachments"]
    ]
    identifier = bytes.fromhex(request["identifier"])
    pdf = bytes(document.write_pdf(attachments=attachments, pdf_identifier=identifier, **OPTIONS))
    if not counts:
        return pdf
    missing = sorted({one for font in document.fonts.values() for one in font.missing})
    return json.dumps({"pages": counts, "missing": missing}).encode() + b"\n" + pdf


def fault_of(error: BaseException) -> tuple[str, str]:
    """The type and no more of what is not ours: its message may quote the document."""
    if isinstance(error, FaultError):
        return error.fault, error.detail
    return ("memory", "") if isinstance(error, MemoryError) else ("engine", type(error).__name__)


def main() -> int:
    try:
        return answer_request()
    except MemoryError:  # not even enough for saying so
        os._exit(NO_ROOM_FOR_WORDS)


def answer_request() -> int:
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing a library prints may land inside the PDF
    request = json.load(sys.stdin.buffer)
    limit_myself(request["cpu_seconds"], request["memory_bytes"])
    try:
        output, code = render(request), 0
    except BaseException as error:  # the parent must hear a sentence whatever breaks in the engine
        keep_room_for_last_words()
        fault, detail = fault_of(error)
        output, code = json.dumps({"fault": fault, "detail": detail}).encode(), 3
    answer.write(output)
    answer.flush()
    return code


if __name__ == "__main__":
    # No clean-up of thousands of boxes: the process ends here.
    os._exit(main())
