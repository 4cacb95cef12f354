"""What an edition needs to become messages: its words, its layout and the constants that are the same for everybody."""

from urllib.parse import urlsplit

from django.conf import settings

from breachdesk.accounts.models import Organisation
from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident
from notifications.models import Edition
from notifications.rendering import Layout, Skeleton
from notifications.wording import Vocabulary, compile_message

CONSTANTS: dict[str, str] = {
    "organisation": "what people call you",
    "legal name": "the name in the company register",
    "hotline": "the telephone number for questions",
    "website": "your web address",
    "reply address": "where answers go",
    "dpo name": "the data protection officer's name",
    "dpo email": "the data protection officer's email address",
    "dpo phone": "the data protection officer's telephone number",
    "case reference": "the number of this incident",
    "processor": "the company where it happened",
}


def the_organisation() -> Organisation:
    """The one that works here; an unsaved, empty one before the first set-up."""
    return Organisation.objects.first() or Organisation()


def constants_of(incident: Incident, organisation: Organisation) -> dict[str, str]:
    constants = {
        "organisation": organisation.short_name,
        "legal name": organisation.legal_name,
        "hotline": organisation.hotline,
        "website": organisation.website,
        "reply address": organisation.reply_to,
        "dpo name": organisation.dpo_name,
        "dpo email": organisation.dpo_email,
        "dpo phone": organisation.dpo_phone,
        "case reference": incident.reference,
    }
    return constants | ({"processor": incident.processor} if incident.processor else {})


def vocabulary_of(edition: Edition, organisation: Organisation) -> Vocabulary:
    """Every kind of data has its words: a person's own row decides what was taken of them, not the incident's facts."""
    return Vocabulary(
        constants=constants_of(edition.notice.incident, organisation),
        kinds={key: kind.phrase_in(edition.language) for key, kind in KINDS.items()},
        domains=tuple(organisation.allowed_links),
        language=edition.language,
    )


def genuine_address() -> str:
    """Where anybody asks whether a message is ours, as it is typed."""
    origin = settings.BREACHDESK.public_url or settings.BREACHDESK.base_url
    return f"{urlsplit(origin).netloc}/genuine"


def layout_of(edition: Edition, organisation: Organisation) -> Layout:
    return Layout(
        organisation=organisation.short_name,
        postal_address=organisation.address,
        sender_name=organisation.sender_name or organisation.short_name,
        sender_email=organisation.sender_email,
        reply_to=organisation.reply_to,
        feedback_id=f"{edition.notice.incident.reference}:{str(edition.notice_id)[:8]}:notice:breachdesk",
        language=edition.language,
        genuine_at=genuine_address(),
    )


def skeleton_of(edition: Edition, organisation: Organisation | None = None) -> Skeleton:
    """The message of this edition, ready to be filled for one person. Raises WordingError for a faulty text."""
    organisation = organisation or the_organisation()
    compiled = compile_message(edition.subject, edition.body, vocabulary_of(edition, organisation))
    return Skeleton(compiled, layout_of(edition, organisation))
