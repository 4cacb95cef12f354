"""What the browser complains of while a journey goes on, kept until the journey ends."""

import re

from playwright.sync_api import Page

complaints: list[str] = []


def listen(page: Page, *, expected: str = "(?!)") -> None:
    """`expected` is what the browser may say of requests that are refused or stopped on purpose.

    Whatever is raised in a listener ends the connection to the browser, and only that is told: so they are kept here.
    """
    page.on("pageerror", lambda error: complaints.append(f"A script failed: {error}"))
    page.on(
        "console",
        lambda said: said.type == "error" and not re.search(expected, said.text) and complaints.append(said.text),
    )
