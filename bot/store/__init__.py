"""An address in, the mirror out: turns and threads in an SQLite file or in Firestore, behind one contract."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.conversation.mirror import ThreadStore, TurnStore
from bot.store.address import FirestoreAddress, SqliteAddress, parse_address
from bot.store.lifetimes import Lifetimes
from bot.store.sqlite import SqliteFile
from bot.store.sqlite_threads import SqliteThreadStore
from bot.store.sqlite_turns import SqliteTurnStore

__all__ = ["Mirror", "open_mirror"]


@dataclass(frozen=True, slots=True)
class Mirror:
    """The two stores of one database, open."""

    turns: TurnStore
    threads: ThreadStore
    release: Callable[[], Awaitable[None]]

    async def close(self) -> None:
        """Free connections and files."""
        await self.release()


async def open_mirror(
    address: str,
    *,
    retention_days: int = 90,
    emulator_host: str = "",
    now: Callable[[], float] = time.time,
) -> Mirror:
    """Open the store that `address` names, creating its schema in an empty one.

    `emulator_host` ("host:port") is the Firestore emulator's; `now` is the clock by which documents expire, in epoch
    seconds (and SQLite's only clock). Raises ConfigError for an address that names no store, StoreUnusable for a store
    that cannot be opened or whose schema this version does not read; both say what to do.
    """
    where = parse_address(address)
    lifetimes = Lifetimes(retention_days)
    if isinstance(where, SqliteAddress):
        return await _open_sqlite(where, lifetimes, now)
    return await _open_firestore(where, lifetimes, emulator_host, now)


async def _open_sqlite(address: SqliteAddress, lifetimes: Lifetimes, now: Callable[[], float]) -> Mirror:
    file = SqliteFile(address.path, lifetimes, now)
    await file.open()
    return Mirror(SqliteTurnStore(file), SqliteThreadStore(file), file.close)


async def _open_firestore(
    address: FirestoreAddress, lifetimes: Lifetimes, emulator_host: str, now: Callable[[], float]
) -> Mirror:
    from bot.store.firestore import open_database  # Google's library takes a second to import
    from bot.store.firestore_threads import FirestoreThreadStore
    from bot.store.firestore_turns import FirestoreTurnStore

    database = await open_database(address, lifetimes, emulator_host=emulator_host, now=now)
    return Mirror(FirestoreTurnStore(database), FirestoreThreadStore(database), database.close)
