"""TurnStore in an SQLite file: every method is one transaction."""

import sqlite3
from collections.abc import Mapping, Sequence

from bot.conversation.mirror import Acceptance, Busy, Lease, Outage, Signal, Taken
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Turn, TurnState
from bot.errors import LeaseLost
from bot.store.beginning import begun
from bot.store.bounds import MAX_OPEN_THREADS, MAX_SIGNALS
from bot.store.documents import (
    Document,
    new_thread,
    ours_sooner,
    read_signal,
    read_thread,
    read_turn,
    signal_document,
    thread_document,
    turn_document,
    turn_progress,
)
from bot.store.merging import is_readable, is_tombstone, pointer, with_answer, with_original
from bot.store.pulse import beaten, outages_of
from bot.store.sqlite import SqliteFile
from bot.store.sqlite_rows import dump, find_message, find_thread, load, put_message, put_thread, touch_thread
from bot.store.unsettled import Unsettled, new_nonce

_CLOCK_STEP_S = 1.0  # a lease from further in the future was written before the host's clock was set back


class SqliteTurnStore:
    """The turns, the leases and the signals of a file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._unsettled = Unsettled()

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        """See TurnStore."""
        claim = f"{turn.thread.channel_id}:{client_msg_id}" if client_msg_id else ""
        with self._unsettled.nonce(turn.id) as nonce:
            return await self._file.write(lambda db: self._accept(db, turn, question, claim, nonce))

    def _accept(self, db: sqlite3.Connection, turn: Turn, question: Message, claim: str, nonce: str) -> Acceptance:
        now, lifetimes = self._file.now(), self._file.lifetimes
        accepted = db.execute("SELECT nonce FROM turns WHERE id = ?", (turn.id,)).fetchone()
        if accepted:
            return "new" if accepted[0] == nonce else "known"
        if claim and db.execute("SELECT 1 FROM claims WHERE id = ? AND expire_at >= ?", (claim, now)).fetchone():
            return "known"
        stored = find_message(db, turn.thread, question.ts)
        if is_tombstone(stored):
            return "deleted"

        merged = with_original(stored, question)
        if merged is not None:
            put_message(db, turn.thread, question.ts, merged, now + lifetimes.words_s)
        thread = find_thread(db, turn.thread, now) or thread_document(new_thread(turn))
        changed = {**thread, **ours_sooner(thread, turn), "revision": thread["revision"] + 1}
        put_thread(db, turn.thread, changed, now + lifetimes.words_s)
        if claim:
            db.execute("INSERT OR REPLACE INTO claims (id, expire_at) VALUES (?, ?)", (claim, now + lifetimes.turns_s))
        db.execute(
            "INSERT INTO turns (id, thread, question_ts, asker_id, state, open, at, nonce, claim, document, expire_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                turn.id,
                str(turn.thread),
                turn.question_ts,
                turn.asker_id,
                turn.state,
                turn.open,
                now,
                nonce,
                claim,
                dump(turn_document(turn)),
                now + lifetimes.turns_s,
            ),
        )
        return "new"

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        """See TurnStore."""
        return await self._file.write(lambda db: self._take(db, thread, owner, lease_s))

    def _take(self, db: sqlite3.Connection, key: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        now = self._file.now()
        waiting = _open_turns(db, key, limit=1)
        if not waiting:
            return None
        held = db.execute("SELECT owner, fence, at FROM leases WHERE thread = ?", (str(key),)).fetchone()
        if held and held[0] and -_CLOCK_STEP_S <= now - held[2] < lease_s:
            return Busy(held[0], max(0.0, lease_s - max(0.0, now - held[2])))

        lease = Lease(key, owner, new_nonce(), (held[1] if held else 0) + 1)
        turn = begun(waiting[0], lease.fence)
        db.execute(
            "INSERT OR REPLACE INTO leases (thread, owner, nonce, fence, at, expire_at) VALUES (?, ?, ?, ?, ?, ?)",
            (str(key), owner, lease.nonce, lease.fence, now, now + self._file.lifetimes.turns_s),
        )
        self._write_turn(db, turn)
        touch_thread(db, key, now, self._file.lifetimes)
        document = find_thread(db, key, now)
        told = read_thread(key, document) if document else new_thread(turn)
        return Taken(lease, turn, told, held[0] if held else "")

    async def renew(self, lease: Lease) -> Lease:
        """See TurnStore."""
        await self._file.write(lambda db: self._hold(db, lease))
        return lease

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

        def work(db: sqlite3.Connection) -> None:
            self._hold(db, lease, release=release)
            self._write_turn(db, turn)
            if answer is not None:
                self._write_answer(db, turn, answer)
            if cut is not None:
                self._write_cut(db, turn.thread, *cut)
            for ts, name in (names or {}).items():
                self._write_name(db, turn.thread, ts, name)

        await self._file.write(work)
        return lease

    async def release(self, lease: Lease, turn: Turn | None = None) -> None:
        """See TurnStore."""

        def work(db: sqlite3.Connection) -> None:
            self._hold(db, lease, release=True)
            if turn is not None:
                self._write_turn(db, turn)

        try:
            await self._file.write(work)
        except LeaseLost:
            return

    async def withdraw(self, turn_id: str, state: TurnState, answer: Message) -> bool:
        """See TurnStore."""
        with self._unsettled.nonce(turn_id) as nonce:
            return await self._file.write(lambda db: self._withdraw(db, turn_id, state, answer, nonce))

    def _withdraw(self, db: sqlite3.Connection, turn_id: str, state: TurnState, answer: Message, nonce: str) -> bool:
        found = db.execute("SELECT document, nonce FROM turns WHERE id = ?", (turn_id,)).fetchone()
        if not found or load(found[0])["state"] != "waiting":
            return bool(found) and found[1] == nonce
        turn = read_turn(turn_id, load(found[0]) | {"state": state})
        self._write_turn(db, turn)
        db.execute("UPDATE turns SET nonce = ? WHERE id = ?", (nonce, turn_id))
        self._write_answer(db, turn, answer)
        touch_thread(db, turn.thread, self._file.now(), self._file.lifetimes)
        return True

    async def open_turns(self, thread: ThreadKey) -> Sequence[Turn]:
        """See TurnStore."""
        return await self._file.read(lambda db: _open_turns(db, thread))

    async def open_threads(self, channel_id: str) -> Sequence[ThreadKey]:
        """See TurnStore."""
        query = "SELECT DISTINCT thread FROM turns WHERE open AND thread BETWEEN ? AND ? ORDER BY thread LIMIT ?"
        values = (f"{channel_id}:", f"{channel_id};", MAX_OPEN_THREADS)  # ";" comes right after ":"
        rows = await self._file.read(lambda db: db.execute(query, values).fetchall())
        return [ThreadKey.parse(thread) for (thread,) in rows]

    async def turn(self, turn_id: str) -> Turn | None:
        """See TurnStore."""
        found = await self._file.read(
            lambda db: db.execute("SELECT document FROM turns WHERE id = ?", (turn_id,)).fetchone()
        )
        return read_turn(turn_id, load(found[0])) if found else None

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[ThreadKey]:
        """See TurnStore. A thread whose lease is alive is in good hands, however old its turns are."""
        before = self._file.now() - older_than_s
        query = (
            "SELECT thread FROM turns WHERE open AND at < ? AND NOT EXISTS ("
            "SELECT 1 FROM leases WHERE leases.thread = turns.thread AND owner != '' AND leases.at >= ?)"
            " GROUP BY thread ORDER BY min(at) LIMIT ?"
        )
        rows = await self._file.read(lambda db: db.execute(query, (before, before, limit)).fetchall())
        return [ThreadKey.parse(thread) for (thread,) in rows]

    async def holder(self, thread: ThreadKey) -> str | None:
        """See TurnStore."""
        query = "SELECT owner FROM leases WHERE thread = ?"
        found = await self._file.read(lambda db: db.execute(query, (str(thread),)).fetchone())
        return (found[0] or None) if found else None

    async def signal(self, owner: str, signal: Signal) -> None:
        """See TurnStore."""
        expire_at = self._file.now() + self._file.lifetimes.signals_s

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO signals (owner, document, expire_at) VALUES (?, ?, ?)",
                (owner, dump(signal_document(signal)), expire_at),
            )
            db.execute(
                "DELETE FROM signals WHERE owner = ? AND id NOT IN"
                " (SELECT id FROM signals WHERE owner = ? ORDER BY id DESC LIMIT ?)",
                (owner, owner, MAX_SIGNALS),
            )

        await self._file.write(work)

    async def signals(self, owner: str, *, keep: bool = False) -> Sequence[Signal]:
        """See TurnStore."""
        now = self._file.now()

        def look(db: sqlite3.Connection) -> list[str]:
            query = "SELECT document FROM signals WHERE owner = ? AND expire_at >= ? ORDER BY id"
            return [document for (document,) in db.execute(query, (owner, now))]

        def take(db: sqlite3.Connection) -> list[str]:
            documents = look(db)
            db.execute("DELETE FROM signals WHERE owner = ?", (owner,))
            return documents

        left = await self._file.read(look)  # asked every second or two: no write where there is nothing
        if left and not keep:
            left = await self._file.write(take)
        return [read_signal(load(document)) for document in left]

    async def pulse(self, missed: Sequence[Outage], *, silent_s: float) -> Sequence[Outage]:
        """See TurnStore."""

        def work(db: sqlite3.Connection) -> Document:
            found = db.execute("SELECT document FROM pulse").fetchone()
            document = beaten(load(found[0]) if found else None, self._file.now(), missed, silent_s)
            db.execute("INSERT OR REPLACE INTO pulse (id, document) VALUES (1, ?)", (dump(document),))
            return document

        return outages_of(await self._file.write(work))

    # Inside a transaction.

    def _hold(self, db: sqlite3.Connection, lease: Lease, *, release: bool = False) -> None:
        """Renew or release the lease; raises LeaseLost, which undoes the transaction."""
        owner, nonce = ("", "") if release else (lease.owner, lease.nonce)
        ours = db.execute(
            "UPDATE leases SET owner = ?, nonce = ?, at = ? WHERE thread = ? AND nonce = ? AND fence = ?",
            (owner, nonce, self._file.now(), str(lease.thread), lease.nonce, lease.fence),
        )
        if not ours.rowcount:
            raise LeaseLost(f"{lease.owner} no longer holds {lease.thread}")

    def _write_turn(self, db: sqlite3.Connection, turn: Turn) -> None:
        found = db.execute("SELECT document FROM turns WHERE id = ?", (turn.id,)).fetchone()
        if not found:
            raise LeaseLost(f"the turn {turn.id} was erased")
        document: Document = load(found[0]) | turn_progress(turn)
        db.execute(
            "UPDATE turns SET state = ?, open = ?, at = ?, document = ? WHERE id = ?",
            (turn.state, turn.open, self._file.now(), dump(document), turn.id),
        )

    def _write_answer(self, db: sqlite3.Connection, turn: Turn, answer: Message) -> None:
        expire_at = self._file.now() + self._file.lifetimes.words_s
        later = [part.ts for part in turn.parts if part.ts != answer.ts]
        stored = {ts: find_message(db, turn.thread, ts) for ts in (answer.ts, *later)}
        document = with_answer(stored.values(), answer, turn.asker_id)
        put_message(db, turn.thread, answer.ts, document, expire_at)
        for ts in later:
            if not is_tombstone(stored[ts]):
                put_message(db, turn.thread, ts, pointer(answer.ts), expire_at)

    def _write_cut(self, db: sqlite3.Connection, key: ThreadKey, model_id: str, ts: str) -> None:
        document = find_thread(db, key, self._file.now())
        if document is not None:
            document["cuts"][model_id] = ts
            put_thread(db, key, document, self._file.now() + self._file.lifetimes.words_s)

    def _write_name(self, db: sqlite3.Connection, key: ThreadKey, ts: str, name: str) -> None:
        stored = find_message(db, key, ts)
        if stored is not None and is_readable(stored):
            stored["name"] = name
            put_message(db, key, ts, stored, self._file.now() + self._file.lifetimes.words_s)


def _open_turns(db: sqlite3.Connection, thread: ThreadKey, limit: int = -1) -> list[Turn]:
    rows = db.execute(
        "SELECT id, document FROM turns WHERE thread = ? AND open ORDER BY question_ts, id LIMIT ?",
        (str(thread), limit),
    )
    return [read_turn(turn_id, load(document)) for turn_id, document in rows]
