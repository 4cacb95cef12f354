"""500 MB of invented names go through a running installation, and everything it writes is searched while it does.

    python -m tests.faults.canaries [megabytes] [--most SECONDS] [--plant] [--keep]

A responder signs in, uploads a list over HTTP, has it read, takes it in and looks somebody up, as a browser would. All
of it lies beneath one folder: the database's data folder with its log and write-ahead log, temporary folders, sealed
uploads, the output of every process, the broker's folder. It is searched again and again with what processes hold open
after deleting its name: each file from the first byte on whenever it was written to since it was searched last, and
once more, all of them, when everything is over. The broker's keys are read whole, and what it is sent is listened to.
A name counts in any of the shapes it could leak in: as it is, in any case, as UTF-16, in base64, in hex, in an address.
Before, the search finds one that was put there on purpose, in each place. `--plant` puts one more there while the list
is read: that run must find it, and fail. After `--most` seconds nothing new is begun; what was not done is said, fails
the run, and the last search follows.
"""

import argparse
import base64
import json
import os
import re
import stat
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from tests.bench.measuring import installation, keep
from tests.faults.browser import Browser, Form
from tests.journeys.installation import Installation, running_installation
from tests.leaking import shapes

RESULTS = Path(__file__).parent / "results"
MARK = "Zyxcanary"  # begins every personal value of the file
HEADING = "customer_id,first_name,last_name,email,street,city,country,remarks\n"
ROWS_AT_ONCE = 1_000
BOUNDARY = "canaries0boundary"
PLACES = ("folder", "open files", "broker", "sent to the broker")


SHAPES = shapes(MARK)


def is_in(content: bytes) -> bool:
    lower = content.lower()
    return any(shape in lower for shape in SHAPES)


# The file, never on a disk in the clear


def rows(megabytes: int) -> Iterator[bytes]:
    """About a kilobyte each, most of it in a column that is not stored; one in fifty is rejected and kept sealed."""
    size, number, remarks = 0, 0, f"{MARK}Remark " * 60
    yield HEADING.encode()
    while size < megabytes * 1_000_000:
        piece = "".join(_row(n, remarks) for n in range(number, number + ROWS_AT_ONCE)).encode()
        size, number = size + len(piece), number + ROWS_AT_ONCE
        yield piece


def _row(n: int, remarks: str) -> str:
    address = f"{MARK}Address{n}@example.com" if n % 50 else f"{MARK}Address{n} at example.com"
    street = f"{MARK}Street {n}"
    return f"{MARK}Ref{n},{MARK}Given,{MARK}Family{n},{address},{street},{MARK}Town,GB,{remarks}{n}\n"


def upload(browser: Browser, path: str, megabytes: int, token: str) -> int:
    """In pieces as they are made, so the list is nowhere whole. How many bytes were sent."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="customers.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    length = len(head) + sum(map(len, rows(megabytes))) + len(tail)

    def body() -> Iterator[bytes]:
        yield head
        yield from rows(megabytes)
        yield tail

    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(length),
        "X-CSRFToken": token,
    }
    status, _ = browser.ask("POST", path, body(), headers)
    assert status == 302, f"the upload answered {status}"
    return length


# The search


def grep(names: list[str]) -> list[str]:
    """At the speed of the disk; files that go while it reads are no fault of theirs."""
    plain = [word for shape in SHAPES if b"\0" not in shape for word in ("-e", shape.decode())]
    # UTF-16 holds zero bytes, which no argument can: there they are said by number.
    wide = "".join(f"{letter}\\x00" for letter in MARK)
    found: list[str] = []
    for options in (["-F", "-i", *plain], ["-P", "-i", "-e", wide]):
        command = ["grep", "-l", "-a", "-s", "--devices=skip", *options, "--", *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
        found += done.stdout.splitlines()
    return found


@dataclass
class Search:
    folder: Path
    broker: redis.Redis
    found: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    searched_bytes: int = 0
    during: Counter[str] = field(default_factory=Counter)
    phase: str = "before"
    where: set[str] = field(default_factory=set)
    searched: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        while not self.is_over.wait(0.1):
            self.once()

    def everything(self) -> None:
        """Whatever was searched before, and whenever it was written to."""
        self.searched.clear()
        self.once()

    def once(self) -> None:
        phase = self.phase
        self._note("folder", self.files())
        self._note("open files", self._unlinked())
        self._note("broker", self._keys())
        self.rounds += 1
        self.during[phase] += 1

    def _note(self, place: str, names: list[str]) -> None:
        self.found[place] += len(names)
        self.where |= {f"{place} ({self.phase}): {name}" for name in names}

    def files(self) -> list[str]:
        """Those that hold a canary, of all that were written to since they were searched last."""
        names = list(self._written())
        return [name for at in range(0, len(names), 500) for name in grep(names[at : at + 500])]

    def _written(self) -> Iterator[str]:
        """What was written in the last second may be written again without another date: it is searched once more.

        The log of a database is written anew under old names, so the length alone says nothing; its date does.
        """
        for folder, _, names in os.walk(self.folder):
            for path in (f"{folder}/{name}" for name in names):
                with suppress(OSError):
                    about = os.lstat(path)
                    seen = (about.st_ino, about.st_size, about.st_mtime_ns)
                    if not stat.S_ISREG(about.st_mode) or self.searched.get(path) == seen:
                        continue
                    if time.time_ns() - about.st_mtime_ns > 1_000_000_000:
                        self.searched[path] = seen
                    self.searched_bytes += about.st_size
                    yield path

    def _unlinked(self) -> list[str]:
        """Temporary files without a name: only who holds them open can read them, and whoever looks in /proc."""
        names = []
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                target = str(link.readlink())
                if target.endswith(" (deleted)") and target.startswith(str(self.folder)) and self._holds(link):
                    names.append(target)
        return names

    def _holds(self, link: Path) -> bool:
        before = b""
        with link.open("rb") as file:
            while piece := file.read(1 << 20):
                if is_in(before + piece):
                    return True
                before = piece[-100:]
        return False

    def _keys(self) -> list[str]:
        names = []
        for number in range(16):
            client = redis.Redis(connection_pool=redis.ConnectionPool(**self._connection() | {"db": number}))
            for key in client.scan_iter(count=1000):
                if is_in(key + b" " + b" ".join(_texts(client, key))):
                    names.append(f"{number}: {key!r}")
            client.close()
        return names

    def _connection(self) -> dict[str, Any]:
        said = self.broker.connection_pool.connection_kwargs
        return {"connection_class": self.broker.connection_pool.connection_class, **said}

    def listen(self) -> None:
        """Everything that any process sends to the broker, as it arrives there."""
        with suppress(redis.ConnectionError), self.broker.monitor() as monitor:
            for command in monitor.listen():
                if is_in(command["command"].encode()):
                    self._note("sent to the broker", [command["command"][:80]])
                if self.is_over.is_set():
                    return


def _texts(client: "redis.Redis", key: bytes) -> list[bytes]:
    match client.type(key):
        case b"string":
            return [client.get(key) or b""]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case _:
            return []


def prove_that_it_finds(search: Search) -> None:
    """One of each is put in each place, and found; then all are gone."""
    for n, content in enumerate((MARK.encode(), MARK.encode("utf-16-le"), base64.b64encode(b"{" + MARK.encode()))):
        (search.folder / f"planted-{n}").write_bytes(b"\x00\xff" + content)
    search.broker.set("planted", base64.b64encode(b"ab" + MARK.lower().encode()))
    with tempfile.TemporaryFile(dir=search.folder) as nameless:
        nameless.write(b"x" * 5000 + MARK.encode().hex().encode())
        nameless.flush()
        search.once()
    wait_until("the listener has heard it", lambda: search.found["sent to the broker"] > 0, 30)
    assert search.found["folder"] == 3, search.where
    assert search.found["open files"] == 1, search.where
    assert search.found["broker"] == 1, search.where
    search.broker.delete("planted")
    search.broker.bgrewriteaof()  # the broker's own file remembers what it was told
    for planted in search.folder.glob("planted-*"):
        planted.unlink()
    search.found.clear()
    search.where.clear()


# The campaign


def main(megabytes: int, most: float, is_planting: bool, is_kept: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="bd-canary-") as name, installation() as servers:
        folder = Path(name)
        broker = redis.Redis.from_url(os.environ["REDIS_URL"])
        # The servers' folder and the installation's beside each other: both are searched.
        with running_installation(folder) as place:
            searches = [Search(folder, broker), Search(servers.folder, broker)]
            results = campaign(place, searches, megabytes, time.monotonic() + most, is_planting)
    print(json.dumps(results, indent=1))
    if is_kept:
        keep(f"canaries-{megabytes}mb", results, RESULTS)
    is_whole = results["was_taken_in"] and all(results["searched_during"].values())
    return 1 if results["found"] or not is_whole else 0


def campaign(
    place: Installation, searches: list[Search], megabytes: int, until: float, is_planting: bool
) -> dict[str, Any]:
    place.manage("story", "--until", "log")
    threads = [threading.Thread(target=searches[0].listen, daemon=True)]
    threads[0].start()
    time.sleep(1)
    prove_that_it_finds(searches[0])
    wait_until("the broker has forgotten it", lambda: all(is_clean(search) for search in searches), 60)
    threads += [threading.Thread(target=search.go_on, daemon=True) for search in searches]
    for thread in threads[1:]:
        thread.start()
    try:
        done = use(place, searches, megabytes, until, is_planting)
    finally:
        for search in searches:
            search.is_over.set()
        for thread in threads[1:]:
            thread.join()
    for search in searches:
        search.phase = "afterwards"
        search.everything()
    found = sum((search.found for search in searches), Counter())
    during = sum((search.during for search in searches), Counter())
    return {
        **done,
        "rounds_of_searching": sum(search.rounds for search in searches),
        "searched_mb": round(sum(search.searched_bytes for search in searches) / 1e6),
        "searched_during": {phase: during[phase] for phase in done["phases_seconds"]},
        "found": sum(found.values()),
        "by_place": {place: found[place] for place in PLACES},
        "where": sorted(set().union(*(search.where for search in searches)))[:20],
    }


def is_clean(search: Search) -> bool:
    search.searched.clear()
    return not search.files()


def use(place: Installation, searches: list[Search], megabytes: int, until: float, is_planting: bool) -> dict[str, Any]:
    browser, phases = Browser(place.address), Phases(searches, until)
    browser.sign_in(*place.sign_ins["Incident responder"])
    [reference] = set(re.findall(r"/incidents/(BD-\d+-\d+)/", browser.get("/incidents/")))
    people = f"/incidents/{reference}/people/"
    token = dict(Form(browser.get(people), f"{people}upload/").fields)["csrfmiddlewaretoken"]
    with phases("upload"):
        sent = upload(browser, f"{people}upload/", megabytes, token)
    file = re.findall(rf"{people}files/[0-9a-f-]+/", browser.get(people))[0]
    with phases("match"):
        form = Form(browser.get(f"{file}match/"), f"{file}match/").fields
        status, _ = browser.send(f"{file}match/", [*form, ("do", "match")])
        assert status == 302, f"matching answered {status}"
    with phases("reading"):
        if is_planting:
            (searches[0].folder / "files" / "planted-while-reading").write_bytes(b"\0" + MARK.encode())
        is_read = wait_until("it is read", lambda: f"{file}accept/" in browser.get(file), until - time.monotonic(), 2)
    is_taken = False
    if is_read:
        with phases("taking in"):
            form = Form(browser.get(file), f"{file}accept/").fields
            browser.send(f"{file}accept/", form)
            said = "people are affected</h1>"
            is_taken = wait_until("it is taken in", lambda: said in browser.get(people), until - time.monotonic(), 2)
    if is_taken:
        with phases("looking"):
            signed = ("csrfmiddlewaretoken", token)
            for n in range(1, 40):
                typed = [signed, ("typed", f"{MARK}Address{n}@example.com"), ("reason", f"{MARK} rang us.")]
                assert browser.send(f"{people}search/", typed)[0] == 200
                browser.get(f"{people}list/")
    said_of_it = {"was_read": is_read, "was_taken_in": is_taken, "planted": is_planting}
    return {"megabytes": round(sent / 1e6), **said_of_it, "phases_seconds": phases.seconds}


class Phases:
    """What is being done while the search goes on; each lasts until a round of it that began within came to its end."""

    def __init__(self, searches: list[Search], until: float) -> None:
        self.searches, self.seconds, self.until = searches, dict[str, float](), until

    def __call__(self, name: str) -> "Phases":
        for search in self.searches:
            search.phase = name
        self._name, self._began = name, time.monotonic()
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.seconds[self._name] = round(time.monotonic() - self._began, 1)
        left = max(self.until - time.monotonic(), 30)
        wait_until("it was searched", lambda: all(search.during[self._name] for search in self.searches), left)


def wait_until(what: str, is_so: Any, within: float, every: float = 0.2) -> bool:
    until = time.monotonic() + within
    while not is_so():
        if time.monotonic() > until:
            print(f"It did not come about in time that {what}.", flush=True)
            return False
        time.sleep(every)
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("megabytes", type=int, nargs="?", default=500)
    parser.add_argument("--most", type=float, default=480)
    parser.add_argument("--plant", action="store_true")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.megabytes, given.most, given.plant, given.keep))
