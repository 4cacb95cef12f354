"""What a Postfix writes into its log about messages of ours: invented machines and addresses, real shapes of lines."""

from datetime import datetime
from uuid import UUID

from notifications.verp import return_path_of

DOMAIN = "halden-rowe.example"
SENT = "relay=mx.example.com[192.0.2.7]:25, delay=1.1, delays=0/0/0.4/0.7, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
BOUNCED = (
    "relay=mx.example.com[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host said: 550 5.1.1 …)"
)
DEFERRED = "relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, status=deferred (connect to mx.example.com: timed out)"
FILTERED = "relay=127.0.0.1[127.0.0.1]:10025, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 queued as 4F2)"


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def named(queue: str, delivery: UUID, at: str, domain: str = DOMAIN) -> str:
    return f"{at} relay postfix/cleanup[311]: {queue}: message-id=<{delivery}@{domain}>\n"


def taken(queue: str, delivery: UUID, at: str, generation: int = 0, sender: str = "") -> str:
    address = sender or return_path_of(delivery, generation, DOMAIN).decode()
    return f"{at} relay postfix/qmgr[190]: {queue}: from=<{address}>, size=9102, nrcpt=1 (queue active)\n"


def ended(queue: str, at: str, how: str) -> str:
    return f"{at} relay postfix/smtp[402]: {queue}: to=<somebody@example.com>, {how}\n"


def removed(queue: str, at: str) -> str:
    return f"{at} relay postfix/qmgr[190]: {queue}: removed\n"


def whole(queue: str, delivery: UUID, at: str, how: str = SENT, generation: int = 0) -> str:
    lines = [named(queue, delivery, at), taken(queue, delivery, at, generation), ended(queue, at, how)]
    return "".join([*lines, removed(queue, at)])
