"""Joins the sources of the offline page into index.html: one file that holds everything and fetches nothing."""

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from breachdesk.audit.events import EVENTS

FOLDER = Path(__file__).parent
SOURCES = FOLDER / "page"
FONTS = FOLDER.parent.parent / "static" / "fonts"
INDEX = FOLDER / "index.html"

SCRIPTS = (
    *("bytes", "canonical", "zip", "tree", "notes", "words"),
    *("rules_file", "rules_log", "rules_state", "verify"),
    *("dom", "history", "sections", "read", "start"),
)
EVENTS_HERE = "/* EVENTS */ {} /* END EVENTS */"


def joined_page() -> str:
    """The whole page. Its policy names the hashes of its one style and one script, so nothing else can run in it."""
    style, script = _style(), _script()
    page = (SOURCES / "page.html").read_text()
    for name, text in (("policy", _policy(style, script)), ("style", style), ("script", script)):
        page = page.replace(f"{{{{{name}}}}}", text)
    return page


def event_table() -> str:
    """What the page must know of every type of event, as JSON; the same order each time."""
    table = {
        name: {
            "sentence": kind.sentence,
            "required": sorted(kind.required),
            "allowed": sorted(kind.allowed),
            "private": sorted(kind.private_fields),
        }
        for name, kind in sorted(EVENTS.items())
    }
    return json.dumps(table, separators=(",", ":"))


def _script() -> str:
    parts = "\n".join((SOURCES / f"{name}.js").read_text() for name in SCRIPTS)
    return '"use strict";\n(() => {\n' + parts.replace(EVENTS_HERE, event_table()) + "})();\n"


def _style() -> str:
    style = (SOURCES / "page.css").read_text()
    for name in ("next", "mono"):
        font = (FONTS / f"atkinson-hyperlegible-{name}-latin-wght-normal.woff2").read_bytes()
        style = style.replace(f"{{{{{name}}}}}", b64encode(font).decode())
    return style


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
