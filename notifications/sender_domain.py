"""What the DNS says of the domain that notices come from: does it take mail, who may send for it, what of forgeries?

Sources: SPF (RFC 7208), DMARC (RFC 7489, section 6.3; its record is looked for upwards as the draft that follows it
says), null MX (RFC 7505). Our return path is of the sender's domain itself, so SPF aligns with the From. Asked when an
editor's page is opened, for two seconds in all, and remembered; nothing here ever blocks: the DNS is not our text.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache

from notifications.lint import Finding, Level

if TYPE_CHECKING:
    from dns.rdatatype import RdataType
    from dns.resolver import Answer, Resolver

LIFETIME = 2.0
"""Seconds that all questions about a domain may take together."""
KEPT, KEPT_WITHOUT_ANSWER = 3600, 300
RESERVED = ("test", "example", "invalid", "localhost", "example.com", "example.net", "example.org")
"""Names that nobody can own (RFC 2606): there is nobody to ask."""
_OTHERS_WIN = {"reject": "refuse", "quarantine": "put aside"}


@dataclass(frozen=True)
class Records:
    """What was found. `dmarc_at`: the domain, or the parent, whose record counts."""

    exists: bool = True
    mail_servers: tuple[str, ...] = ()
    spf: tuple[str, ...] = ()
    dmarc: tuple[str, ...] = ()
    dmarc_at: str = ""


def is_reserved(domain: str) -> bool:
    return any(domain == name or domain.endswith(f".{name}") for name in RESERVED)


def look_up(domain: str, asked: "Resolver | None" = None) -> None:
    """Remembers what the DNS says, an hour, or five minutes that it said nothing; asks nobody who was asked lately."""
    if not domain or is_reserved(domain) or cache.get(_key(domain)) is not None:
        return
    from dns import exception, resolver

    try:
        cache.set(_key(domain), records_of(domain, asked or resolver.get_default_resolver()), KEPT)
    except (exception.DNSException, OSError):
        cache.set(_key(domain), "no answer", KEPT_WITHOUT_ANSWER)


def domain_findings(domain: str) -> list[Finding]:
    """Of what is remembered; nothing is asked here, since somebody is typing."""
    if not domain:
        return []
    if is_reserved(domain):
        return [_unseen(domain, "a name kept for examples, of which nobody can ask")]
    found = cache.get(_key(domain))
    return findings_of(domain, found) if isinstance(found, Records) else [_unseen(domain, "no answer")]


def findings_of(domain: str, records: Records) -> list[Finding]:
    if not records.exists:
        sentence = f"The domain {domain} does not exist in the DNS."
        return [_look("missing", sentence, "Correct the sender’s address, or have the domain set up")]
    return [*_mail_servers(domain, records), *_spf(domain, records), *_dmarc(domain, records)]


def records_of(domain: str, asked: "Resolver") -> Records:
    """Raises DNSException if one of the questions gets no answer in time."""
    from dns.rdatatype import MX
    from dns.resolver import NXDOMAIN

    ask = _Asker(asked)
    try:
        servers = tuple(str(one.exchange) for one in ask(domain, MX))
    except NXDOMAIN:
        return Records(exists=False)
    spf = tuple(text for text in ask.texts(domain) if text.lower().split(" ")[0] == "v=spf1")
    for parent in _upwards(domain):
        if dmarc := tuple(text for text in ask.texts(f"_dmarc.{parent}") if text.lower().startswith("v=dmarc1")):
            return Records(True, servers, spf, dmarc, parent)
    return Records(True, servers, spf)


class _Asker:
    """All questions about one domain, within one lifetime."""

    def __init__(self, asked: "Resolver") -> None:
        self.asked, self.until = asked, time.monotonic() + LIFETIME

    def __call__(self, name: str, kind: "RdataType") -> "Answer | tuple[()]":
        from dns.resolver import NoAnswer

        try:
            return self.asked.resolve(f"{name}.", kind, lifetime=max(0.01, self.until - time.monotonic()))
        except NoAnswer:
            return ()

    def texts(self, name: str) -> list[str]:
        from dns.rdatatype import TXT
        from dns.resolver import NXDOMAIN

        try:
            return [b"".join(one.strings).decode("ascii", "replace").strip() for one in self(name, TXT)]
        except NXDOMAIN:
            return []


def _upwards(domain: str) -> Iterator[str]:
    """The domain and its parents, without the last label, which is a country or the like."""
    labels = domain.split(".")
    for first in range(min(len(labels) - 1, 5)):
        yield ".".join(labels[first:])


def _mail_servers(domain: str, records: Records) -> Iterator[Finding]:
    if records.mail_servers == (".",):
        sentence = f"{domain} says that it takes no mail: answers and failures that come back are lost."
        yield _look("mx", sentence, "Give it a mail server (MX), or send from another domain of yours")
    elif not records.mail_servers:
        sentence = f"{domain} names no mail server: answers and failures that come back may be lost."
        yield _look("mx", sentence, "Give it one (an MX record)")
    else:
        yield _good("mx", f"{domain} takes mail", f"By {records.mail_servers[0].rstrip('.')}")


def _spf(domain: str, records: Records) -> Iterator[Finding]:
    ends = records.spf[0].lower().split()[-1] if records.spf else ""
    if not records.spf:
        sentence = f"{domain} does not say who may send for it (no SPF record)."
        yield _look("spf", sentence, "Publish one that names your mail relay, or many mailboxes refuse the message")
    elif len(records.spf) > 1:
        sentence = f"{domain} has {len(records.spf)} SPF records, and only one counts: mailboxes read that as an error."
        yield _look("spf", sentence, "Make one record of them")
    elif ends in ("all", "+all"):
        yield _look("spf", f"{domain} lets everybody send for it (its SPF record ends in {ends}).", "End it in -all")
    else:
        yield _good("spf", f"{domain} says who may send for it", records.spf[0])


def _dmarc(domain: str, records: Records) -> Iterator[Finding]:
    policy = _policy(domain, records)
    if len(records.dmarc) != 1:
        number = "no" if not records.dmarc else len(records.dmarc)
        sentence = f"{domain} has {number} DMARC record{'' if not records.dmarc else 's, and only one counts'}."
        yield _look("dmarc", sentence, "Publish one: large mailboxes ask for it of whoever writes to many")
    elif policy not in ("none", *_OTHERS_WIN):
        sentence = f"The DMARC record of {records.dmarc_at} has no policy that anybody understands."
        yield _look("dmarc", sentence, "It needs p=none, p=quarantine or p=reject")
    elif policy == "none":
        sentence = f"{domain} asks nobody to refuse forgeries of it (DMARC p=none)."
        yield _look("dmarc", sentence, "Once your relay signs for it, publish p=quarantine")
    elif len(records.spf) != 1:
        sentence = f"{domain} asks mailboxes to {_OTHERS_WIN[policy]} what is not proved, and SPF proves nothing of it."
        yield _look("dmarc", sentence, "Unless your relay signs with DKIM for this domain, nobody gets the message")
    else:
        note = f"DMARC p={policy}, of {records.dmarc_at}. Our return path is of the same domain as the From: SPF aligns"
        yield _good("dmarc", f"{domain} asks mailboxes to {_OTHERS_WIN[policy]} forgeries", note)


def _policy(domain: str, records: Records) -> str:
    """That of the record; if it stands at a parent, the one for what is below it comes first."""
    if len(records.dmarc) != 1:
        return ""
    pairs = (pair.partition("=") for pair in records.dmarc[0].split(";"))
    tags = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
    below = tags.get("sp", "") if records.dmarc_at != domain else ""
    return below or tags.get("p", "")


def _unseen(domain: str, why: str) -> Finding:
    return _look("unseen", f"The domain records of {domain} were not looked at: {why}.", "Mail servers look at them")


def _look(what: str, sentence: str, note: str) -> Finding:
    return Finding(f"scam.domain.{what}", Level.LOOK, sentence, note)


def _good(what: str, sentence: str, note: str) -> Finding:
    return Finding(f"scam.domain.{what}", Level.GOOD, sentence, note)


def _key(domain: str) -> str:
    return f"sender-domain:{domain}"
