"""Places where a test lets a process die, freeze or lose an answer: the gaps between two steps of a hand-over.

`reach("G5")` does nothing unless BREACHDESK_FAILPOINT names that gap, as G5, G5:3 (at the third time this process
comes by) or G5:1:stop. What happens there is `kill` (the default), `stop` (frozen until somebody lets it go on) or
`raise` (as a database whose answer was lost). G0 to G10 are those of the design of delivery; G11 and G12, a database
that forgets what it had answered, are no places in a program (epochs.py).
"""

import os
import signal
from dataclasses import dataclass

from django.conf import settings
from django.db import OperationalError

NONE = ""
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


@dataclass
class Failpoint:
    gap: str = NONE
    passes: int = 1
    act: str = "kill"

    @classmethod
    def parse(cls, text: str) -> "Failpoint":
        gap, *words = text.split(":")
        number = next((int(word) for word in words if word.isdecimal()), 1)
        return cls(gap, number, next((word for word in words if not word.isdecimal()), "kill"))


armed = Failpoint.parse(settings.BREACHDESK.failpoint)


def reach(gap: str) -> None:
    if gap == armed.gap:
        _arrive()


def _arrive() -> None:
    armed.passes -= 1
    if armed.passes:
        return
    if armed.act == "raise":
        raise OperationalError(f"the answer was lost at {armed.gap}, as a failpoint asks")
    os.kill(os.getpid(), SIGNALS[armed.act])
