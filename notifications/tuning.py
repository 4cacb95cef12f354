"""How the interpreter is set while a worker sends."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_INTERVAL = 0.0005  # seconds; the thread that commits must not wait long for the one that sends
NEW_BEFORE_A_LOOK = 50_000  # objects; a message leaves no cycles, and looking for some was a tenth of the work


@contextmanager
def tuned_for_sending() -> Iterator[None]:
    switch, look = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(NEW_BEFORE_A_LOOK)
    try:
        yield
    finally:
        sys.setswitchinterval(switch)
        gc.set_threshold(*look)
