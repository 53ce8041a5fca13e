"""A turn and its question in, one batch out: the turn, its message, its claim and its thread, or none of them."""

from dataclasses import dataclass, replace

from google.cloud.firestore import SERVER_TIMESTAMP, AsyncDocumentReference

from bot.conversation.mirror import Acceptance
from bot.conversation.thread import Message
from bot.conversation.turn import Turn
from bot.store.documents import Document, message_document, new_thread, ours_sooner, thread_document, turn_document
from bot.store.firestore import FirestoreDatabase, data
from bot.store.firestore_batch import Batch, Written
from bot.store.firestore_known import Known
from bot.store.firestore_save import thread_change
from bot.store.merging import is_tombstone, with_original
from bot.store.schema import VERSION


@dataclass(frozen=True, slots=True)
class Accepting:
    """The attempts to accept one turn. The first reads nothing: it holds where all is new, as nearly always."""

    database: FirestoreDatabase
    turn: Turn
    question: Message
    claim: str  # "" for a question without client_msg_id
    nonce: str
    known: Known

    async def __call__(self, tried: int) -> Acceptance:
        """Attempt it; raises Conflict, Interrupted, StoreUnavailable."""
        return await (self._carefully() if tried else self._blindly())

    async def _blindly(self) -> Acceptance:
        batch = self._begin()
        batch.create(self._message, self._said(message_document(self.question)))
        if self.claim:
            batch.create(self.database.claim(self.claim), self._claimed())
        if self.question.ts == self.turn.thread.thread_ts:
            batch.create(self.database.thread(self.turn.thread), self._new_thread())
        else:
            batch.update(self.database.thread(self.turn.thread), thread_change(self.database))
        self._tell(await batch.commit())
        return "new"

    def _tell(self, done: Written) -> None:
        """So that whoever takes the turn need not ask."""
        begins = self.question.ts == self.turn.thread.thread_ts
        revision = None if begins else done.count(self.database.thread(self.turn.thread))
        self.known.accepted(self.turn, revision=revision, at=done.version(self.database.turn(self.turn.id)))

    async def _carefully(self) -> Acceptance:
        references = [
            self.database.turn(self.turn.id),
            self._message,
            self.database.thread(self.turn.thread),
            *([self.database.claim(self.claim)] if self.claim else []),
        ]
        accepted, said, thread, *claims = await self.database.get(*references)
        if accepted.exists:
            return "new" if (data(accepted) or {})["nonce"] == self.nonce else "known"
        if any(self._live(data(claim)) for claim in claims):
            return "known"
        if is_tombstone(data(said)):
            return "deleted"

        batch = self._begin()
        merged = with_original(data(said), self.question)
        if merged is not None:
            batch.replace(said, self._said(merged))
        for claim in claims:
            batch.replace(claim, self._claimed())
        ours = data(thread)
        if ours is not None and self._live(ours):
            batch.update(thread.reference, thread_change(self.database) | ours_sooner(ours, self.turn))
        else:
            batch.replace(thread, self._new_thread())
        await batch.commit()
        return "new"

    def _begin(self) -> Batch:
        """A batch that creates the turn."""
        batch = self.database.batch()
        facts = {
            "channel": self.turn.thread.channel_id,
            "nonce": self.nonce,
            "claim": self.claim,
            "at": SERVER_TIMESTAMP,
            "expireAt": self.database.expiry(self.database.lifetimes.turns_s),
        }
        batch.create(self.database.turn(self.turn.id), turn_document(self.turn) | facts)
        return batch

    @property
    def _message(self) -> AsyncDocumentReference:
        return self.database.message(self.turn.thread, self.question.ts)

    def _said(self, document: Document) -> Document:
        return document | {"expireAt": self.database.expiry(self.database.lifetimes.words_s)}

    def _claimed(self) -> Document:
        return {
            "schema": VERSION,
            "turn": self.turn.id,
            "expireAt": self.database.expiry(self.database.lifetimes.turns_s),
        }

    def _new_thread(self) -> Document:
        thread = replace(new_thread(self.turn), revision=1)
        return thread_document(thread) | {
            "lastActivityAt": SERVER_TIMESTAMP,
            "expireAt": self.database.expiry(self.database.lifetimes.words_s),
        }

    def _live(self, document: Document | None) -> bool:
        return document is not None and not self.database.expired(document)
