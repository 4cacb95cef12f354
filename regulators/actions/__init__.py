from regulators.actions.filings import (
    NewAnswer,
    ReceiptFile,
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
    "export_filing",
    "open_filing",
    "record_submission",
    "save_answers",
    "send_back",
    "sign_off_filing",
    "submit_for_sign_off",
]
