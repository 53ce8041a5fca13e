"""Work on an SQLite file in, its result out: one transaction for each piece of work.

The event loop does it itself, in a fraction of a millisecond: handing it to a thread costs more, and under load the
thread waits for the interpreter at every statement. What may last goes to a thread of the file's own: whatever finds
the file locked, deleting what has expired, and moving the log's pages to their place (a commit writes to the log alone,
and does not wait for the disk). Several processes on one host may open one file. Not for network file systems: WAL
needs shared memory.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import StoreUnavailable, StoreUnusable
from bot.store.lifetimes import Lifetimes
from bot.store.sqlite_schema import TABLES, prepare, touch

log = logging.getLogger("tandem.store")
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

DEADLINE_S = 5.0  # for a piece of work, waiting for the file's thread included
_READ, _WRITE = "BEGIN", "BEGIN IMMEDIATE"
_BUSY_S = 3.0  # how long SQLite waits for another process that writes
_CHECKPOINT_EVERY = 200  # writes: some megabytes of log
_PURGE_EVERY_S = 3_600.0
_PURGE_ROWS = 2_000  # of a table at a time, so that nobody waits long for the thread


class SqliteFile:
    """An open database. `now` is the store's own clock, in epoch seconds."""

    def __init__(self, path: Path, lifetimes: Lifetimes, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.lifetimes = lifetimes
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._purged_at = now()
        self._writes = 0
        self._turn = asyncio.Lock()  # to write: one after another, in the order in which they ask
        self._chores: set[asyncio.Task[None]] = set()
        self._given: deque[Future[Any]] = deque()  # to the thread, oldest first, and perhaps not done yet
        self._here: sqlite3.Connection | None = None  # the event loop's: it never waits
        self._db: sqlite3.Connection | None = None  # the thread's

    async def open(self) -> None:
        """Open or create the file; raises StoreUnusable with a sentence that says what to do."""
        try:
            await asyncio.wrap_future(self._thread.submit(self._open))
        except BaseException:
            await self.close()
            raise

    async def write(self, work: Work[T]) -> T:
        """Do all of the work or nothing of it; raises StoreUnavailable."""
        await asyncio.sleep(0)  # whoever asks for much lets others go on in between
        try:
            async with asyncio.timeout(DEADLINE_S), self._turn:
                result = await self._run(work, _WRITE)
        except TimeoutError as late:
            raise self._unavailable(late) from late
        self._writes += 1
        if self._writes % _CHECKPOINT_EVERY == 0:
            self._later(self._checkpoint)
        if self.now() - self._purged_at >= _PURGE_EVERY_S:
            self._purged_at = self.now()
            self._later(self._purge)
        return result

    async def read(self, work: Work[T]) -> T:
        """Look at one state of the database; raises StoreUnavailable."""
        await asyncio.sleep(0)
        return await self._run(work, _READ)

    async def close(self) -> None:
        """Finish what runs, then close the file. Closing twice does no harm."""
        if self._chores:
            await asyncio.wait(self._chores)
        if self._here is not None:
            self._here.close()
            self._here = None
        with suppress(RuntimeError):
            await asyncio.wrap_future(self._thread.submit(self._close))
        self._thread.shutdown(wait=False)

    async def _run(self, work: Work[T], begin: str) -> T:
        if begin == _READ or not self._thread_is_busy():
            try:
                return transact(_usable(self._here), work, begin)
            except sqlite3.Error as failed:
                if getattr(failed, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise self._unavailable(failed) from failed
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await asyncio.wrap_future(self._give(partial(self._patiently, work, begin)))
        except (sqlite3.Error, TimeoutError) as failed:
            raise self._unavailable(failed) from failed
        except RuntimeError as closed:
            raise StoreUnavailable("the database is closed") from closed

    def _unavailable(self, failed: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"the database {self._path.name} did not do it: {failed!r}")

    def _thread_is_busy(self) -> bool:
        """Whether something is left there whose caller was cancelled: it comes first."""
        while self._given and self._given[0].done():
            self._given.popleft()
        return bool(self._given)

    def _give(self, work: Callable[[], T]) -> Future[T]:
        given = self._thread.submit(work)
        self._given.append(given)
        return given

    def _later(self, chore: Callable[[], object]) -> None:
        """Do it beside the loop, as soon as the writers before it are done."""

        async def keep_house() -> None:
            try:
                async with self._turn:
                    await asyncio.wrap_future(self._give(chore))
            except (sqlite3.Error, RuntimeError) as failed:  # it is tried again some time later
                log.warning("SQLite's housekeeping failed", exc_info=failed)

        task = asyncio.create_task(keep_house(), name="SQLite's housekeeping")
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    # What follows runs on the file's own thread.

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # people's words: for nobody else's eyes
            self._db = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
            self._tune(self._db)
            prepare(self._db, str(self._path))
            self._here = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
            self._here.execute("PRAGMA synchronous = NORMAL")
            self._here.execute("PRAGMA wal_autocheckpoint = 0")
        except (sqlite3.Error, OSError) as failed:
            advice = "Name a file in a directory where Tandem may write, on a disk of this machine"
            why = failed.strerror if isinstance(failed, OSError) else failed
            raise StoreUnusable(f"{self._path} cannot be opened as a database ({why}). {advice}.") from failed

    def _tune(self, db: sqlite3.Connection) -> None:
        until = time.monotonic() + _BUSY_S
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as locked:  # the busy timeout does not hold for the switch itself
                if locked.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
        db.execute("PRAGMA synchronous = NORMAL")

    def _patiently(self, work: Work[T], begin: str) -> T:
        return transact(_usable(self._db), work, begin)

    def _checkpoint(self) -> None:
        """Begin the log anew, unless somebody still reads in it.

        What it holds is moved first, which keeps no other process from writing. The new log's first page is written
        here, because whoever writes that waits for the disk.
        """
        db = _usable(self._db)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.execute("PRAGMA busy_timeout = 0")
        try:
            db.execute("PRAGMA wal_checkpoint(RESTART)")
        finally:
            db.execute(f"PRAGMA busy_timeout = {int(_BUSY_S * 1000)}")
        transact(db, touch, _WRITE)

    def _purge(self) -> None:
        """Delete what has expired, some thousands of rows at most."""
        db, now = _usable(self._db), self.now()
        for table in TABLES:
            _delete_expired(db, table, now)

    def _close(self) -> None:
        for db in (self._here, self._db):
            if db is not None:
                db.close()
        self._here = self._db = None


def _usable(db: sqlite3.Connection | None) -> sqlite3.Connection:
    if db is None:
        raise sqlite3.ProgrammingError("the database is closed")
    return db


def transact(db: sqlite3.Connection, work: Work[T], begin: str) -> T:
    """All of the work or nothing of it."""
    db.execute(begin)
    try:
        result = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


def _delete_expired(db: sqlite3.Connection, table: str, now: float) -> None:
    expired = f"SELECT rowid FROM {table} WHERE expire_at < ? LIMIT {_PURGE_ROWS}"  # noqa: S608 - our own names
    db.execute(f"DELETE FROM {table} WHERE rowid IN ({expired})", (now,))  # noqa: S608 - see above
