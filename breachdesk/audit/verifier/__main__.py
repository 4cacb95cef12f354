"""Writes what both verifiers carry inside themselves: `python -m breachdesk.audit.verifier`.

Each is one file that imports nothing of ours, so the table of event types stands in it as text. A structure test fails
when it is out of date.
"""

import re
from textwrap import wrap

from breachdesk.audit.event_type import NAMES, EventType
from breachdesk.audit.events import EVENTS
from breachdesk.audit.verifier import PAGE, SCRIPT
from breachdesk.audit.verifier.joining import joined_page

COMMAND = "python -m breachdesk.audit.verifier"
BEGIN, END = f"# BEGIN EVENTS (made by: {COMMAND})\n", "# END EVENTS\n"


def script_with_events() -> str:
    """bd_verify.py with the table of today between its two marks."""
    table = "".join(_line(name, kind) for name, kind in sorted(EVENTS.items()))
    whole = f"{BEGIN}EVENTS: dict[str, tuple[str, str, str]] = {{\n{table}}}\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{END}", lambda _: whole, SCRIPT.read_text(), flags=re.DOTALL)


def _line(name: str, kind: EventType) -> str:
    """The keys that must stand in data, those that may besides (NAMES always may), and the private ones."""
    columns = (kind.required, kind.allowed - kind.required - NAMES, kind.private_fields)
    texts = [" ".join(sorted(keys)) for keys in columns]
    quoted = ", ".join(f'"{text}"' for text in texts)
    line = f'    "{name}": ({quoted}),\n'
    if len(line) <= 121:
        return line
    return f'    "{name}": (\n' + "".join(map(_wrapped, texts)) + "    ),\n"


def _wrapped(text: str) -> str:
    """One string, over as many lines as it takes."""
    *first, last = wrap(text, 100) or [""]
    if not first:
        return f'        "{last}",\n'
    lines = [*(f'"{part} "' for part in first), f'"{last}"']
    return "        (\n" + "".join(f"            {line}\n" for line in lines) + "        ),\n"


if __name__ == "__main__":
    SCRIPT.write_text(script_with_events())
    PAGE.write_text(joined_page())
