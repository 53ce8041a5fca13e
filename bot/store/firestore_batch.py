"""Documents in, one atomic commit out: each write says under what condition it holds."""

from datetime import datetime
from typing import Any

from google.cloud.firestore import DELETE_FIELD, AsyncClient, AsyncDocumentReference, AsyncWriteBatch, DocumentSnapshot

from bot.store.documents import Document
from bot.store.firestore_calls import CALL_S, committing

Snapshot = DocumentSnapshot[Any]  # a document, or its absence, as it was read


class Batch:
    """Writes that are done together or not at all."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._writes: AsyncWriteBatch = client.batch()

    def create(self, reference: AsyncDocumentReference, document: Document) -> None:
        """Write a document that must not exist."""
        self._writes.create(reference, document)

    def update(self, reference: AsyncDocumentReference, fields: Document, *, unchanged_since: object = None) -> None:
        """Change fields (by field path) of a document that must exist, and not have been written since."""
        condition = self._client.write_option(last_update_time=unchanged_since) if unchanged_since else None
        self._writes.update(reference, fields, condition)

    def set(self, reference: AsyncDocumentReference, document: Document) -> None:
        """Write a document, whatever was there."""
        self._writes.set(reference, document)

    def replace(self, found: Snapshot, document: Document) -> None:
        """Put a document where `found` was read, if nothing was written there since."""
        if not found.exists:
            self.create(found.reference, document)
            return
        dropped = {name: DELETE_FIELD for name in found.to_dict() or {} if name not in document}
        self.update(found.reference, document | dropped, unchanged_since=found.update_time)

    def delete(self, reference: AsyncDocumentReference) -> None:
        """Delete a document, if it is there."""
        self._writes.delete(reference)

    async def commit(self) -> datetime:
        """Do it; the time at which the first document was written. Raises Conflict, Interrupted, StoreUnavailable."""
        with committing():
            results: list[Any] = await self._writes.commit(retry=None, timeout=CALL_S)
        written_at: datetime = results[0].update_time
        return written_at
