"""An author's yes to a suggestion: these words cover that content of the law."""

from notifications.lint.contents import CONTENTS
from notifications.lint.passages import begins_passage


def with_mark(body: str, chosen: str) -> str:
    """The text with ((covers …)) after the passage that begins on the chosen line: `likely_consequences:12`.

    As it was, if nothing was chosen or the line is gone meanwhile.
    """
    content, _, number = chosen.partition(":")
    lines = body.replace("\r\n", "\n").split("\n")
    if content not in CONTENTS or not number.isdecimal() or not 1 <= int(number) <= len(lines):
        return body
    last = int(number) - 1
    if not lines[last].strip():
        return body
    while last + 1 < len(lines) and lines[last + 1].strip() and not begins_passage(lines[last + 1]):
        last += 1
    lines[last] = f"{lines[last].rstrip()} ((covers {CONTENTS[content].word}))"
    return "\n".join(lines)
