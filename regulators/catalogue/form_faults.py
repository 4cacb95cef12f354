"""What is wrong with a form that its shape cannot know: its questions among each other, and the facts there are."""

from collections.abc import Iterator, Mapping

from regulators.catalogue.schema import Comparison, Form, Question


def faults_of_form(form: Form, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Key and reason of each."""
    earlier: dict[str, Question] = {}
    for question in form.questions:
        if question.key in earlier:
            yield question.key, "two questions have this key"
        if question.fact and question.fact not in facts:
            yield f"{question.key}.fact", f"facts.yaml has no {question.fact}"
        for name in ("asked_when", "required_when"):
            condition = getattr(question, name)
            for compared in condition.comparisons() if condition else ():
                reasons = _faults_of_comparison(compared, earlier, facts)
                yield from ((f"{question.key}.{name}", reason) for reason in reasons)
        earlier[question.key] = question


def _faults_of_comparison(
    compared: Comparison, earlier: Mapping[str, Question], facts: Mapping[str, str]
) -> Iterator[str]:
    if compared.fact and compared.fact not in facts:
        yield f"facts.yaml has no {compared.fact}"
    if not compared.question:
        return
    asked = earlier.get(compared.question)
    if asked is None:
        # Only questions before it: then one pass from top to bottom decides what is asked.
        yield f"there is no earlier question {compared.question}"
    elif asked.values:
        yield from (
            f"{asked.key} has no choice {value}" for value in compared.compared_with if value not in asked.values
        )
