from regulators.actions.calendars import end_calendar_feed, make_calendar_feed, revoke_calendar_feed
from regulators.actions.duties import Statement, Told, meet_duty, state_fact, state_position
from regulators.actions.filings import (
    NewAnswer,
    ReceiptFile,
    begin_follow_up,
    export_filing,
    open_filing,
    record_submission,
    save_answers,
    send_back,
    sign_off_filing,
    submit_for_sign_off,
)

__all__ = [
    "NewAnswer",
    "ReceiptFile",
    "Statement",
    "Told",
    "begin_follow_up",
    "end_calendar_feed",
    "export_filing",
    "make_calendar_feed",
    "meet_duty",
    "open_filing",
    "record_submission",
    "revoke_calendar_feed",
    "save_answers",
    "send_back",
    "sign_off_filing",
    "state_fact",
    "state_position",
    "submit_for_sign_off",
]
