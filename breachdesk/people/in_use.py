"""Whether anything hangs on the people of an upload, asked of the apps above, which register how they
know in their `about_people.py`."""

from collections.abc import Callable

from django.utils.module_loading import autodiscover_modules

from breachdesk.people.models import Upload

Why = Callable[[Upload], str]
_answers: list[Why] = []


def answers_in_use(answer: Why) -> Why:
    """For a function that gives a sentence why the upload cannot be undone, or nothing."""
    _answers.append(answer)
    return answer


def why_in_use(upload: Upload) -> str:
    autodiscover_modules("about_people")
    return next((sentence for answer in _answers if (sentence := answer(upload))), "")
