"""Words for a process in, the same words out once: one small document for each, read once a second while it answers."""

from collections.abc import Sequence
from datetime import timedelta

from bot.conversation.mirror import Signal
from bot.store.bounds import MAX_SIGNALS
from bot.store.documents import Document, read_signal, signal_document
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_calls import settle
from bot.store.schema import VERSION
from bot.store.unsettled import new_nonce


async def leave(database: FirestoreDatabase, owner: str, signal: Signal) -> None:
    """Add a word, and drop those that nobody picked up in time; raises StoreUnavailable."""
    nonce = new_nonce()

    async def attempt(_: int) -> None:
        (found,) = await database.get(database.signals(owner))
        items: list[Document] = (data(found) or {}).get("items", [])
        if any(item["nonce"] == nonce for item in items):
            return
        left = signal_document(signal) | {"nonce": nonce, "leftAt": database.server_now()}
        batch = database.batch()
        batch.replace(found, _document(database, [*_fresh(database, items), left][-MAX_SIGNALS:]))
        await batch.commit()

    await settle(attempt)


async def pick_up(database: FirestoreDatabase, owner: str) -> Sequence[Signal]:
    """Take all words; raises StoreUnavailable."""
    nonce = new_nonce()
    taken: list[Document] = []

    async def attempt(_: int) -> list[Document]:
        nonlocal taken
        (found,) = await database.get(database.signals(owner))
        document = data(found) or {}
        if document.get("takenBy") == nonce:  # by an earlier attempt, whose answer was lost
            return taken
        taken = document.get("items", [])
        if taken:
            batch = database.batch()
            batch.replace(found, _document(database, []) | {"takenBy": nonce})
            await batch.commit()
        return taken

    return [read_signal(item) for item in _fresh(database, await settle(attempt))]


async def look_at(database: FirestoreDatabase, owner: str) -> Sequence[Signal]:
    """All words, left where they are; raises StoreUnavailable."""
    (found,) = await settle(lambda _: database.get(database.signals(owner)))
    return [read_signal(item) for item in _fresh(database, (data(found) or {}).get("items", []))]


def _fresh(database: FirestoreDatabase, items: Sequence[Document]) -> list[Document]:
    oldest = database.server_now() - timedelta(seconds=database.lifetimes.signals_s)
    return [item for item in items if item["leftAt"] >= oldest]


def _document(database: FirestoreDatabase, items: list[Document]) -> Document:
    return {"schema": VERSION, "items": items, "expireAt": database.expiry(database.lifetimes.turns_s)}
