"""How long one person's message takes to become bytes, beside Django's templates, Jinja2 and django-post-office.

    python -m tests.bench.rendering [--people N] [--rounds N] [--keep]

The demo's notice with three conditions, as HTML and as text, for the same invented people, in one run and taking turns.
Each is given what helps it: its templates compiled once where it keeps them, the list of kinds in words, the date and
the Message-ID ready, no database. All of them end in the bytes of a whole message, read again afterwards: the text of
every part is the same.

- ours: render_message(), from values to bytes.
- django: two compiled templates, EmailMultiAlternatives, message().as_bytes().
- jinja2: two compiled templates, then as django.
- post_office: its own create() from a template, and its own message; it compiles for every person, as it does at work.
"""

import argparse
import email
import email.policy
import html
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from itertools import cycle, islice
from statistics import median
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import tests.typing_settings  # noqa: F401  throw-away values: nothing here needs a server

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"

from tests.bench.measuring import keep

if TYPE_CHECKING:
    from notifications.placeholders import Piece
    from notifications.rendering import Recipient, Skeleton

LEAST_TIMES_DJANGO = 10
DATE = "Sun, 22 Nov 2026 12:00:00 +0000"
CONDITIONS = """
((phone??Somebody may call you too. We never ask for anything on the telephone.))

((identity document??A copy of your **passport** was among it. You can ask for a new one, and we pay for it.

Until then, tell your bank.))

((password??Your password is reset. Choose another one wherever you used the same.))
"""
KINDS = (
    ("name", "email"),
    ("name", "email", "phone"),
    ("name", "email", "identity_document"),
    ("name", "email", "phone", "identity_document", "password"),
)
FIRST_NAMES = ("Ana", "Zoë", "Jürgen", "Siobhán O’Neill", "", "Tom & Jo")


@dataclass(frozen=True)
class Case:
    skeleton: "Skeleton"
    people: list["Recipient"]
    lists: dict[tuple[str, ...], str]
    """Kinds of data together, in words."""


Way = Callable[["Recipient"], bytes]


def main(people: int, rounds: int, is_kept: bool) -> int:
    import django

    django.setup()
    case = case_of(people)
    ways: dict[str, Way] = {
        "ours": ours(case),
        "django": django_templates(case),
        "jinja2": jinja_templates(case),
        "post_office": post_office(case),
    }
    compare(case, ways)
    times = {name: median(found) for name, found in taking_turns(case, ways, rounds).items()}
    results: dict[str, Any] = {"people": people, "rounds": rounds, "bytes": len(ways["ours"](case.people[0]))}
    for name, seconds in times.items():
        results[name] = {"p50_us": round(seconds * 1e6, 1), "times_ours": round(seconds / times["ours"], 1)}
    results["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(results, indent=1))
    if is_kept:
        keep("rendering", results)
    return 0 if results["django"]["times_ours"] >= LEAST_TIMES_DJANGO else 1


def case_of(people: int) -> Case:
    from breachdesk.embedded.story import words
    from breachdesk.incidents.kinds import KINDS as ALL_KINDS
    from notifications.rendering import CODE, Layout, Recipient, Skeleton
    from notifications.verification_codes import SAMPLE
    from notifications.wording import Vocabulary, compile_message

    subject, body = words.notice_text("en")
    said = words.ORGANISATION
    constants = {
        "hotline": said["hotline"],
        "website": said["website"],
        "dpo name": said["dpo_name"],
        "dpo email": said["dpo_email"],
        "case reference": "BD-2026-0001",
        "processor": "Larkfield Parcels",
        "organisation": said["short_name"],
    }
    vocabulary = Vocabulary(constants, {key: kind.phrase_in("en") for key, kind in ALL_KINDS.items()}, (), "en")
    layout = Layout(
        organisation=said["short_name"],
        postal_address=said["address"],
        sender_name=said["sender_name"],
        sender_email=said["sender_email"],
        reply_to=said["reply_to"],
        feedback_id="BD-2026-0001:1:notice:breachdesk",
        language="en",
        genuine_at="halden-rowe.example/genuine",
    )
    made = Skeleton(compile_message(subject, f"{body}\n{CONDITIONS}", vocabulary), layout)
    named = islice(cycle(FIRST_NAMES), people)
    made_up = [
        Recipient(UUID(int=n), f"person{n}@example.com", kinds, {"first name": name, CODE: SAMPLE})
        for n, (name, kinds) in enumerate(zip(named, cycle(KINDS), strict=False))
    ]
    return Case(made, made_up, {kinds: made.compiled.data_list(kinds) for kinds in KINDS})


def taking_turns(case: Case, ways: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Seconds for one person, in each round."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            for person in case.people:
                way(person)
            times[name].append((time.perf_counter() - began) / len(case.people))
    return times


def compare(case: Case, ways: dict[str, Way]) -> None:
    """Every kind of person once: the same words in both parts, and the same headers that a person sees."""
    for person in case.people[:24]:
        read = {name: _read(way(person)) for name, way in ways.items()}
        for name, found in read.items():
            assert found == read["ours"], f"{name} says something else to {person.address}"


def _read(message: bytes) -> list[str]:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    words = [_content(parsed, kind) for kind in ("plain", "html")]
    headers = [str(parsed[name]) for name in ("From", "To", "Subject", "Date", "Message-ID")]
    return [*headers, words[0], html.unescape(words[1])]


def _content(parsed: EmailMessage, kind: Literal["plain", "html"]) -> str:
    part = parsed.get_body((kind,))
    assert part
    return str(part.get_content()).replace("\r\n", "\n").rstrip("\n")


# The four


def ours(case: Case) -> Way:
    from notifications.rendering import render_message

    date = DATE.encode()
    return lambda person: render_message(case.skeleton, person, date)


def django_templates(case: Case) -> Way:
    from django.template import Context, Template

    page, words = Template(html_template(case, DJANGO)), Template(text_template(case, DJANGO))

    def render(person: "Recipient") -> bytes:
        context = Context(context_of(case, person))
        return mime(case, person, words.render(context), page.render(context))

    return render


def jinja_templates(case: Case) -> Way:
    import jinja2

    page = jinja2.Environment(autoescape=True, keep_trailing_newline=True).from_string(html_template(case, JINJA))
    plain = jinja2.Environment(autoescape=False, keep_trailing_newline=True)
    words = plain.from_string(text_template(case, JINJA))

    def render(person: "Recipient") -> bytes:
        context = context_of(case, person)
        return mime(case, person, words.render(context), page.render(context))

    return render


def post_office(case: Case) -> Way:
    from post_office.mail import create
    from post_office.models import Email, EmailTemplate

    template = EmailTemplate(
        subject=case.skeleton.compiled.subject,
        content=text_template(case, DJANGO),
        html_content=html_template(case, DJANGO),
    )
    none = Email.objects.none()

    def render(person: "Recipient") -> bytes:
        made = create(
            sender=sender_of(case),
            recipients=[person.address],
            template=template,
            context=context_of(case, person),
            headers=headers_of(case, person),
            commit=False,
        )
        made.pk, made._prefetched_objects_cache = 1, {"attachments": none}  # it would ask the database for attachments
        return bytes(made.prepare_email_message().message().as_bytes())

    return render


def mime(case: Case, person: "Recipient", words: str, page: str) -> bytes:
    from django.core.mail import EmailMultiAlternatives

    message = EmailMultiAlternatives(
        case.skeleton.compiled.subject, words, sender_of(case), [person.address], headers=headers_of(case, person)
    )
    message.attach_alternative(page, "text/html")
    return bytes(message.message().as_bytes())


def sender_of(case: Case) -> str:
    return f"{case.skeleton.layout.sender_name} <{case.skeleton.layout.sender_email}>"


def headers_of(case: Case, person: "Recipient") -> dict[str, str]:
    layout = case.skeleton.layout
    return {
        "Date": DATE,
        "Message-ID": f"<{person.delivery}@{layout.domain}>",
        "Reply-To": f"{layout.organisation} <{layout.reply_to}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Feedback-ID": layout.feedback_id,
        "Content-Language": layout.language,
    }


# The same pieces, as templates


@dataclass(frozen=True)
class Dialect:
    value: str
    default: str


DJANGO = Dialect("{{{{ {} }}}}", '{{{{ {}|default:"{}" }}}}')
JINJA = Dialect("{{{{ {} }}}}", '{{{{ {} or "{}" }}}}')


def html_template(case: Case, dialect: Dialect) -> str:
    return "".join(_written(case.skeleton.html_pieces, dialect))


def text_template(case: Case, dialect: Dialect) -> str:
    words = "".join(_written(case.skeleton.text_pieces, dialect))
    return f"{{% autoescape off %}}{words}{{% endautoescape %}}" if dialect is DJANGO else words


def _written(pieces: "Iterable[Piece]", dialect: Dialect) -> Iterable[str]:
    from notifications.placeholders import Choice, Slot

    for piece in pieces:
        if isinstance(piece, Slot):
            name = piece.name.replace(" ", "_")
            yield dialect.default.format(name, piece.default) if piece.default else dialect.value.format(name)
        elif isinstance(piece, Choice):
            yield f"{{% if {piece.kind} %}}"
            yield from _written(piece.pieces, dialect)
            yield "{% endif %}"
        else:
            assert not {"{{", "{%", "{#"} & {piece[n : n + 2] for n in range(len(piece))}
            yield piece


def context_of(case: Case, person: "Recipient") -> dict[str, Any]:
    values = {name.replace(" ", "_"): value for name, value in person.values.items()}
    return {**values, **dict.fromkeys(person.kinds, True), "data_list": case.lists[person.kinds]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.rounds, given.keep))
