"""Documents in, one atomic commit out: each write says under what condition it holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud.firestore import DELETE_FIELD, AsyncClient, AsyncDocumentReference, AsyncWriteBatch, DocumentSnapshot

from bot.store.documents import Document
from bot.store.firestore_calls import CALL_S, committing

Snapshot = DocumentSnapshot[Any]  # a document, or its absence, as it was read


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch, by document."""

    paths: list[str]
    results: list[Any]

    def version(self, reference: AsyncDocumentReference) -> datetime:
        """When it was written: what `unchanged_since` wants."""
        version: datetime = self._of(reference).update_time
        return version

    def count(self, reference: AsyncDocumentReference) -> int:
        """What an Increment in it came to."""
        (count,) = (each.integer_value for each in self._of(reference).transform_results if "integer_value" in each)
        return int(count)

    def _of(self, reference: AsyncDocumentReference) -> Any:
        return self.results[self.paths.index(reference.path)]


class Batch:
    """Writes that are done together or not at all; a document is written once."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._writes: AsyncWriteBatch = client.batch()
        self._paths: list[str] = []

    def create(self, reference: AsyncDocumentReference, document: Document) -> None:
        """Write a document that must not exist."""
        self._writes.create(reference, document)
        self._paths.append(reference.path)

    def update(self, reference: AsyncDocumentReference, fields: Document, *, unchanged_since: object = None) -> None:
        """Change fields (by field path) of a document that must exist, and not have been written since."""
        condition = self._client.write_option(last_update_time=unchanged_since) if unchanged_since else None
        self._writes.update(reference, fields, condition)
        self._paths.append(reference.path)

    def set(self, reference: AsyncDocumentReference, document: Document) -> None:
        """Write a document, whatever was there."""
        self._writes.set(reference, document)
        self._paths.append(reference.path)

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
        self._paths.append(reference.path)

    async def commit(self) -> Written:
        """Do it. Raises Conflict, Interrupted, StoreUnavailable."""
        with committing():
            results: list[Any] = await self._writes.commit(retry=None, timeout=CALL_S)
        return Written(self._paths, results)
