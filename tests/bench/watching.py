"""Signed-in people who look at the progress page of a send, through the web server."""

import http.client
import os
import sys
import time
from threading import Event, Thread
from typing import Any
from uuid import uuid4

NUMBERS_EVERY, REASONS_EVERY = 2.0, 15.0


def signed_in() -> str:
    """The cookie of a colleague who may see notices, signed in by the product's own session."""
    from django.conf import settings
    from django.test import Client

    from tests.factories import make_user

    client = Client()
    client.force_login(make_user("dpo", email=f"{uuid4().hex}@halden-rowe.example"))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


class Viewer(Thread):
    def __init__(self, cookie: str, path: str, first: float, ended: Event) -> None:
        super().__init__(daemon=True)
        self.cookie, self.path, self.first, self.ended = cookie, path, first, ended
        self.times: list[float] = []
        self.failures: list[str] = []

    def run(self) -> None:
        self.ended.wait(self.first)  # they did not all come in the same moment
        self.ask("")
        asked = 0
        while not self.ended.wait(NUMBERS_EVERY):
            asked += 1
            self.ask("numbers/")
            if asked % round(REASONS_EVERY / NUMBERS_EVERY) == 0:
                self.ask("reasons/")

    def ask(self, part: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["WEB"]), timeout=30)
        began = time.perf_counter()
        headers = {"Cookie": self.cookie, "HX-Request": "true"} if part else {"Cookie": self.cookie}
        try:
            connection.request("GET", self.path + part, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 286):
                self.failures.append(f"{part or 'page'} {answer.status}")
        except OSError as error:
            self.failures.append(f"{part or 'page'} {error}")
        finally:
            connection.close()
        self.times.append(time.perf_counter() - began)


def watched(path: str, number: int) -> dict[str, Any]:
    """Until the next word comes: how many answers there were, and how long they took."""
    ended = Event()
    viewers = [Viewer(signed_in(), path, NUMBERS_EVERY * n / number, ended) for n in range(number)]
    print("ready", flush=True)
    assert sys.stdin.readline() == "go\n"
    for viewer in viewers:
        viewer.start()
    assert sys.stdin.readline() == "go\n"
    ended.set()
    for viewer in viewers:
        viewer.join()
    times = sorted(taken for viewer in viewers for taken in viewer.times)
    failures = [failure for viewer in viewers for failure in viewer.failures]
    middle, late = times[len(times) // 2], times[int(0.95 * (len(times) - 1))]
    return {
        "answers": len(times),
        "p50_ms": round(middle * 1000),
        "p95_ms": round(late * 1000),
        "failures": failures[:5],
    }
