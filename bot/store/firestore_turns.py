"""TurnStore in Firestore: create() and preconditions, never a transaction (under contention those take minutes)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from google.cloud.firestore import AsyncQuery, FieldFilter

from bot.conversation.mirror import Acceptance, Busy, Lease, Outage, Signal, Taken
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Turn, TurnState
from bot.errors import LeaseLost
from bot.store.bounds import MAX_OPEN_THREADS, MAX_OPEN_TURNS
from bot.store.documents import read_turn
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_accept import Accepting
from bot.store.firestore_batch import Snapshot
from bot.store.firestore_calls import settle
from bot.store.firestore_known import Known
from bot.store.firestore_pulse import pulse
from bot.store.firestore_save import Saving, thread_change, written
from bot.store.firestore_signals import leave, look_at, pick_up
from bot.store.firestore_sweep import overdue_threads
from bot.store.firestore_take import Taking
from bot.store.merging import with_answer
from bot.store.schema import Collection
from bot.store.unsettled import Unsettled, new_nonce


class FirestoreTurnStore:
    """The turns, the leases and the signals of a database."""

    def __init__(self, database: FirestoreDatabase) -> None:
        self._database = database
        self._unsettled = Unsettled()
        self._known = Known()

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        """See TurnStore."""
        claim = f"{turn.thread.channel_id}:{client_msg_id}" if client_msg_id else ""
        with self._unsettled.nonce(turn.id) as nonce:
            return await settle(Accepting(self._database, turn, question, claim, nonce, self._known))

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        """See TurnStore. One round trip to write, after one to read where what there is to read is not known."""
        taking = Taking(self._database, self._known, self._open(thread), thread, owner, lease_s, new_nonce())
        return await settle(taking)

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
        saved = await settle(saving)
        if release and isinstance(saved.version, datetime):
            self._known.released(lease.thread, saved.version)
        return saved

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
        batch.update(found.reference, written(turn) | {"nonce": nonce}, unchanged_since=found.update_time)
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
