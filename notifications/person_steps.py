"""What was done, step by step, to tell one person a notice: each try, a second address, letters."""

from dataclasses import dataclass
from datetime import datetime

from breachdesk.people.models import Person
from notifications.models import Attempt, Delivery, DeliveryDecision, Letter, LetterRun, Notice

State = Delivery.State
TRIED = {
    State.HANDED_OVER: "handed over",
    State.RETRY_WAIT: "put off by their mail server",
    State.REFUSED: "refused by their mail server",
    State.UNKNOWN: "contact lost at the last moment",
    State.BLOCKED: "stopped before it left",
}
DECIDED = {
    DeliveryDecision.Kind.RESEND: "Two colleagues had it sent again",
    DeliveryDecision.Kind.ASSUME_SENT: "Taken as sent by a colleague",
    DeliveryDecision.Kind.SECOND_ADDRESS: "A colleague had the second address tried",
    DeliveryDecision.Kind.TRY_AGAIN: "A colleague had it tried again",
    DeliveryDecision.Kind.GIVE_UP: "A colleague gave it up",
}


@dataclass(frozen=True)
class Step:
    at: datetime
    words: str


def steps_of(person: Person, notice: Notice, delivery: Delivery | None) -> list[Step]:
    """Oldest first. Nothing where one message simply left: that is said already."""
    tries = _tries(delivery) if delivery else []
    return sorted([*tries, *_letters(person, notice)], key=lambda step: step.at)


def _tries(delivery: Delivery) -> list[Step]:
    tries = Attempt.objects.filter(delivery=delivery).order_by("n", "closed_at")
    steps = [Step(one.closed_at, f"Try {one.n}: {_outcome(one)}") for one in tries]
    decision = delivery.decision
    if decision and decision.confirmed_at:
        steps.append(Step(decision.confirmed_at, DECIDED[DeliveryDecision.Kind(decision.kind)]))
    return steps


def _outcome(one: Attempt) -> str:
    answer = f"{one.code or ''} {one.enhanced}".strip()
    words = TRIED.get(State(one.outcome), one.outcome.replace("_", " "))
    return f"{words} ({answer})" if answer else words


def _letters(person: Person, notice: Notice) -> list[Step]:
    found = Letter.objects.filter(person=person, notice=notice).select_related("run")
    return [step for letter in found for step in _of_letter(letter)]


def _of_letter(letter: Letter) -> list[Step]:
    run = letter.run
    steps = [Step(run.made_at, "A letter was begun")]
    if letter.voided_at:
        words = "The letter was given up" if run.voided_at else "The letter could not be printed"
        steps.append(Step(letter.voided_at, words))
    elif run.state == LetterRun.State.POSTED and run.posted_at:
        steps.append(Step(run.posted_at, "The letter was posted"))
    return steps
