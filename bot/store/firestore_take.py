"""A thread in, its oldest open turn begun under a lease out, one batch: the lease, the turn and the thread."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from google.cloud.firestore import AsyncQuery

from bot.conversation.mirror import Busy, Lease, Taken
from bot.conversation.thread import Thread, ThreadKey
from bot.conversation.turn import Turn
from bot.store.beginning import begun
from bot.store.documents import Document, new_thread, read_thread, read_turn
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_batch import Batch, Snapshot
from bot.store.firestore_calls import Conflict
from bot.store.firestore_known import Fresh, Known
from bot.store.firestore_save import thread_change, written
from bot.store.schema import VERSION


@dataclass(frozen=True, slots=True)
class Taking:
    """The attempts to take one thread. The first reads nothing where it is known what would be read."""

    database: FirestoreDatabase
    known: Known
    open_turns: AsyncQuery
    key: ThreadKey
    owner: str
    lease_s: float
    nonce: str

    async def __call__(self, _: int) -> Taken | Busy | None:
        """Attempt it; raises Conflict, Interrupted, StoreUnavailable."""
        fresh = self.known.fresh(self.key)
        return await (self._blindly(fresh) if fresh else self._carefully())

    async def _blindly(self, fresh: Fresh) -> Taken:
        turn = begun(fresh.turn, fresh.fence + 1)
        batch, held = self.database.batch(), self.database.lease(self.key)
        if fresh.lease_version is None:
            batch.create(held, self._lease(turn))
        else:
            batch.update(held, self._lease(turn) | {"mark": ""}, unchanged_since=fresh.lease_version)
        self._begin(batch, turn, turn_seen=fresh.at, thread_seen=fresh.at)
        lease = await self._commit(batch, turn)
        return Taken(lease, turn, replace(fresh.thread, revision=fresh.thread.revision + 1))

    async def _carefully(self) -> Taken | Busy | None:
        database = self.database
        (thread, held), waiting = await asyncio.gather(
            database.get(database.thread(self.key), database.lease(self.key)),
            database.query(self.open_turns.limit(1)),
        )
        document = data(held) or {}
        if document.get("nonce") == self.nonce:  # an earlier attempt took it, and its answer was lost
            (mine,) = await database.get(database.turn(document["turn"]))
            lease = Lease(self.key, self.owner, self.nonce, document["fence"], held.update_time)
            return _taken(lease, thread, mine)
        if not waiting:
            self.known.found_nothing_open(self.key, thread, held)
            return None
        if document.get("owner") and (age_s := _age_s(held)) < self.lease_s:
            return Busy(document["owner"], self.lease_s - age_s)
        # The thread must not change until the batch is in: an older question may be accepted at any moment.
        if thread.exists and waiting[0].read_time < thread.update_time:
            raise Conflict("the open turns were read before the thread was")

        turn = begun(read_turn(waiting[0].id, waiting[0].to_dict() or {}), document.get("fence", 0) + 1)
        batch = database.batch()
        batch.replace(held, self._lease(turn))
        self._begin(
            batch,
            turn,
            turn_seen=waiting[0].update_time,
            thread_seen=thread.update_time if thread.exists else None,
        )
        lease = await self._commit(batch, turn)
        told = _thread(thread, turn)
        return Taken(lease, turn, replace(told, revision=told.revision + 1), document.get("owner", ""))

    def _lease(self, turn: Turn) -> Document:
        expire_at = self.database.expiry(self.database.lifetimes.turns_s)
        lease = {"owner": self.owner, "nonce": self.nonce, "fence": turn.fence, "turn": turn.id}
        return {"schema": VERSION, **lease, "expireAt": expire_at}

    def _begin(self, batch: Batch, turn: Turn, *, turn_seen: datetime, thread_seen: datetime | None) -> None:
        """Write turn and thread, if they are as they were seen; no thread where it was erased."""
        batch.update(self.database.turn(turn.id), written(turn), unchanged_since=turn_seen)
        if thread_seen is not None:
            batch.update(self.database.thread(self.key), thread_change(self.database), unchanged_since=thread_seen)

    async def _commit(self, batch: Batch, turn: Turn) -> Lease:
        done = await batch.commit()
        version = done.version(self.database.lease(self.key))
        return Lease(self.key, self.owner, self.nonce, turn.fence, version)


def _thread(found: Snapshot, turn: Turn) -> Thread:
    document = data(found)
    return read_thread(turn.thread, document) if document else new_thread(turn)


def _taken(lease: Lease, thread: Snapshot, found: Snapshot) -> Taken | None:
    """What an earlier attempt took; None if the turn was erased meanwhile."""
    if not found.exists:
        return None
    turn = read_turn(found.id, found.to_dict() or {})
    return Taken(lease, turn, _thread(thread, turn))


def _age_s(held: Snapshot) -> float:
    """How long ago the lease was written, by the server's clock at both ends."""
    seconds: float = (held.read_time - held.update_time).total_seconds()
    return seconds
