"""ThreadStore in Firestore: each change of a message is read, merged and written back under a precondition."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice

from google.cloud.firestore import AsyncDocumentReference, AsyncQuery, FieldFilter, Query

from bot.conversation.thread import Channel, Message, Person, Thread, ThreadKey
from bot.store.documents import (
    Document,
    channel_document,
    person_document,
    read_channel,
    read_message,
    read_person,
    read_thread,
)
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_batch import Batch, Snapshot
from bot.store.firestore_calls import settle
from bot.store.firestore_erasure import erase
from bot.store.firestore_save import thread_change
from bot.store.merging import (
    Stored,
    is_early_edit,
    is_readable,
    is_tombstone,
    target,
    tombstone,
    with_edit,
    with_original,
)
from bot.store.schema import Collection

_CHUNK = 100  # messages of a backfill in one batch
_PAGE = 500  # messages read in one call


class FirestoreThreadStore:
    """The threads, the messages, and what teams chose, of a database."""

    def __init__(self, database: FirestoreDatabase) -> None:
        self._database = database

    async def thread(self, key: ThreadKey) -> Thread | None:
        """See ThreadStore."""
        (found,) = await settle(lambda _: self._database.get(self._database.thread(key)))
        document = self._ours(found)
        return read_thread(key, document) if document else None

    async def messages(self, key: ThreadKey, *, since_ts: str = "", limit: int = 400) -> Sequence[Message]:
        """See ThreadStore. Only messages have a `ts`: the query sees no tombstones, early edits or pointers."""
        query = (
            self._database.thread(key)
            .collection(Collection.MESSAGES)
            .where(filter=FieldFilter("ts", ">=", since_ts))
            .order_by("ts", direction=Query.DESCENDING)
        )
        found = await self._newest(query, limit)
        documents = [each.to_dict() or {} for each in reversed(found)]
        return [read_message(key, document) for document in documents if not self._database.expired(document)]

    async def message(self, key: ThreadKey, ts: str) -> Message | None:
        """See ThreadStore."""
        (found,) = await settle(lambda _: self._database.get(self._database.message(key, ts)))
        document = data(found)
        if document is None or not is_readable(document) or self._database.expired(document):
            return None
        return read_message(key, document)

    async def record(self, message: Message) -> None:
        """See ThreadStore."""
        await self._change(message.thread, message.ts, lambda stored: with_original(stored, message))

    async def edit(self, key: ThreadKey, ts: str, text: str, edited_ts: str) -> None:
        """See ThreadStore."""
        await self._change(key, ts, lambda stored: with_edit(stored, text, edited_ts))

    async def delete(self, key: ThreadKey, ts: str) -> None:
        """See ThreadStore."""

        async def attempt(_: int) -> None:
            thread, *found = await self._database.get(self._database.thread(key), self._database.message(key, ts))
            if whole := target(data(found[0])):
                found += await self._database.get(self._database.message(key, whole))
            alive = [each for each in found if not is_tombstone(data(each))]
            if not alive:
                return
            batch = self._database.batch()
            for each in alive:
                self._put(batch, each, tombstone())
            self._touch(batch, thread)
            await batch.commit()

        await settle(attempt)

    async def backfill(self, key: ThreadKey, messages: Sequence[Message]) -> None:
        """See ThreadStore. Each chunk is a batch of its own; the last write says that all are in."""
        unique = {message.ts: message for message in messages}  # a batch writes a document once
        for chunk in _chunks(unique.values(), _CHUNK):
            await settle(partial(self._add, key, chunk))

        async def mark(_: int) -> None:
            (thread,) = await self._database.get(self._database.thread(key))
            if self._ours(thread) is None:
                return
            batch = self._database.batch()
            batch.update(thread.reference, thread_change(self._database) | {"backfilled": True})
            await batch.commit()

        await settle(mark)

    async def _add(self, key: ThreadKey, messages: Sequence[Message], _: int) -> None:
        found = await self._database.get(*(self._database.message(key, message.ts) for message in messages))
        batch = self._database.batch()
        changed = False
        for stored, message in zip(found, messages, strict=True):
            merged = with_original(data(stored), message)
            if merged is not None:
                self._put(batch, stored, merged)
                changed = True
        if changed:
            await batch.commit()

    async def set_thread_model(self, key: ThreadKey, model_id: str) -> bool:
        """See ThreadStore."""

        async def attempt(_: int) -> bool:
            (thread,) = await self._database.get(self._database.thread(key))
            if self._ours(thread) is None:
                return False
            batch = self._database.batch()
            batch.update(thread.reference, thread_change(self._database) | {"modelId": model_id})
            await batch.commit()
            return True

        return await settle(attempt)

    async def person(self, team_id: str, user_id: str) -> Person | None:
        """See ThreadStore."""
        (found,) = await settle(lambda _: self._database.get(self._database.person(team_id, user_id)))
        document = data(found)
        return read_person(team_id, user_id, document) if document else None

    async def save_person(self, person: Person) -> None:
        """See ThreadStore."""
        reference = self._database.person(person.team_id, person.user_id)
        await self._keep(reference, person_document(person), chosen=bool(person.model_id))

    async def channel(self, team_id: str, channel_id: str) -> Channel | None:
        """See ThreadStore."""
        (found,) = await settle(lambda _: self._database.get(self._database.channel(team_id, channel_id)))
        document = data(found)
        return read_channel(team_id, channel_id, document) if document else None

    async def save_channel(self, channel: Channel) -> None:
        """See ThreadStore."""
        reference = self._database.channel(channel.team_id, channel.channel_id)
        chosen = bool(channel.model_id or channel.self_hosted_only or channel.reply_mode)
        await self._keep(reference, channel_document(channel), chosen=chosen)

    async def erase_person(self, team_id: str, user_id: str) -> int:
        """See ThreadStore."""
        return await erase(self._database, team_id, user_id)

    async def close(self) -> None:
        """See ThreadStore."""
        await self._database.close()

    async def _change(self, key: ThreadKey, ts: str, change: Callable[[Stored], Document | None]) -> None:
        async def attempt(_: int) -> None:
            thread, found = await self._database.get(self._database.thread(key), self._database.message(key, ts))
            changed = change(data(found))
            if changed is None:
                return
            batch = self._database.batch()
            self._put(batch, found, changed)
            self._touch(batch, thread)
            await batch.commit()

        await settle(attempt)

    async def _newest(self, query: AsyncQuery, limit: int) -> list[Snapshot]:
        """All that a query finds, up to a limit: page by page, so that each call ends in time."""
        found: list[Snapshot] = []
        while len(found) < limit:
            rest = query.start_after(found[-1]) if found else query
            asked_for = min(limit - len(found), _PAGE)
            page = await settle(partial(self._page, rest.limit(asked_for)))
            found += page
            if len(page) < asked_for:
                break
        return found

    async def _page(self, query: AsyncQuery, _: int) -> list[Snapshot]:
        return await self._database.query(query)

    async def _keep(self, reference: AsyncDocumentReference, document: Document, *, chosen: bool) -> None:
        lifetimes = self._database.lifetimes
        expire_at = self._database.expiry(lifetimes.choices_s if chosen else lifetimes.words_s)

        async def attempt(_: int) -> None:
            batch = self._database.batch()
            batch.set(reference, document | {"expireAt": expire_at})
            await batch.commit()

        await settle(attempt)

    def _put(self, batch: Batch, found: Snapshot, document: Document) -> None:
        lifetimes = self._database.lifetimes
        kept_s = lifetimes.stray_s if is_early_edit(document) else lifetimes.words_s
        batch.replace(found, document | {"expireAt": self._database.expiry(kept_s)})

    def _touch(self, batch: Batch, thread: Snapshot) -> None:
        if self._ours(thread) is not None:
            batch.update(thread.reference, thread_change(self._database))

    def _ours(self, thread: Snapshot) -> Document | None:
        document = data(thread)
        return None if document is None or self._database.expired(document) else document


def _chunks(messages: Iterable[Message], size: int) -> Iterable[list[Message]]:
    rest = iter(messages)
    while chunk := list(islice(rest, size)):
        yield chunk
