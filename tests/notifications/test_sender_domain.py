"""What the DNS says of the sender's domain: asked of a real server on this machine, in two seconds in all, and kept."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from django.core.cache import cache
from dns.resolver import Resolver

from notifications.lint import Finding
from notifications.sender_domain import LIFETIME, domain_findings, findings_of, look_up, records_of
from tests.notifications.noticing import Case, draft, findings

MAIL = {("shop.tld", "MX"): ["10 mx.shop.tld."]}
SPF = {("shop.tld", "TXT"): ['"site-verification=1"', '"v=spf1 include:relay.tld" " -all"']}
DMARC = {("_dmarc.shop.tld", "TXT"): ['"v=DMARC1; p=reject; sp=quarantine"']}
Zone = dict[tuple[str, str], list[str]]


class Server:
    """A name server over UDP. What it does not know does not exist; `silent` answers nothing at all."""

    def __init__(self, zone: Zone, *, silent: bool = False) -> None:
        self.zone, self.silent, self.asked = zone, silent, list[str]()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.resolver = Resolver(configure=False)
        self.resolver.nameservers, self.resolver.port = ["127.0.0.1"], self.socket.getsockname()[1]

    def serve(self) -> None:
        while (packet := self.socket.recvfrom(4096))[0] != b"end":
            query = dns.message.from_wire(packet[0])
            name, kind = query.question[0].name.to_text(omit_final_dot=True), query.question[0].rdtype.name
            self.asked.append(f"{name} {kind}")
            if not self.silent:
                self.socket.sendto(self._answer(query, name, kind).to_wire(), packet[1])

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found := self.zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *found))
        elif name not in {known for known, _ in self.zone}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@contextmanager
def serving(zone: Zone, *, silent: bool = False) -> Iterator[Server]:
    server = Server(zone, silent=silent)
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", server.socket.getsockname())
        thread.join()
        server.socket.close()


@pytest.fixture
def kept_in_memory(settings: Any) -> Iterator[None]:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    yield
    cache.clear()


def found_of(zone: Zone, domain: str = "shop.tld") -> dict[str, Finding]:
    with serving(zone) as server:
        return {one.key.rpartition(".")[2]: one for one in findings_of(domain, records_of(domain, server.resolver))}


def levels(zone: Zone, domain: str = "shop.tld") -> dict[str, str]:
    return {what: str(one.level) for what, one in found_of(zone, domain).items()}


def test_a_domain_with_all_three_is_in_order() -> None:
    found = found_of(MAIL | SPF | DMARC)
    assert {what: str(one.level) for what, one in found.items()} == {"mx": "yes", "spf": "yes", "dmarc": "yes"}
    assert found["mx"].note == "By mx.shop.tld"
    assert found["spf"].note == "v=spf1 include:relay.tld -all"
    assert found["dmarc"].sentence == "shop.tld asks mailboxes to refuse forgeries"


@pytest.mark.parametrize(
    ("changed", "what", "said"),
    [
        ({("shop.tld", "MX"): []}, "mx", "names no mail server"),
        ({("shop.tld", "MX"): ["0 ."]}, "mx", "says that it takes no mail"),
        ({("shop.tld", "TXT"): ['"v=spf10 -all"']}, "spf", "does not say who may send for it"),
        ({("shop.tld", "TXT"): ['"v=spf1 a -all"', '"V=SPF1 mx -all"']}, "spf", "has 2 SPF records"),
        ({("shop.tld", "TXT"): ['"v=spf1 +all"']}, "spf", "lets everybody send for it"),
        ({("_dmarc.shop.tld", "TXT"): []}, "dmarc", "has no DMARC record."),
        ({("_dmarc.shop.tld", "TXT"): ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}, "dmarc", "has 2 DMARC records"),
        ({("_dmarc.shop.tld", "TXT"): ['"v=DMARC1; p=none"']}, "dmarc", "asks nobody to refuse forgeries"),
        ({("_dmarc.shop.tld", "TXT"): ['"v=DMARC1; rua=mailto:a@shop.tld"']}, "dmarc", "no policy that anybody"),
        ({("shop.tld", "TXT"): []}, "dmarc", "asks mailboxes to refuse what is not proved, and SPF proves nothing"),
    ],
)
def test_what_is_wrong_is_said_and_blocks_nothing(changed: Zone, what: str, said: str) -> None:
    one = found_of(MAIL | SPF | DMARC | changed)[what]
    assert said in one.sentence
    assert one.note
    assert one.level == "look"


def test_a_record_of_the_parent_counts_with_its_policy_for_what_is_below() -> None:
    below = {("news.shop.tld", "MX"): ["10 mx.shop.tld."], ("news.shop.tld", "TXT"): ['"v=spf1 a -all"']}
    found = found_of(MAIL | DMARC | below, "news.shop.tld")
    assert found["dmarc"].sentence == "news.shop.tld asks mailboxes to put aside forgeries"
    assert "of shop.tld" in found["dmarc"].note


def test_a_domain_that_does_not_exist_is_told_as_that() -> None:
    assert levels({}) == {"missing": "look"}


def test_it_is_asked_once_an_hour_and_never_while_somebody_types(kept_in_memory: None) -> None:
    assert [one.sentence for one in domain_findings("shop.tld")] == [
        "The domain records of shop.tld were not looked at: no answer."
    ]
    with serving(MAIL | SPF | DMARC) as server:
        look_up("shop.tld", server.resolver)
        asked = len(server.asked)
        look_up("shop.tld", server.resolver)
        assert (asked, len(server.asked)) == (3, 3)
    assert {str(one.level) for one in domain_findings("shop.tld")} == {"yes"}


def test_no_answer_takes_two_seconds_in_all_and_is_remembered(kept_in_memory: None) -> None:
    with serving({}, silent=True) as server:
        began = time.monotonic()
        look_up("shop.tld", server.resolver)
        assert time.monotonic() - began < 5 * LIFETIME  # generous: one silent question alone could take thirty
        asked = len(server.asked)
        look_up("shop.tld", server.resolver)
        assert len(server.asked) == asked
    assert [one.key for one in domain_findings("shop.tld")] == ["scam.domain.unseen"]


@pytest.mark.parametrize("domain", ["halden-rowe.example", "news.example.com", "relay.test", "localhost"])
def test_names_that_nobody_can_own_are_not_asked_about(domain: str, kept_in_memory: None) -> None:
    with serving({}) as server:
        look_up(domain, server.resolver)
        assert server.asked == []
    assert "a name kept for examples" in domain_findings(domain)[0].sentence


def test_everybody_gets_a_code_and_where_to_type_it_is_compared_with_the_website() -> None:
    subject, body = draft("en")
    for address, level in (("ask.halden-rowe.example:8443/genuine", "yes"), ("10.1.2.3:8000/genuine", "look")):
        found = findings("en", subject, body, Case().with_sender(genuine_at=address))
        assert [(str(one.level), address in one.sentence + one.note) for one in found if one.key == "scam.code"] == [
            (level, True)
        ]
