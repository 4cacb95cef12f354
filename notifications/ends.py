from enum import StrEnum


class End(StrEnum):
    """Why a drain ended."""

    NOTHING_DUE = "nothing due"
    HELD_BACK = "its limits let nobody go now"
    TIME = "time is over"
    STOPPED = "this worker is stopping"
    CLOSED = "the edition is not being sent, or not by us"
    ROUTE_DOWN = "no way out"
    NO_DATABASE = "the database does not answer, or a lease was lost"
    NO_JOURNAL = "no journal can be written"
    NOT_FROM_HERE = "the database may not know everything that was sent"
