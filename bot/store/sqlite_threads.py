"""ThreadStore in an SQLite file: every method is one transaction."""

import sqlite3
from collections.abc import Callable, Sequence

from bot.conversation.thread import Channel, Message, Person, Thread, ThreadKey
from bot.store.documents import (
    Document,
    channel_document,
    person_document,
    read_channel,
    read_message,
    read_person,
    read_thread,
)
from bot.store.merging import Stored, is_early_edit, target, tombstone, with_edit, with_original
from bot.store.sqlite import SqliteFile
from bot.store.sqlite_rows import dump, find_message, find_thread, load, load_all, put_message, put_thread, touch_thread


class SqliteThreadStore:
    """The threads, the messages, and what teams chose, of a file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def thread(self, key: ThreadKey) -> Thread | None:
        """See ThreadStore."""
        document = await self._file.read(lambda db: find_thread(db, key, self._file.now()))
        return read_thread(key, document) if document else None

    async def messages(self, key: ThreadKey, *, since_ts: str = "", limit: int = 400) -> Sequence[Message]:
        """See ThreadStore."""
        query = (
            "SELECT document FROM messages WHERE thread = ? AND ts >= ? AND readable AND expire_at >= ?"
            " ORDER BY ts DESC LIMIT ?"
        )
        values = (str(key), since_ts, self._file.now(), limit)
        rows = await self._file.read(lambda db: db.execute(query, values).fetchall())
        return [read_message(key, document) for document in load_all(document for (document,) in reversed(rows))]

    async def message(self, key: ThreadKey, ts: str) -> Message | None:
        """See ThreadStore."""
        query = "SELECT document FROM messages WHERE thread = ? AND ts = ? AND readable AND expire_at >= ?"
        values = (str(key), ts, self._file.now())
        found = await self._file.read(lambda db: db.execute(query, values).fetchone())
        return read_message(key, load(found[0])) if found else None

    async def record(self, message: Message) -> None:
        """See ThreadStore."""
        await self._change(message.thread, message.ts, lambda stored: with_original(stored, message))

    async def edit(self, key: ThreadKey, ts: str, text: str, edited_ts: str) -> None:
        """See ThreadStore."""
        await self._change(key, ts, lambda stored: with_edit(stored, text, edited_ts))

    async def delete(self, key: ThreadKey, ts: str) -> None:
        """See ThreadStore."""

        def work(db: sqlite3.Connection) -> None:
            whole = target(find_message(db, key, ts))
            for each in filter(None, (ts, whole)):
                self._put(db, key, each, tombstone())
            touch_thread(db, key, self._file.now(), self._file.lifetimes)

        await self._file.write(work)

    async def backfill(self, key: ThreadKey, messages: Sequence[Message]) -> None:
        """See ThreadStore."""

        def work(db: sqlite3.Connection) -> None:
            for message in messages:
                merged = with_original(find_message(db, key, message.ts), message)
                if merged is not None:
                    self._put(db, key, message.ts, merged)
            touch_thread(db, key, self._file.now(), self._file.lifetimes, backfilled=True)

        await self._file.write(work)

    async def set_thread_model(self, key: ThreadKey, model_id: str) -> bool:
        """See ThreadStore."""

        def work(db: sqlite3.Connection) -> bool:
            document = find_thread(db, key, self._file.now())
            if document is None:
                return False
            changed = document | {"modelId": model_id, "revision": document["revision"] + 1}
            put_thread(db, key, changed, self._file.now() + self._file.lifetimes.words_s)
            return True

        return await self._file.write(work)

    async def person(self, team_id: str, user_id: str) -> Person | None:
        """See ThreadStore."""
        document = await self._find("SELECT document FROM users WHERE team_id = ? AND id = ?", team_id, user_id)
        return read_person(team_id, user_id, document) if document else None

    async def save_person(self, person: Person) -> None:
        """See ThreadStore."""
        document = person_document(person)
        chosen = bool(person.model_id)
        await self._replace("users", person.team_id, person.user_id, document, chosen=chosen)

    async def channel(self, team_id: str, channel_id: str) -> Channel | None:
        """See ThreadStore."""
        document = await self._find("SELECT document FROM channels WHERE team_id = ? AND id = ?", team_id, channel_id)
        return read_channel(team_id, channel_id, document) if document else None

    async def save_channel(self, channel: Channel) -> None:
        """See ThreadStore."""
        document = channel_document(channel)
        chosen = bool(channel.model_id or channel.self_hosted_only or channel.reply_mode)
        await self._replace("channels", channel.team_id, channel.channel_id, document, chosen=chosen)

    async def erase_person(self, team_id: str, user_id: str) -> int:
        """See ThreadStore."""

        def work(db: sqlite3.Connection) -> int:
            said = (
                "SELECT thread, ts FROM messages"
                " WHERE (user_id = ? AND user_id != '') OR (asker_id = ? AND asker_id != '')"  # as the indexes are
            )
            rows = db.execute(said, (user_id, user_id)).fetchall()
            for thread, ts in rows:
                self._put(db, ThreadKey.parse(thread), ts, tombstone())
            for thread in {thread for thread, _ in rows}:
                touch_thread(db, ThreadKey.parse(thread), self._file.now(), self._file.lifetimes)
            claimed = "DELETE FROM claims WHERE id IN (SELECT claim FROM turns WHERE asker_id = ? AND claim != '')"
            gone = db.execute(claimed, (user_id,)).rowcount
            gone += db.execute("DELETE FROM turns WHERE asker_id = ?", (user_id,)).rowcount
            gone += db.execute("DELETE FROM users WHERE team_id = ? AND id = ?", (team_id, user_id)).rowcount
            self._forget_starter(db, user_id)
            return len(rows) + gone

        return await self._file.write(work)

    async def close(self) -> None:
        """See ThreadStore."""
        await self._file.close()

    async def _change(self, key: ThreadKey, ts: str, change: Callable[[Stored], Document | None]) -> None:
        def work(db: sqlite3.Connection) -> None:
            changed = change(find_message(db, key, ts))
            if changed is not None:
                self._put(db, key, ts, changed)
                touch_thread(db, key, self._file.now(), self._file.lifetimes)

        await self._file.write(work)

    async def _find(self, query: str, team_id: str, name: str) -> Document | None:
        found = await self._file.read(lambda db: db.execute(query, (team_id, name)).fetchone())
        return load(found[0]) if found else None

    async def _replace(self, table: str, team_id: str, name: str, document: Document, *, chosen: bool) -> None:
        lifetimes = self._file.lifetimes
        expire_at = self._file.now() + (lifetimes.choices_s if chosen else lifetimes.words_s)
        query = f"INSERT OR REPLACE INTO {table} (team_id, id, document, expire_at) VALUES (?, ?, ?, ?)"  # noqa: S608
        await self._file.write(lambda db: db.execute(query, (team_id, name, dump(document), expire_at)))

    # Inside a transaction.

    def _put(self, db: sqlite3.Connection, key: ThreadKey, ts: str, document: Document) -> None:
        lifetimes = self._file.lifetimes
        kept_s = lifetimes.stray_s if is_early_edit(document) else lifetimes.words_s
        put_message(db, key, ts, document, self._file.now() + kept_s)

    def _forget_starter(self, db: sqlite3.Connection, user_id: str) -> None:
        rows = db.execute("SELECT id, document, expire_at FROM threads WHERE starter_id = ?", (user_id,)).fetchall()
        for thread, document, expire_at in rows:
            put_thread(db, ThreadKey.parse(thread), load(document) | {"starterId": "", "title": ""}, expire_at)
