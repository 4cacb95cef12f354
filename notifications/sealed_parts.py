"""Messages and letters are made of sealed people: no key goes under a send, or under letters before they are posted."""

from breachdesk.incidents.models import Incident
from breachdesk.incidents.sealed_parts import Part, sealed_part, stands_in_the_way
from notifications.models import Batch, Edition, LetterRun


@sealed_part
def letters_part(incident: Incident) -> Part:
    return Part(
        key="letters",
        label="Files of letters",
        number=sum(len(run.files) for run in LetterRun.objects.of_case(incident).standing()),
        loss="The letters as they were printed. How many they were, their digests and when they were posted stays.",
    )


@stands_in_the_way
def sends_under_way(incident: Incident) -> str:
    if Edition.objects.of(incident).under_way().exists() or Batch.objects.of_case_in_hand(incident.pk).exists():
        return "A notice is being sent, or stands still half-way: let it finish, or cancel it."
    return ""


@stands_in_the_way
def letters_under_way(incident: Incident) -> str:
    if LetterRun.objects.of_case(incident).unposted().exists():
        return "Letters are being made, or wait to be posted: note that they were, or give them up."
    return ""
