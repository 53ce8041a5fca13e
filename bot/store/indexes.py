"""The indexes that Firestore's queries here need beyond its automatic ones, for deployment; an emulator checks none.

Every query of `firestore_turns`, `firestore_threads` and `firestore_erasure` is listed here with the index it uses.
"""

from dataclasses import dataclass
from typing import Literal

Order = Literal["ASCENDING", "DESCENDING"]


@dataclass(frozen=True, slots=True)
class CompositeIndex:
    """A query on several fields, one of them by range or order."""

    collection: str
    fields: tuple[tuple[str, Order], ...]


@dataclass(frozen=True, slots=True)
class FieldIndex:
    """A single field that is asked for across all collections of one name."""

    collection: str
    field: str


COMPOSITE = (
    CompositeIndex("turns", (("thread", "ASCENDING"), ("open", "ASCENDING"), ("questionTs", "ASCENDING"))),
    CompositeIndex("turns", (("channel", "ASCENDING"), ("open", "ASCENDING"))),  # a DM's open threads
    CompositeIndex("turns", (("open", "ASCENDING"), ("at", "ASCENDING"))),  # the sweeper
)
COLLECTION_GROUP = (FieldIndex("messages", "userId"), FieldIndex("messages", "askerId"))  # erasing a person

# Queries that the automatic indexes serve: messages by ts within one thread; turns by askerId; threads by starterId.

UNINDEXED = (
    ("messages", "text"),
    ("messages", "files"),
    ("messages", "usage"),
    ("messages", "name"),
    ("turns", "parts"),
    ("turns", "nonce"),
    ("threads", "cuts"),
    ("threads", "lastActivityAt"),
    ("signals", "items"),
)

# Documents of these are deleted once `expireAt` is over; the field is in no index, since it rises all the time.
TTL_FIELD = "expireAt"
TTL = ("threads", "messages", "leases", "turns", "claims", "signals", "users", "channels")
