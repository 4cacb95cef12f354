"""What this app knows of people, for their pages: how they were told, what came back, and which lists are in use."""

from notifications import later, lists_in_use, told  # noqa: F401 (each registers its own)
