"""Is this message genuine? What anybody may be told: what we sent, from where and since when. Never to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from notifications.models import Delivery, Edition, Letter
from notifications.rendering import Skeleton
from notifications.verification_codes import index_of_typed, is_a_code, normal_code, shown

LISTED = 20
WORDS = Path(__file__).parent / "genuine_words.yaml"
Words = Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """A message as everybody got it: what may be compared with the one in hand."""

    subject: str
    sender: str
    links: list[str]
    since: datetime | None
    language: str


@dataclass(frozen=True)
class Answer:
    """`code` is what was typed, tidied, or nothing if it cannot be a code."""

    code: str
    messages: list[Sent]


def answer_to(typed: str) -> Answer:
    """The same queries and the same work for every text; a message counts once it was begun to be handed over, and a
    letter once it was posted."""
    normal, index = normal_code(typed), index_of_typed(typed)
    deliveries = Delivery.objects.on_the_wire().with_code(index).select_related("edition")[:LISTED]
    letters = Letter.objects.posted_with_code(index).select_related("run__edition")[:LISTED]
    found = [*(delivery.edition for delivery in deliveries), *(letter.run.edition for letter in letters)]
    editions = {edition.pk: edition for edition in found}
    return Answer(shown(normal) if is_a_code(normal) else "", [_sent(edition) for edition in editions.values()])


def what_was_sent() -> list[Sent]:
    return [_sent(edition) for edition in Edition.objects.begun().latest_begun_first()[:LISTED]]


def published_of(skeleton: Skeleton) -> dict[str, Any]:
    """What is kept with an edition when it is frozen, so that later changes of the organisation's page leave it."""
    return {
        "subject": skeleton.compiled.subject,
        "sender": skeleton.layout.sender_email,
        "links": list(skeleton.compiled.body.links),
    }


def _sent(edition: Edition) -> Sent:
    public = edition.published
    return Sent(
        public.get("subject", edition.subject),
        public.get("sender", ""),
        public.get("links", []),
        edition.started_at,
        edition.language,
    )


@cache
def all_words() -> Mapping[str, Words]:
    words: Mapping[str, Words] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words


def language_for(header: str) -> str:
    """The first language of an Accept-Language header that the page speaks; English if it names none."""
    wanted = (part.split(";")[0].strip().lower().split("-")[0] for part in header.split(","))
    return next((tag for tag in wanted if tag in all_words()), "en")
