"""TurnStore in Firestore: create() and preconditions, never a transaction (under contention those take minutes)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from google.cloud.firestore import SERVER_TIMESTAMP, AsyncQuery, FieldFilter

from bot.conversation.mirror import Acceptance, Busy, Lease, Outage, Signal, Taken
from bot.conversation.thread import Message, Thread, ThreadKey
from bot.conversation.turn import Turn, TurnState
from bot.errors import LeaseLost
from bot.store.beginning import begun
from bot.store.bounds import MAX_OPEN_THREADS, MAX_OPEN_TURNS
from bot.store.documents import Document, new_thread, read_thread, read_turn, turn_progress
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_accept import Accepting
from bot.store.firestore_batch import Snapshot
from bot.store.firestore_calls import Conflict, settle
from bot.store.firestore_pulse import pulse
from bot.store.firestore_save import Saving, thread_change
from bot.store.firestore_signals import leave, look_at, pick_up
from bot.store.firestore_sweep import overdue_threads
from bot.store.merging import with_answer
from bot.store.schema import VERSION, Collection
from bot.store.unsettled import Unsettled, new_nonce


class FirestoreTurnStore:
    """The turns, the leases and the signals of a database."""

    def __init__(self, database: FirestoreDatabase) -> None:
        self._database = database
        self._unsettled = Unsettled()

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        """See TurnStore."""
        claim = f"{turn.thread.channel_id}:{client_msg_id}" if client_msg_id else ""
        with self._unsettled.nonce(turn.id) as nonce:
            return await settle(Accepting(self._database, turn, question, claim, nonce))

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        """See TurnStore. One round trip to read, one to write."""
        nonce = new_nonce()
        return await settle(lambda _: self._take(thread, owner, lease_s, nonce))

    async def _take(self, key: ThreadKey, owner: str, lease_s: float, nonce: str) -> Taken | Busy | None:
        database = self._database
        (thread, held), waiting = await asyncio.gather(
            database.get(database.thread(key), database.lease(key)),
            database.query(self._open(key).limit(1)),
        )
        lease_document = data(held) or {}
        if lease_document.get("nonce") == nonce:  # an earlier attempt took it, and its answer was lost
            (mine,) = await database.get(database.turn(lease_document["turn"]))
            return _taken(Lease(key, owner, nonce, lease_document["fence"], held.update_time), thread, mine)
        if not waiting:
            return None
        if lease_document.get("owner") and (age_s := _age_s(held)) < lease_s:
            return Busy(lease_document["owner"], lease_s - age_s)
        # The thread must not change until the batch is in: an older question may be accepted at any moment.
        if thread.exists and waiting[0].read_time < thread.update_time:
            raise Conflict("the open turns were read before the thread was")

        turn = begun(_turn(waiting[0]), lease_document.get("fence", 0) + 1)
        lease = Lease(key, owner, nonce, turn.fence, await self._begin(turn, owner, nonce, thread, held, waiting[0]))
        told = _thread(thread, turn)
        return Taken(lease, turn, replace(told, revision=told.revision + 1), lease_document.get("owner", ""))

    async def _begin(
        self,
        turn: Turn,
        owner: str,
        nonce: str,
        thread: Snapshot,
        held: Snapshot,
        found: Snapshot,
    ) -> object:
        expire_at = self._database.expiry(self._database.lifetimes.turns_s)
        lease = {"owner": owner, "nonce": nonce, "fence": turn.fence, "turn": turn.id, "expireAt": expire_at}
        batch = self._database.batch()
        batch.replace(held, {"schema": VERSION, **lease})
        batch.update(found.reference, _written(turn), unchanged_since=found.update_time)
        if thread.exists:
            batch.update(thread.reference, thread_change(self._database), unchanged_since=thread.update_time)
        return await batch.commit()

    async def renew(self, lease: Lease) -> Lease:
        """See TurnStore."""
        return await settle(Saving(self._database, lease, new_nonce()))

    async def save(
        self,
        lease: Lease,
        turn: Turn,
        *,
        answer: Message | None = None,
        cut: tuple[str, str] | None = None,
        names: Mapping[str, str] | None = None,
        release: bool = False,
    ) -> Lease:
        """See TurnStore."""
        saving = Saving(
            self._database, lease, new_nonce(), turn=turn, answer=answer, cut=cut, names=names or {}, release=release
        )
        return await settle(saving)

    async def release(self, lease: Lease, turn: Turn | None = None) -> None:
        """See TurnStore."""
        try:
            await settle(Saving(self._database, lease, new_nonce(), turn=turn, release=True))
        except LeaseLost:
            return

    async def withdraw(self, turn_id: str, state: TurnState, answer: Message) -> bool:
        """See TurnStore."""
        with self._unsettled.nonce(turn_id) as nonce:
            return await settle(lambda _: self._withdraw(turn_id, state, answer, nonce))

    async def _withdraw(self, turn_id: str, state: TurnState, answer: Message, nonce: str) -> bool:
        database = self._database
        found, told, thread = await database.get(
            database.turn(turn_id),
            database.message(answer.thread, answer.ts),
            database.thread(answer.thread),
        )
        document = data(found)
        if document is None or document["state"] != "waiting":
            return document is not None and document["nonce"] == nonce
        turn = replace(read_turn(turn_id, document), state=state)
        batch = database.batch()
        batch.update(found.reference, _written(turn) | {"nonce": nonce}, unchanged_since=found.update_time)
        kept = {"expireAt": database.expiry(database.lifetimes.words_s)}
        batch.replace(told, with_answer([data(told)], answer, turn.asker_id) | kept)
        if thread.exists:
            batch.update(thread.reference, thread_change(database))
        await batch.commit()
        return True

    async def open_turns(self, thread: ThreadKey) -> Sequence[Turn]:
        """See TurnStore."""
        found = await settle(lambda _: self._database.query(self._open(thread).limit(MAX_OPEN_TURNS)))
        return [_turn(each) for each in found]

    async def open_threads(self, channel_id: str) -> Sequence[ThreadKey]:
        """See TurnStore."""
        query = (
            self._turns()
            .where(filter=FieldFilter("channel", "==", channel_id))
            .where(filter=FieldFilter("open", "==", True))
            .limit(MAX_OPEN_THREADS)
        )
        found = await settle(lambda _: self._database.query(query))
        return sorted({_turn(each).thread for each in found})

    async def turn(self, turn_id: str) -> Turn | None:
        """See TurnStore."""
        (found,) = await settle(lambda _: self._database.get(self._database.turn(turn_id)))
        return _turn(found) if found.exists else None

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[ThreadKey]:
        """See TurnStore."""
        return await settle(lambda _: overdue_threads(self._database, older_than_s, limit))

    async def holder(self, thread: ThreadKey) -> str | None:
        """See TurnStore."""
        (found,) = await settle(lambda _: self._database.get(self._database.lease(thread)))
        return (data(found) or {}).get("owner") or None

    async def signal(self, owner: str, signal: Signal) -> None:
        """See TurnStore."""
        await leave(self._database, owner, signal)

    async def signals(self, owner: str, *, keep: bool = False) -> Sequence[Signal]:
        """See TurnStore."""
        return await (look_at if keep else pick_up)(self._database, owner)

    async def pulse(self, missed: Sequence[Outage], *, silent_s: float) -> Sequence[Outage]:
        """See TurnStore."""
        return await pulse(self._database, missed, silent_s)

    def _turns(self) -> Any:
        return self._database.client.collection(Collection.TURNS)

    def _open(self, thread: ThreadKey) -> AsyncQuery:
        """The thread's open turns, oldest question first."""
        query: AsyncQuery = (
            self._turns()
            .where(filter=FieldFilter("thread", "==", str(thread)))
            .where(filter=FieldFilter("open", "==", True))
            .order_by("questionTs")
        )
        return query


def _turn(found: Snapshot) -> Turn:
    return read_turn(found.id, found.to_dict() or {})


def _thread(found: Snapshot, turn: Turn) -> Thread:
    document = data(found)
    return read_thread(turn.thread, document) if document else new_thread(turn)


def _written(turn: Turn) -> Document:
    return turn_progress(turn) | {"at": SERVER_TIMESTAMP}


def _taken(lease: Lease, thread: Snapshot, found: Snapshot) -> Taken | None:
    """What an earlier attempt took; None if the turn was erased meanwhile."""
    if not found.exists:
        return None
    turn = _turn(found)
    return Taken(lease, turn, _thread(thread, turn))


def _age_s(held: Snapshot) -> float:
    """How long ago the lease was written, by the server's clock at both ends."""
    seconds: float = (held.read_time - held.update_time).total_seconds()
    return seconds
