"""Work on one database in memory in, its result out: the real SQLite stores without a file, a thread or a real clock.

Several replicas share one `MemoryDatabase`; each has its own mirror on it, behind a wire of its own that may be slow or
break before or after the work was done.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from bot.store import Mirror
from bot.store.lifetimes import Lifetimes
from bot.store.sqlite import SqliteFile, Work, transact
from bot.store.sqlite_schema import prepare
from bot.store.sqlite_threads import SqliteThreadStore
from bot.store.sqlite_turns import SqliteTurnStore
from tests.doubles.replicas import Replicas

T = TypeVar("T")


class StoreWire(Protocol):
    """The way from a process to the database."""

    async def __call__(self, transact: Callable[[], T], /) -> T:
        """Do the work, or raise what a broken wire raises, with the work done or not."""
        ...


async def direct(transact: Callable[[], T], /) -> T:
    """A wire that is always there and costs no time."""
    return transact()


class MemoryDatabase:
    """What all replicas share."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        prepare(self.connection, "memory")

    def mirror(
        self, *, retention_days: int = 90, now: Callable[[], float] = time.time, wire: StoreWire = direct
    ) -> Mirror:
        """One more process's stores."""
        file = _MemoryFile(self.connection, Lifetimes(retention_days), now, wire)
        return Mirror(SqliteTurnStore(file), SqliteThreadStore(file), file.close)

    def close(self) -> None:
        """Forget everything."""
        self.connection.close()


class _MemoryFile(SqliteFile):
    """One process's way to the shared connection. Nobody purges: tests look at what has expired, too."""

    def __init__(
        self, connection: sqlite3.Connection, lifetimes: Lifetimes, now: Callable[[], float], wire: StoreWire
    ) -> None:
        super().__init__(Path("memory"), lifetimes, now)
        self._db = self._shared = connection
        self._wire = wire

    async def write(self, work: Work[T]) -> T:
        return await self._run(work, "BEGIN IMMEDIATE")

    async def close(self) -> None:
        """The others still need the connection."""

    async def _run(self, work: Work[T], begin: str) -> T:
        return await self._wire(lambda: transact(self._shared, work, begin))


@dataclass(slots=True)
class MemoryReplicas(Replicas):
    """Mirrors of one database in memory."""

    address: str = "memory"
    database: MemoryDatabase = field(default_factory=MemoryDatabase)

    async def open(
        self, *, retention_days: int = 90, now: Callable[[], float] = time.time, through: str = ""
    ) -> Mirror:
        """See Replicas."""
        assert not through, "there is no address for a proxy to stand before"
        return self.database.mirror(retention_days=retention_days, now=now)

    async def close(self) -> None:
        """See Replicas."""
        self.database.close()
