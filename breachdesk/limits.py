"""Tables of limits that an installation may change one by one; each with its default and its reason."""

from pydantic_core import PydanticCustomError

# What needs no explanation when a list of people comes in, as a share of its rows; people/gate.py says how each is
# counted. Low where a wrong column does harm that cannot be taken back, higher where lists simply differ.
GATE_LIMITS: dict[str, float] = {
    "minors": 0.05,
    "deceased": 0.01,
    "vulnerable": 0.1,
    "without_email": 0.1,
    "unreachable": 0.01,
    "without_country": 0.01,
    "without_language": 0.1,
    "rejected": 0.02,
    "known": 0.1,
    "new": 0.5,
    "withdrawn": 0.1,
    "renamed": 0.01,
    "references_of_others": 0.001,
    "shared_addresses": 0.02,
    "repeated_name": 0.005,
    "repeated_street": 0.01,
    "names_apart": 0.8,
    "names_unlike_earlier": 0.5,
    "names_moved": 0.0,
    "postcodes_apart": 0.1,
    "postcodes_moved": 0.0,
}


# When a send pauses by itself, as a share of the messages that were answered.
# failed: refused or bounced. A list that is some years old has two to five in a hundred; above ten the list, the
#   sender's name or the way out is wrong, and every further message harms it more.
# complained: mail systems begin to put mail aside from three in a thousand; a duty is no reason to reach nobody.
# unknown: each is a person of whom nobody can say whether they were told.
# The first few are there to find such things: of 25, the second failure, or any complaint or doubt.
ALARM_LIMITS: dict[str, float] = {
    "failed": 0.1,
    "complained": 0.003,
    "unknown": 0.01,
    "canary_failed": 0.05,
    "canary_complained": 0.0,
    "canary_unknown": 0.0,
}


def with_the_other_alarms(given: dict[str, float]) -> dict[str, float]:
    if unknown := sorted(given.keys() - ALARM_LIMITS.keys()):
        raise PydanticCustomError("alarm_limit", "{names}", {"names": ", ".join(unknown)})
    return ALARM_LIMITS | given


def with_the_others(given: dict[str, float]) -> dict[str, float]:
    if unknown := sorted(given.keys() - GATE_LIMITS.keys()):
        raise PydanticCustomError("gate_limit", "{names}", {"names": ", ".join(unknown)})
    return GATE_LIMITS | given
