"""Documents in, rows out, and back: what both SQLite stores do to messages and threads inside a transaction."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from bot.conversation.thread import ThreadKey
from bot.store.documents import Document
from bot.store.lifetimes import Lifetimes
from bot.store.merging import is_readable


def load(text: str) -> Document:
    """The document of a row."""
    document: Document = json.loads(text)
    return document


def load_all(texts: Iterable[str]) -> list[Document]:
    """The documents of many rows; read in one go, they take less than half of the time."""
    documents: list[Document] = json.loads(f"[{','.join(texts)}]")
    return documents


def dump(document: Mapping[str, Any]) -> str:
    """A row's document."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def find_message(db: sqlite3.Connection, thread: ThreadKey, ts: str) -> Document | None:
    """What is stored under a message's ts, expired or not."""
    found = db.execute("SELECT document FROM messages WHERE thread = ? AND ts = ?", (str(thread), ts)).fetchone()
    return load(found[0]) if found else None


def put_message(db: sqlite3.Connection, thread: ThreadKey, ts: str, document: Document, expire_at: float) -> None:
    """Store a message, an early edit, a tombstone or a pointer under its ts."""
    db.execute(
        "INSERT OR REPLACE INTO messages (thread, ts, readable, user_id, asker_id, document, expire_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            str(thread),
            ts,
            is_readable(document),
            document.get("userId", ""),
            document.get("askerId", ""),
            dump(document),
            expire_at,
        ),
    )


def find_thread(db: sqlite3.Connection, key: ThreadKey, now: float) -> Document | None:
    """A thread that is ours and has not expired."""
    found = db.execute("SELECT document FROM threads WHERE id = ? AND expire_at >= ?", (str(key), now)).fetchone()
    return load(found[0]) if found else None


def put_thread(db: sqlite3.Connection, key: ThreadKey, document: Document, expire_at: float) -> None:
    """Store a thread."""
    db.execute(
        "INSERT OR REPLACE INTO threads (id, starter_id, document, expire_at) VALUES (?, ?, ?, ?)",
        (str(key), document["starterId"], dump(document), expire_at),
    )


def touch_thread(db: sqlite3.Connection, key: ThreadKey, now: float, lifetimes: Lifetimes, **changes: object) -> None:
    """Count a change of a thread's messages, and make other changes with it; does nothing if the thread is not ours."""
    document = find_thread(db, key, now)
    if document is not None:
        changed = {**document, **changes, "revision": document["revision"] + 1}
        put_thread(db, key, changed, now + lifetimes.words_s)
