"""A lease and what its holder has to store in, one fenced batch out: all of it and the lease's renewal, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from google.cloud.firestore import SERVER_TIMESTAMP, AsyncDocumentReference, Increment
from google.cloud.firestore_v1.field_path import FieldPath

from bot.conversation.mirror import Lease
from bot.conversation.thread import Message
from bot.conversation.turn import Turn
from bot.errors import LeaseLost
from bot.store.documents import Document, message_document, turn_progress
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_batch import Batch, Snapshot
from bot.store.merging import is_readable, is_tombstone, pointer, with_answer

Found = Mapping[str, Snapshot]  # by path


def thread_change(database: FirestoreDatabase) -> Document:
    """The fields of a thread that change with its messages. Needs no precondition: nothing was read for it."""
    return {
        "revision": Increment(1),
        "lastActivityAt": SERVER_TIMESTAMP,
        "expireAt": database.expiry(database.lifetimes.words_s),
    }


def written(turn: Turn) -> Document:
    """The fields of a turn that change while it is answered, and when that was."""
    return turn_progress(turn) | {"at": SERVER_TIMESTAMP}


@dataclass(frozen=True, slots=True)
class Saving:
    """The attempts at one fenced write. The first reads nothing unless it names speakers (a tombstone bears no name).

    Writes of one lease come one after another, so a lease that still has our nonce is ours, whatever its update time:
    an earlier write landed and its outcome was lost. `mark` is this write's own.
    """

    database: FirestoreDatabase
    lease: Lease
    mark: str
    turn: Turn | None = None
    answer: Message | None = None
    cut: tuple[str, str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    release: bool = False

    async def __call__(self, tried: int) -> Lease:
        """Attempt it; raises LeaseLost, Conflict, Interrupted, StoreUnavailable."""
        found = await self._read() if tried or self.names or self.lease.version is None else {}
        if found:
            held = found[self._held.path]
            document = data(held) or {}
            if document.get("mark") == self.mark:
                return replace(self.lease, version=held.update_time)
            if document.get("nonce") != self.lease.nonce or document.get("fence") != self.lease.fence:
                raise LeaseLost(f"{self.lease.owner} no longer holds {self.lease.thread}")
        batch = self.database.batch()
        self._hold(batch, found)
        self._write_turn(batch, found)
        self._write_answer(batch, found)
        self._write_names(batch, found)
        self._write_thread(batch, found)
        done = await batch.commit()
        return replace(self.lease, version=done.version(self._held))

    @property
    def _held(self) -> AsyncDocumentReference:
        return self.database.lease(self.lease.thread)

    @property
    def _thread(self) -> AsyncDocumentReference:
        return self.database.thread(self.lease.thread)

    def _message(self, ts: str) -> AsyncDocumentReference:
        return self.database.message(self.lease.thread, ts)

    def _later_parts(self) -> list[str]:
        if self.turn is None or self.answer is None:
            return []
        return [ts for ts in dict.fromkeys(part.ts for part in self.turn.parts) if ts != self.answer.ts]

    async def _read(self) -> Found:
        messages = [*([self.answer.ts] if self.answer else []), *self._later_parts(), *self.names]
        references = [
            self._held,
            self._thread,
            *([self.database.turn(self.turn.id)] if self.turn else []),
            *(self._message(ts) for ts in messages),
        ]
        unique = {reference.path: reference for reference in references}
        return dict(zip(unique, await self.database.get(*unique.values()), strict=True))

    def _hold(self, batch: Batch, found: Found) -> None:
        version = found[self._held.path].update_time if found else self.lease.version
        given_up = {"owner": "", "nonce": ""} if self.release else {}
        expire_at = self.database.expiry(self.database.lifetimes.turns_s)
        batch.update(self._held, {"mark": self.mark, "expireAt": expire_at, **given_up}, unchanged_since=version)

    def _write_turn(self, batch: Batch, found: Found) -> None:
        if self.turn is None:
            return
        reference = self.database.turn(self.turn.id)
        if found and not found[reference.path].exists:
            raise LeaseLost(f"the turn {self.turn.id} was erased")
        batch.update(reference, written(self.turn))

    def _write_answer(self, batch: Batch, found: Found) -> None:
        if self.turn is None or self.answer is None:
            return
        kept = {"expireAt": self.database.expiry(self.database.lifetimes.words_s)}
        first, later = self._message(self.answer.ts), self._later_parts()
        if not found:
            batch.create(first, message_document(self.answer, asker_id=self.turn.asker_id) | kept)
            for ts in later:
                batch.create(self._message(ts), pointer(self.answer.ts) | kept)
            return
        stored = {ts: found[self._message(ts).path] for ts in later}
        documents = [data(found[first.path]), *(data(each) for each in stored.values())]
        batch.replace(found[first.path], with_answer(documents, self.answer, self.turn.asker_id) | kept)
        for each in stored.values():
            if not is_tombstone(data(each)):
                batch.replace(each, pointer(self.answer.ts) | kept)

    def _write_names(self, batch: Batch, found: Found) -> None:
        for ts, name in self.names.items():
            said = found[self._message(ts).path]
            if is_readable(data(said)):
                batch.update(said.reference, {"name": name}, unchanged_since=said.update_time)

    def _write_thread(self, batch: Batch, found: Found) -> None:
        if self.cut is not None and (not found or found[self._thread.path].exists):
            model_id, ts = self.cut
            batch.update(self._thread, {FieldPath("cuts", model_id).to_api_repr(): ts})
