"""EventType: the sentence of an event, and the keys that it may carry."""

from dataclasses import dataclass, field
from string import Formatter

# What a sentence says in one phrase, made of several keys (timeline.py words it). The first keys must be given.
COMPOSED = {"moment": ("at",), "estimate": ("low", "high")}


# Every event may name more objects than its own, and batches of rows that were changed together: see record().
NAMES = frozenset({"also", "batches"})


@dataclass(frozen=True)
class EventType:
    sentence: str
    more: str = ""
    private: str = ""
    required: frozenset[str] = field(init=False)
    allowed: frozenset[str] = field(init=False)
    private_fields: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        names = [name for _, name, _, _ in Formatter().parse(self.sentence) if name]
        required = frozenset(key for name in names for key in COMPOSED.get(name, (name,)))
        object.__setattr__(self, "required", required)
        object.__setattr__(self, "allowed", required | frozenset(self.more.split()) | NAMES)
        object.__setattr__(self, "private_fields", frozenset(self.private.split()))
