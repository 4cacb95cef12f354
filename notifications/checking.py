"""What keeps an edition from being sent, said in words: beside the text while it is written, and at submission.

Five groups: the law, true, clear, not a scam (lint/), and works, which is looked at here. Clear advises; a fault of the
others blocks. A fault of *works* means that messages cannot be made; any other may be overruled in writing by somebody
who wrote none of it, for exactly these words.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.core.exceptions import ValidationError

from breachdesk.accounts.models import Organisation
from breachdesk.incidents.kinds import KINDS, PHRASED
from notifications.editions import genuine_address, layout_of, vocabulary_of
from notifications.known import facts_of, known_of
from notifications.laws import laws_for
from notifications.lint import Finding, Group
from notifications.lint.clarity import clarity_findings
from notifications.lint.law import Around, Law, law_findings
from notifications.lint.passages import Text, passages_of
from notifications.lint.scam import Sender, domain_of, scam_findings
from notifications.lint.truth import Known, mentions_in, truth_findings
from notifications.models import Edition, Override
from notifications.placeholders import ENCODED_WORD, LIST_FIELD, PERSON_FIELDS, Problem, ValueRefused, mark_source
from notifications.recipients import (
    Likeness,
    combinations_of,
    likenesses_of,
    remembered_likenesses,
    remembered_residents,
    residents_of,
)
from notifications.rendering import CODE, MAX_BYTES, Recipient, Skeleton, render_message
from notifications.sender_domain import domain_findings, look_up
from notifications.verification_codes import SAMPLE
from notifications.wording import (
    Compiled,
    Vocabulary,
    WordingError,
    compile_message,
    missing_fields,
    parse,
    parse_subject,
    text_digest,
)

NEEDED_OF_ORGANISATION = {
    "short_name": "the short name",
    "sender_email": "the sender's address",
    "reply_to": "the address for answers",
    "dpo_name": "the data protection officer's name",
    "dpo_email": "the data protection officer's email address",
}
# A made-up person for previews and sizes. Nobody real is shown unless somebody asks for it, and that is recorded.
MADE_UP = {
    "first name": "Anwen",
    "last name": "Example-Thorvaldsen",
    "full name": "Anwen Example-Thorvaldsen",
    "reference": "EXAMPLE-0001",
    CODE: SAMPLE,
}
NOBODY = "Nobody would get this edition: nobody with an email address reads it and was not sent another one."
_NO_DELIVERY = UUID(int=0)


GROUPS = {
    Group.LAW: "The law",
    Group.TRUE: "True",
    Group.SCAM: "Not a scam",
    Group.CLEAR: "Clear",
}


@dataclass(frozen=True)
class Looked:
    """One group of the panel: what is wrong first, then what to look at, then what is in order."""

    group: Group
    label: str
    findings: tuple[Finding, ...]
    overruled: tuple[tuple[Finding, Override], ...] = ()

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.is_fault)

    @property
    def to_look_at(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.level == "look")

    @property
    def in_order(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.level == "yes")


@dataclass(frozen=True)
class Check:
    """Everything found, in the order in which a person would mend it."""

    people: int = 0
    lacking: list[str] = field(default_factory=list)
    subject_problems: tuple[Problem, ...] = ()
    body_problems: tuple[Problem, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    unnamed_kinds: dict[str, int] = field(default_factory=dict)
    size: int = 0
    size_problem: str = ""
    links: tuple[str, ...] = ()
    combinations: int = 0
    findings: tuple[Finding, ...] = ()
    overrides: Mapping[str, Override] = field(default_factory=dict)

    @property
    def works_problems(self) -> int:
        found = [*self.lacking, *self.subject_problems, *self.body_problems, *self.missing]
        return len(found) + bool(self.size_problem)

    @property
    def faults(self) -> list[Finding]:
        """Of law, truth and scam, without what somebody overruled."""
        return [one for one in self.findings if one.is_fault and one.key not in self.overrides]

    @property
    def problems(self) -> int:
        return self.works_problems + len(self.faults)

    @property
    def groups(self) -> list[Looked]:
        return [self._group(group, label) for group, label in GROUPS.items()]

    def _group(self, group: Group, label: str) -> Looked:
        found = [one for one in self.findings if one.group == group]
        standing = tuple(one for one in found if not (one.is_fault and one.key in self.overrides))
        overruled = tuple((one, self.overrides[one.key]) for one in found if one not in standing)
        return Looked(group, label, standing, overruled)

    @property
    def share_of_size(self) -> int:
        return 100 * self.size // MAX_BYTES

    def sentences(self) -> list[str]:
        """One per fault, as a refusal says it."""
        said = [f"Subject: {problem.sentence}" for problem in self.subject_problems]
        said += [f"Line {p.line}, column {p.column}: {p.sentence}" for p in self.body_problems]
        said += [self.sentence_for_missing(name) for name in self.missing]
        if self.lacking:
            said.append(f"The organisation's page lacks {' and '.join(self.lacking)}. An administrator fills it in.")
        said += [self.size_problem] if self.size_problem else []
        return said + [_as_refusal(fault) for fault in self.faults]

    def sentence_for_missing(self, name: str) -> str:
        number = self.missing[name]
        people = "person has" if number == 1 else "people have"
        return f"{number:,} {people} no usable value for (({name})). Give a default: (({name}|customer))."


def check(edition: Edition, organisation: Organisation, *, subject: str, body: str, fresh: bool = False) -> Check:
    """`fresh` reads everybody's data again; otherwise what this process remembers of the same list will do."""
    alike = likenesses_of(edition) if fresh else remembered_likenesses(edition)
    lacking = [words for name, words in NEEDED_OF_ORGANISATION.items() if not getattr(organisation, name)]
    if ENCODED_WORD in f"{organisation.sender_name} {organisation.short_name}":
        lacking.append(f"a name without {ENCODED_WORD}, which mail programs read as letters of their own")
    vocabulary = vocabulary_of(edition, organisation)
    found = Check(
        people=sum(alike.values()),
        lacking=lacking,
        unnamed_kinds=_unnamed_kinds(alike, edition.notice.incident.kinds),
        combinations=len({likeness.kinds for likeness in alike}),
        overrides=overrides_for(edition, subject, body),
    )
    combinations: Counter[tuple[str, ...]] = Counter()
    for likeness, number in alike.items():
        combinations[likeness.kinds] += number
    looked = findings_of(edition, organisation, subject, body, combinations, fresh=fresh)
    try:
        compiled = compile_message(subject, body, vocabulary)
    except WordingError:
        return replace(
            found,
            subject_problems=parse_subject(subject, vocabulary)[1],
            body_problems=parse(body, vocabulary).problems,
            findings=looked,
        )
    size, size_problem = (0, "") if lacking else _largest(Skeleton(compiled, layout_of(edition, organisation)), alike)
    return replace(
        found,
        body_problems=_untranslated(compiled),
        missing=_missing(compiled, alike),
        size=size,
        size_problem=size_problem,
        links=compiled.body.links,
        findings=looked,
    )


def findings_of(
    edition: Edition,
    organisation: Organisation,
    subject: str,
    body: str,
    combinations: Mapping[tuple[str, ...], int],
    *,
    fresh: bool = False,
) -> tuple[Finding, ...]:
    """What law, truth, scam and clarity say of these words, to people whose data held these kinds together."""
    vocabulary = vocabulary_of(edition, organisation)
    facts = facts_of(edition.notice.incident, fresh=fresh)
    residents = residents_of(edition) if fresh else remembered_residents(edition)
    found = look(
        text_of(subject, body, vocabulary),
        known=known_of(edition, organisation, facts),
        laws=laws_for(facts.laws, residents),
        sender=sender_of(organisation),
        combinations={frozenset(kinds): number for kinds, number in combinations.items()},
        kinds=frozenset(edition.notice.incident.kinds),
        links=parse(body, vocabulary).links,
    )
    return (*found, *domain_findings(domain_of(organisation.sender_email)))


def look(
    text: Text,
    *,
    known: Known,
    laws: Sequence[Law],
    sender: Sender,
    combinations: Mapping[frozenset[str], int],
    kinds: frozenset[str],
    links: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """A pure function of what is given."""
    mentions = mentions_in(text, known)
    around = Around(
        dpo_name=sender.dpo_name,
        dpo_email=sender.dpo_email,
        hotline=sender.hotline,
        reply_to=sender.reply_to,
        days_found={kind: mention.line for mention in mentions for kind in mention.day_of},
        count_line=next((one.line for one in mentions if one.kind == "number" and one.fact), 0),
    )
    return (
        *law_findings(text, laws, around, combinations),
        *truth_findings(text, known, combinations, kinds),
        *scam_findings(text, sender, links),
        *clarity_findings(text),
    )


def text_of(subject: str, body: str, vocabulary: Vocabulary) -> Text:
    marked = mark_source(body, fields=PERSON_FIELDS, constants=vocabulary.constants, kinds=vocabulary.kinds)
    line = parse_subject(subject, vocabulary)[0]
    return Text(vocabulary.language.split("-")[0], line, tuple(passages_of(marked)))


def sender_of(organisation: Organisation) -> Sender:
    return Sender(
        name=organisation.sender_name or organisation.short_name,
        email=organisation.sender_email,
        reply_to=organisation.reply_to,
        website=organisation.website,
        dpo_name=organisation.dpo_name,
        dpo_email=organisation.dpo_email,
        hotline=organisation.hotline,
        genuine_at=genuine_address(),
    )


def overrides_for(edition: Edition, subject: str, body: str) -> dict[str, Override]:
    """What somebody overruled for exactly these words, by the key of the check."""
    given = edition.overrides.in_force().select_related("given_by")
    digest = text_digest(subject, body)
    return {one.check_key: one for one in given if bytes(one.text_sha256) == digest}


def _as_refusal(fault: Finding) -> str:
    where = f"Line {fault.line}: " if fault.line else ""
    return f"{GROUPS[Group(fault.group)]}. {where}{fault.sentence}"


def review_of(edition: Edition, organisation: Organisation) -> list[Looked]:
    """The groups as an approver reads them, of the text that is kept. Whether messages can be made was seen before."""
    look_up(domain_of(organisation.sender_email))
    found = findings_of(edition, organisation, edition.subject, edition.body, combinations_of(edition))
    return Check(findings=found, overrides=overrides_for(edition, edition.subject, edition.body)).groups


def refuse_what_cannot_be_sent(edition: Edition, organisation: Organisation) -> None:
    found = check(edition, organisation, subject=edition.subject, body=edition.body, fresh=True)
    if not found.people:
        raise ValidationError(NOBODY)
    if found.problems:
        raise ValidationError(found.sentences())


def _missing(compiled: Compiled, alike: Counter[Likeness]) -> dict[str, int]:
    missing: Counter[str] = Counter()
    for likeness, number in alike.items():
        for name in missing_fields(compiled, dict.fromkeys(likeness.usable, "x"), likeness.kinds):
            missing[name] += number
    return dict(missing.most_common())


def _unnamed_kinds(alike: Counter[Likeness], named: Collection[str]) -> dict[str, int]:
    """Kinds of data, in words, that people's rows hold and the facts do not name. The people are told anyway."""
    unnamed: Counter[str] = Counter()
    for likeness, number in alike.items():
        for kind in (k for k in KINDS if k in likeness.kinds and k not in named):
            unnamed[KINDS[kind].label] += number
    return dict(unnamed.most_common())


def _untranslated(compiled: Compiled) -> tuple[Problem, ...]:
    language = compiled.vocabulary.language.split("-")[0]
    if language in PHRASED or LIST_FIELD not in {slot.name for slot in compiled.body.slots}:
        return ()
    words = f"(({LIST_FIELD})) has no words in this language. Write out what was taken, with conditions."
    return (Problem(1, 1, words),)


def _largest(skeleton: Skeleton, alike: Counter[Likeness]) -> tuple[int, str]:
    """The size of the largest message among all combinations of kinds, and a sentence if it is too large."""
    largest = 0
    for kinds in {likeness.kinds for likeness in alike} or {tuple(skeleton.compiled.vocabulary.kinds)}:
        size, problem = size_of(skeleton, kinds)
        if problem:
            return largest, problem
        largest = max(largest, size)
    return largest, ""


def size_of(skeleton: Skeleton, kinds: tuple[str, ...]) -> tuple[int, str]:
    """The bytes of the message for a made-up person with these kinds of data, or why there can be none."""
    person = Recipient(delivery=_NO_DELIVERY, address="somebody@example.com", kinds=kinds, values=MADE_UP)
    try:
        return len(render_message(skeleton, person, b"Thu, 01 Jan 1970 00:00:00 +0000")), ""
    except ValueRefused as refusal:
        return 0, str(refusal)
