"""NOTICE_EVENTS: what events say of notices, of their sending and of what came of it. See events.py."""

from breachdesk.audit.event_type import EventType

NOTICE_EVENTS: dict[str, EventType] = {
    # Notices
    "notice.created": EventType("began a notice", more="language", private="title"),
    "notice.audience_changed": EventType(
        "said whom a notice is for: {people} people",
        more="held without_email languages voided",
        private="sentence",
    ),
    "edition.created": EventType("began the {language} edition, revision {revision}"),
    "edition.saved": EventType("changed the text of the {language} edition", more="revision", private="subject body"),
    "edition.submitted": EventType(
        "submitted the {language} edition for approval, to {recipients} people",
        more="revision digest recipients_root",
    ),
    "edition.overruled": EventType(
        "took the responsibility for {checks} failing checks of the {language} edition",
        more="revision sha256",
        private="reason what",
    ),
    "edition.withdrawn": EventType("took the {language} edition back from approval", more="revision", private="reason"),
    "edition.rejected": EventType("sent the {language} edition back", more="revision digest", private="reason"),
    "edition.opened": EventType(
        "opened what an approver must see of the {language} edition", more="revision digest shown kinds"
    ),
    "edition.commented": EventType("commented on the {language} edition", more="revision", private="text"),
    "edition.comment_settled": EventType("settled a comment on the {language} edition", more="revision"),
    "edition.approved": EventType(
        "approved the {language} edition for {recipients} people", more="revision digest recipients_root given needed"
    ),
    "edition.glass_broken": EventType(
        "broke the glass for the {language} edition: one approval of {needed} is to be enough",
        more="revision digest recipients given",
        private="reason",
    ),
    "edition.amendment_asked": EventType(
        "asked for approval of {added} people added to the {language} edition and {changed} changed on it",
        more="revision digest rows_root",
    ),
    "edition.amendment_approved": EventType(
        "approved {added} people added to the {language} edition and {changed} changed on it",
        more="revision digest rows_root",
    ),
    "edition.amendment_refused": EventType(
        "refused {added} people added to the {language} edition and {changed} changed on it",
        more="revision digest",
        private="reason",
    ),
    "test_send.began": EventType("began to send a test of the {language} edition", more="revision count users"),
    "edition.tested": EventType(
        "tried the {language} edition on colleagues: {count} got it", more="revision users failed digest"
    ),
    "edition.scheduled": EventType(
        "set when and how fast the {language} edition goes out",
        more="revision start_at zone late_after quiet_from quiet_until per_minute per_domain at_once wave_size "
        "wave_hours calls_per_hour thousandths canary",
    ),
    "edition.armed": EventType(
        "had the {language} edition start by itself at {start_at}", more="revision zone late_after"
    ),
    "edition.disarmed": EventType("took back that the {language} edition starts by itself", more="revision"),
    "edition.schedule_missed": EventType(
        "did not start the {language} edition by itself: {why}", more="revision start_at late_after"
    ),
    "edition.started": EventType(
        "started sending the {language} edition to {recipients} people", more="revision digest epoch planned armed_by"
    ),
    "edition.paused": EventType(
        "paused the {language} edition; {in_air} messages were already on their way",
        more="revision epoch why number answered thousandths",
        private="reason",
    ),
    "edition.resumed": EventType("resumed the {language} edition", more="revision epoch", private="reason"),
    "edition.cancelled": EventType(
        "cancelled the {language} edition", more="revision epoch in_air cancelled", private="reason"
    ),
    "edition.finished": EventType(
        "finished the {language} edition: {handed_over} handed over, {refused} refused, {unknown} not known",
        more="blocked suppressed cancelled recipients",
    ),
    "delivery.batch_settled": EventType(
        "settled a batch: {handed_over} handed over, {refused} refused, {retry_wait} to try again, "
        "{unknown} not known, {blocked} blocked",
        more="notice edition batch rows rows_root",
    ),
    "delivery.swept": EventType(
        "swept up after a stopped worker: {returned} returned, {unknown} not known", more="edition batch rows rows_root"
    ),
    "delivery.recovered": EventType(
        "settled what a stopped worker had noted: {handed_over} handed over, {returned} never begun, "
        "{unknown} not known",
        more="edition batch refused retry_wait",
    ),
    "delivery.decision_asked": EventType(
        "asked to send again to {people} people of the {language} edition whose outcome is not known",
        more="revision kind rows_root rule", private="reason",
    ),
    "delivery.decided": EventType(
        "decided about {people} deliveries of the {language} edition: {kind}",
        more="revision rows_root rule asked_by moved", private="reason",
    ),
    "delivery.decision_withdrawn": EventType(
        "took back the question about {people} deliveries of the {language} edition", more="revision kind"
    ),
    "edition.reopened": EventType(
        "let the finished {language} edition go on for {people} people", more="revision epoch kind"
    ),
    "edition.rate_changed": EventType(
        "changed how fast the {language} edition goes: {rate}",
        more="revision epoch before approved in_air", private="reason",
    ),
    "edition.route_changed": EventType(
        "let the {language} edition leave by way {route}", more="revision epoch before in_air", private="reason"
    ),
    "letters.begun": EventType(
        "began letters to {people} people for the {language} edition", more="revision window rows_root"
    ),
    "letters.made": EventType("made {letters} letters on {pages} pages", more="files digest left_out"),
    "letters.failed": EventType("could not make letters to {people} people", more="why"),
    "letters.taken": EventType("took a file of {letters} letters", more="file digest"),
    "letters.posted": EventType("posted {letters} letters on {posted_at}", more="pages digest", private="how"),
    "letters.voided": EventType("gave up {letters} letters", more="state", private="reason"),
    "sending.held_back": EventType("lets nothing be sent: {why}", more="number file_number"),
    "sending.reconciled": EventType(
        "compared messages with a relay's log or a provider's list: {found} found, {applied} settled by it",
        more="source digest lines unknown_left resumed why",
    ),
    "sending.resumed": EventType("let sending go on after {why}", more="number file_number", private="reason"),
    "mail_event.received": EventType("received {count} reports from the mail provider", more="source kinds applied"),
    "delivery.cancelled": EventType(
        "cancelled {count} messages of the {language} edition that came back after it was cancelled"
    ),
    "delivery.brought_forward": EventType(
        "looked again at {count} people of the {language} edition who waited for a later turn", more="why"
    ),
    "delivery.answered_late": EventType(
        "heard late from the mail host about {count} messages of a settled batch", more="edition batch"
    ),
}  # fmt: skip
