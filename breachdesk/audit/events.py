"""EVENTS: every type of event, its sentence, and the keys it may carry.

A sentence follows the name of who did it: "Ines Okafor approved the English edition for 430,000 people". A {key} in it
must be given; `more` lists keys that may be given besides; `private` lists what a human typed or what names a person,
which is sealed apart and never stands in the trail's own bytes.
"""

import re
from collections.abc import Collection, Mapping

from breachdesk.audit.event_type import EventType
from breachdesk.audit.notice_events import NOTICE_EVENTS

EVENTS: dict[str, EventType] = {
    # Colleagues and settings
    "user.invited": EventType("invited a colleague as {roles}", private="name email"),
    "user.joined": EventType("accepted the invitation and set a password"),
    "user.signed_in": EventType("signed in"),
    "user.reset": EventType("sent a colleague a link for a new password"),
    "user.password_changed": EventType("set a new password"),
    "user.removed": EventType("removed a colleague", private="reason"),
    "user.readmitted": EventType("let a removed colleague in again as {roles}"),
    "user.roles_changed": EventType("changed a colleague's roles to {roles}", more="before"),
    "user.changed": EventType("changed a colleague's details", more="fields deputy", private="name email zone"),
    "roles.synced": EventType("wrote the roles to the database: {changes}"),
    "organisation.changed": EventType(
        "changed what is said about the organisation: {fields}",
        private="legal_name short_name address sector company_number ico_registration zone dpo_name dpo_email "
        "dpo_phone sender_name sender_email reply_to hotline website allowed_links languages deputy_after "
        "approvers_needed",
    ),
    "organisation.mail_tested": EventType("tried the mail set-up: {outcome}", more="code", private="answer"),
    "decision.asked": EventType("asked {asked} colleagues for a decision", more="permission kind users"),
    "decision.deputies_asked": EventType("asked {asked} deputies for a decision", more="permission kind users"),
    "decision.settled": EventType("settled a decision that was asked for", more="permission kind"),
    "key.created": EventType("made the data key that seals this case"),
    "key.shared": EventType("gave the data key its half outside the database"),
    "key.destroyed": EventType(
        "destroyed the data key; its personal data can never be read again",
        more="which people rejected matches trail receipts files signed_pdfs letters",
        private="reason",
    ),
    "index_key.destroyed": EventType(
        "destroyed the key of the index; whether an address was written to can never be told again", more="people"
    ),
    # The incident
    "incident.opened": EventType(
        "logged the incident {reference}",
        more="origin our_role kinds kinds_uncertain people_low people_high",
        private="title what_happened processor effects action_taken",
    ),
    "incident.facts_changed": EventType(
        "changed the facts: {fields}",
        more="origin our_role kinds kinds_uncertain people_low people_high",
        private="title what_happened processor effects action_taken reason",
    ),
    "moment.stated": EventType("stated when {kind}: {moment}", more="precision zone", private="basis"),
    "moment.corrected": EventType(
        "corrected when {kind}: {moment}",
        more="precision zone before before_precision before_zone replaces",
        private="basis reason",
    ),
    "incident.closed": EventType("closed the incident", private="reason"),
    "assessment.made": EventType(
        "assessed the risk to people: {level}", more="number method hundredths", private="note inputs"
    ),
    "notification.decided": EventType(
        "decided {answer} {about}", more="assessment facts replaces", private="reason"
    ),
    "incident.head": EventType("pinned the case's history at {inc_n} entries", more="inc_leaf"),
    # Affected people
    "upload.received": EventType(
        "handed in a file of affected people ({bytes} bytes)", more="sha256", private="filename"
    ),
    "mapping.saved": EventType("kept how the columns of one source are read", more="columns", private="name"),
    "mapping.removed": EventType("threw away a kept mapping of columns", private="name"),
    "upload.matched": EventType(
        "confirmed how the file is read: {columns} columns, {purpose}", more="encoding container stored",
        private="reason",
    ),
    "upload.checked": EventType(
        "read {rows} rows of the file: {people} new people, {rejected} rows rejected",
        more="duplicates without_email seconds rejected_root signals",
    ),
    "upload.failed": EventType("could not load the file: {why}", more="rows people", private="detail"),
    "upload.accepted": EventType(
        "accepted the list of {people} people", more="rejected duplicates without_email explained",
        private="explanations",
    ),
    "upload.loaded": EventType(
        "loaded {people} people from {rows} rows; {rejected} rows were rejected",
        more="duplicates without_email seconds changed withdrawn",
    ),
    "upload.discarded": EventType("discarded the file; nobody was added", more="rows people", private="reason"),
    "upload.undone": EventType("undid the taking in of {people} people", more="duplicates", private="reason"),
    "upload.left": EventType("took {people} people out again", more="changed rejected"),
    "rejected.downloaded": EventType("downloaded {rows} rejected rows", more="upload"),
    "people.revealed": EventType("looked at personal data of {count} people", more="people fields", private="reason"),
    "people.looking_began": EventType("said why they look at personal data", private="reason"),
    "people.searched": EventType("searched for a person and found {count}", more="people"),
    "people.count_stated": EventType(
        "stated how many people are affected: {estimate}", more="basis upload", private="source"
    ),
    "person.held": EventType("put a person on hold", more="until kind", private="reason"),
    "person.released": EventType("took a person off hold", more="ended", private="reason"),
    "people.held": EventType("put {people} people on hold", more="until kind placing", private="reason"),
    "people.released": EventType("took {people} people off hold", more="ended placing"),
    "people.export_asked": EventType("asked to export the data of {people} people", more="fields", private="reason"),
    "people.export_refused": EventType("refused an export of personal data", private="reason"),
    "people.export_withdrawn": EventType("withdrew a request to export personal data"),
    "people.export_approved": EventType("allowed an export of the data of {people} people", more="fields"),
    "people.export_made": EventType(
        "made the sealed file of an export with {people} people", more="bytes sha256 fields"
    ),
    "people.export_expired": EventType("deleted the file of an export: its day is over"),
    "people.exported": EventType(
        "exported the data of {people} people, sealed with a passphrase", more="bytes sha256 fields"
    ),
    # Keeping
    "retention.set": EventType(
        "set the day on which the personal data is destroyed", more="delete_on index_until", private="reason"
    ),
    "retention.held": EventType("put a legal hold on the case: nothing may be destroyed", private="reason"),
    "retention.released": EventType("lifted the legal hold", private="reason"),
    "destruction.asked": EventType(
        "asked to destroy {what}",
        more="people rejected matches trail receipts files signed_pdfs letters lapses_at",
        private="reason",
    ),
    "destruction.refused": EventType("refused to destroy {what}", private="reason"),
    "destruction.withdrawn": EventType("withdrew the request to destroy {what}"),
    "destruction.lapsed": EventType("let the request to destroy {what} lapse"),
    "destruction.confirmed": EventType(
        "confirmed the destruction of {what}",
        more="people rejected matches trail receipts files signed_pdfs letters not_before",
    ),
    "index.asked": EventType("asked whether we wrote to an address: {answer}", more="deliveries", private="reason"),
    "caller.answered": EventType("answered a caller: {count} people found", more="by_code people deliveries"),
    "caller.noted": EventType("noted what a caller said: {said}", private="words"),
    "caller.settled": EventType("settled what a caller said", private="words"),
    # Duties
    "fact.stated": EventType("said what laws ask about the case: {key}", more="value replaces", private="basis"),
    "position.stated": EventType(
        "said what laws ask about the organisation: {key}", more="value replaces", private="basis"
    ),
    "duty.met": EventType(
        "recorded that somebody was told under {regime} on {told_at}", more="duty place", private="how delay_reason"
    ),
    "deadline.warned": EventType(
        "reminded {asked} colleagues of deadlines: {warnings} warnings", more="users deputies"
    ),
    "calendar.made": EventType("made a private address for their calendar"),
    "calendar.revoked": EventType("revoked the private address of a calendar"),
    # Filings
    "filing.opened": EventType("opened the form {form}", more="form_version authority"),
    "filing.answered": EventType(
        "answered the form: {questions}", more="promised_on", private="answers"
    ),
    "filing.submitted_for_review": EventType("asked for sign-off of the form {form}", more="form_version authority"),
    "filing.followed_up": EventType("began version {number} of the form {form}", more="form_version authority"),
    "filing.sent_back": EventType("sent the form {form} back", more="form_version authority", private="reason"),
    "filing.signed_off": EventType(
        "signed off version {number} of the form {form}", more="form_version authority digest"
    ),
    "filing.exported": EventType(
        "exported version {number} of the form {form}",
        more="form_version authority state digest format bytes compared_with",
    ),
    "filing.submitted": EventType(
        "recorded that version {number} went to the authority on {submitted_at}",
        more="form form_version authority way",
        private="authority_reference delay_reason",
    ),
    # The trail itself
    "signing_key.made": EventType("made the key that signs the log", more="public_key key_id"),
    "key.rotated": EventType("changed the key that signs the log", more="public_key key_id old_key_id"),
    "checkpoint.refused": EventType("refused to sign the log: {why}", more="size last_size"),
    "signing.resumed": EventType(
        "let the signer go on from another state of the log: {why}", more="size last_size last_root"
    ),
    "trail.verified": EventType("had the trail verified: {verdict}", more="size root rule idx"),
    "privacy.erased": EventType("erased {count} sealed values of the trail", more="erased ground", private="requester"),
    "bundle.exported": EventType(
        "exported the evidence bundle", more="sections_digest whole with_private", private="recipient"
    ),
    "register.exported": EventType("exported the breach register: {rows} breaches", more="format digest bytes"),
    "report.exported": EventType("exported the evidence report", more="digest bytes"),
    "proof.exported": EventType("exported the proof of one notice", more="delivery batch digest"),
    # The installation
    "backup.made": EventType("made a backup", more="bytes files digest log_size keys"),
    "backup.restored": EventType("restored a backup", more="made_at digest log_size"),
    "clock.anomaly": EventType(
        "noticed that a clock is wrong: {kind}, by {seconds} seconds", more="first last seq_at"
    ),
    "heartbeat": EventType("was running", more="log_size"),
} | NOTICE_EVENTS  # fmt: skip

# What answers its user only once it stands under a checkpoint. The signer is rung for each, the view waits for it.
PROVEN_AT_ONCE = frozenset(
    {
        "user.invited",
        "user.removed",
        "user.readmitted",
        "user.roles_changed",
        "key.destroyed",
        "incident.closed",
        "incident.head",
        "edition.approved",
        "edition.glass_broken",
        "edition.amendment_approved",
        "edition.armed",
        "edition.disarmed",
        "edition.started",
        "edition.paused",
        "edition.resumed",
        "edition.cancelled",
        "filing.signed_off",
        "filing.exported",
        "filing.submitted",
        "privacy.erased",
        "bundle.exported",
        "signing_key.made",
        "key.rotated",
    }
)


class UnknownEventError(ValueError):
    """The event type, or one of its keys, is not registered in EVENTS."""


def checked_type(name: str, *, data: Collection[str], private: Collection[str]) -> EventType:
    """Raises UnknownEventError for an unknown type or key, and for a key the sentence needs that is missing."""
    kind = EVENTS.get(name)
    if kind is None:
        raise UnknownEventError(f"There is no event {name!r}. Register it in audit/events.py or notice_events.py.")
    _refuse_unknown(name, "data", set(data) - kind.allowed)
    _refuse_unknown(name, "private values", set(private) - kind.private_fields)
    if missing := kind.required - set(data):
        raise UnknownEventError(f"{name} needs {', '.join(sorted(missing))}: its sentence speaks of it.")
    return kind


def _refuse_unknown(name: str, what: str, unknown: set[str]) -> None:
    if unknown:
        raise UnknownEventError(
            f"{name} does not carry {what} named {', '.join(sorted(unknown))}. Add them to it where it is registered."
        )


# Codes, counts, ids, hashes and times. No spaces, no @: what a human typed belongs into private=.
CODE = re.compile(r"(?:[A-Za-z0-9_+-][A-Za-z0-9_.:/+=-]{0,199})?")


def refuse_free_text(name: str, data: Mapping[str, object]) -> None:
    for key, value in data.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not CODE.fullmatch(text):
                raise UnknownEventError(
                    f"{name}: {key} looks like typed text. The trail's own bytes carry codes, counts, ids and hashes "
                    "only; give it in private= instead."
                )
