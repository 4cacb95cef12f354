"""Whether anything hangs on the people of an upload, asked of the apps above, which register how they know."""

from collections.abc import Callable

from breachdesk.people.models import Upload

Why = Callable[[Upload], str]
_answers: list[Why] = []


def answers_in_use(answer: Why) -> Why:
    """For a function that gives a sentence why the upload cannot be undone, or nothing."""
    _answers.append(answer)
    return answer


def why_in_use(upload: Upload) -> str:
    return next((sentence for answer in _answers if (sentence := answer(upload))), "")
