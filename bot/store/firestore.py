"""An address in, an open Firestore database out: where each document is, how it is read, and what time it is there."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import google.auth
import grpc
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore import AsyncClient, AsyncDocumentReference, AsyncQuery
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from bot.conversation.thread import ThreadKey
from bot.errors import StoreUnavailable, StoreUnusable
from bot.store.address import FirestoreAddress
from bot.store.documents import Document
from bot.store.firestore_batch import Batch, Snapshot
from bot.store.firestore_calls import CALL_S, reading, settle
from bot.store.lifetimes import Lifetimes
from bot.store.schema import VERSION, Collection, check_version

_SCOPES = ("https://www.googleapis.com/auth/datastore",)
_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # By default a channel that lost its server waits up to two minutes before it tries again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


class FirestoreDatabase:
    """The documents of one database, and its clock. For the event loop that it was opened in, and for no fork."""

    def __init__(self, client: AsyncClient, lifetimes: Lifetimes, now: Callable[[], float] = time.time) -> None:
        self.lifetimes = lifetimes
        self.client = client
        self._now = now
        self._read_at: tuple[datetime, float] | None = None  # the server's time, and ours (monotonic) when we heard it

    def thread(self, key: ThreadKey) -> AsyncDocumentReference:
        """Where a thread is kept."""
        return self._document(Collection.THREADS, str(key))

    def message(self, key: ThreadKey, ts: str) -> AsyncDocumentReference:
        """Where a message is kept."""
        return self._document(Collection.THREADS, str(key), Collection.MESSAGES, ts)

    def lease(self, key: ThreadKey) -> AsyncDocumentReference:
        """Where a thread's lease is kept."""
        return self._document(Collection.LEASES, str(key))

    def turn(self, turn_id: str) -> AsyncDocumentReference:
        """Where a turn is kept."""
        return self._document(Collection.TURNS, turn_id)

    def claim(self, claim: str) -> AsyncDocumentReference:
        """Where the claim on a `client_msg_id` is kept."""
        return self._document(Collection.CLAIMS, claim)

    def signals(self, owner: str) -> AsyncDocumentReference:
        """Where words to a process are left."""
        return self._document(Collection.SIGNALS, owner)

    def pulse(self) -> AsyncDocumentReference:
        """Where processes say that they listen."""
        return self._document(Collection.META, "pulse")

    def person(self, team_id: str, user_id: str) -> AsyncDocumentReference:
        """Where a person's preferences are kept."""
        return self._document(Collection.TEAMS, team_id, Collection.USERS, user_id)

    def channel(self, team_id: str, channel_id: str) -> AsyncDocumentReference:
        """Where a channel's policy is kept."""
        return self._document(Collection.TEAMS, team_id, Collection.CHANNELS, channel_id)

    def expiry(self, kept_s: float) -> datetime:
        """The `expireAt` of a document written now."""
        return datetime.fromtimestamp(self._now(), UTC) + timedelta(seconds=kept_s)

    def expired(self, document: Document) -> bool:
        """Whether a document should be gone already: Firestore deletes up to a day late."""
        expire_at: datetime = document["expireAt"]
        return expire_at.timestamp() < self._now()

    def server_now(self) -> datetime:
        """The server's time, from the last read on; never from this machine's wall clock."""
        if self._read_at is None:
            raise StoreUnavailable("Firestore's clock was never read")
        server, heard = self._read_at
        return server + timedelta(seconds=time.monotonic() - heard)

    def batch(self) -> Batch:
        """Start a batch of writes."""
        return Batch(self.client)

    async def get(self, *references: AsyncDocumentReference) -> list[Snapshot]:
        """Read documents in one round trip, in the order of their references. Raises Interrupted, StoreUnavailable."""
        found: dict[str, Snapshot] = {}
        with reading():
            async for snapshot in self.client.get_all(list(references), retry=None, timeout=CALL_S):
                found[snapshot.reference.path] = snapshot
        self._heard(next(iter(found.values())).read_time)
        return [found[reference.path] for reference in references]

    async def query(self, query: AsyncQuery) -> list[Snapshot]:
        """Read all that a (bounded) query finds. Raises Interrupted, StoreUnavailable."""
        with reading():
            return list(await query.get(retry=None, timeout=CALL_S))

    async def close(self) -> None:
        """Close the connections; the library's own `close` leaves them open."""
        await self.client._firestore_api.transport.close()

    def _document(self, *path: str) -> AsyncDocumentReference:
        return self.client.document(*path)

    def _heard(self, read_time: Any) -> None:
        self._read_at = (read_time, time.monotonic())


async def open_database(
    address: FirestoreAddress, lifetimes: Lifetimes, *, emulator_host: str, now: Callable[[], float]
) -> FirestoreDatabase:
    """Connect, and check the schema or write it into an empty database; raises StoreUnusable."""
    where = f"firestore://{address.project}/{address.database}"
    database = FirestoreDatabase(await _client(address, emulator_host, where), lifetimes, now)
    try:
        await settle(lambda tried: _check_schema(database, where))
    except StoreUnavailable as unavailable:
        await database.close()
        advice = "Check that the database exists, that Tandem may use it (roles/datastore.user), and the network"
        raise StoreUnusable(f"{where} cannot be opened ({unavailable}). {advice}.") from unavailable
    except BaseException:
        await database.close()
        raise
    return database


async def _check_schema(database: FirestoreDatabase, where: str) -> None:
    reference = database.client.document(Collection.META, "schema")
    (found,) = await database.get(reference)
    if found.exists:
        check_version((found.to_dict() or {}).get("version", 0), where)
        return
    batch = database.batch()
    batch.create(reference, {"version": VERSION})
    await batch.commit()


async def _client(address: FirestoreAddress, emulator_host: str, where: str) -> AsyncClient:
    """The library's client on a channel of our own: its channel reconnects too slowly."""
    credentials: Credentials = AnonymousCredentials() if emulator_host else await _credentials(where)  # type: ignore[no-untyped-call]
    client = AsyncClient(project=address.project, credentials=credentials, database=address.database)
    client._emulator_host = emulator_host or None  # the library would ask the environment
    if emulator_host:
        channel = grpc.aio.insecure_channel(emulator_host, options=_CHANNEL)
    else:
        channel = FirestoreGrpcAsyncIOTransport.create_channel(
            client._target, credentials=credentials, options=_CHANNEL
        )
    transport = FirestoreGrpcAsyncIOTransport(host=client._target, channel=channel)
    client._firestore_api_internal = FirestoreAsyncClient(transport=transport)
    return client


async def _credentials(where: str) -> Credentials:
    try:
        credentials, _ = await asyncio.to_thread(google.auth.default, scopes=_SCOPES)
    except GoogleAuthError as missing:
        advice = "Run `gcloud auth application-default login`, or give the pod a service account"
        raise StoreUnusable(f"{where} needs Google credentials, and there are none. {advice}.") from missing
    found: Credentials = credentials
    return found


def data(found: Snapshot) -> Document | None:
    """A snapshot's document, or None where there is none."""
    document: Document | None = found.to_dict() if found.exists else None
    return document
