"""Notices to the people affected, and what became of each message."""

from notifications.models.deliveries import (
    ON_THE_WIRE,
    Attempt,
    Batch,
    BatchQuerySet,
    Delivery,
    DeliveryQuerySet,
    MailEvent,
)
from notifications.models.notices import (
    Approval,
    ApprovalQuerySet,
    Edition,
    EditionAuthor,
    EditionQuerySet,
    Notice,
    NoticeQuerySet,
    Override,
    OverrideQuerySet,
)

__all__ = [
    "ON_THE_WIRE",
    "Approval",
    "ApprovalQuerySet",
    "Attempt",
    "Batch",
    "BatchQuerySet",
    "Delivery",
    "DeliveryQuerySet",
    "Edition",
    "EditionAuthor",
    "EditionQuerySet",
    "MailEvent",
    "Notice",
    "NoticeQuerySet",
    "Override",
    "OverrideQuerySet",
]
