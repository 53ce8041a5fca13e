"""A connection in, a database with this version's tables out: each migration is one step from the version before."""

import sqlite3
from collections.abc import Mapping

from bot.errors import StoreUnusable
from bot.store.schema import VERSION, check_version

APPLICATION_ID = 0x54414E44  # "TAND": how we know our own file

# Columns hold what is asked for; `document` holds everything, as JSON. `at` is when the row was last written.
MIGRATIONS: Mapping[int, str] = {
    1: """
    CREATE TABLE threads (
        id TEXT PRIMARY KEY, starter_id TEXT NOT NULL, document TEXT NOT NULL, expire_at REAL NOT NULL) STRICT;
    CREATE INDEX threads_by_starter ON threads (starter_id);

    CREATE TABLE messages (
        thread TEXT NOT NULL, ts TEXT NOT NULL, readable INTEGER NOT NULL,
        user_id TEXT NOT NULL, asker_id TEXT NOT NULL, document TEXT NOT NULL, expire_at REAL NOT NULL,
        PRIMARY KEY (thread, ts)) STRICT;
    CREATE INDEX messages_by_user ON messages (user_id) WHERE user_id != '';
    CREATE INDEX messages_by_asker ON messages (asker_id) WHERE asker_id != '';

    CREATE TABLE turns (
        id TEXT PRIMARY KEY, thread TEXT NOT NULL, question_ts TEXT NOT NULL, asker_id TEXT NOT NULL,
        state TEXT NOT NULL, open INTEGER NOT NULL, at REAL NOT NULL, nonce TEXT NOT NULL, claim TEXT NOT NULL,
        document TEXT NOT NULL, expire_at REAL NOT NULL) STRICT;
    CREATE INDEX turns_open_by_thread ON turns (thread, question_ts, id) WHERE open;
    CREATE INDEX turns_open_by_time ON turns (at) WHERE open;
    CREATE INDEX turns_by_asker ON turns (asker_id);

    CREATE TABLE claims (id TEXT PRIMARY KEY, expire_at REAL NOT NULL) STRICT;

    CREATE TABLE leases (
        thread TEXT PRIMARY KEY, owner TEXT NOT NULL, nonce TEXT NOT NULL, fence INTEGER NOT NULL,
        at REAL NOT NULL, expire_at REAL NOT NULL) STRICT;

    CREATE TABLE signals (
        id INTEGER PRIMARY KEY, owner TEXT NOT NULL, document TEXT NOT NULL, expire_at REAL NOT NULL) STRICT;
    CREATE INDEX signals_by_owner ON signals (owner);

    CREATE TABLE users (
        team_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, expire_at REAL NOT NULL,
        PRIMARY KEY (team_id, id)) STRICT;
    CREATE TABLE channels (
        team_id TEXT NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, expire_at REAL NOT NULL,
        PRIMARY KEY (team_id, id)) STRICT;

    CREATE INDEX threads_by_expiry ON threads (expire_at);
    CREATE INDEX messages_by_expiry ON messages (expire_at);
    CREATE INDEX turns_by_expiry ON turns (expire_at);
    CREATE INDEX claims_by_expiry ON claims (expire_at);
    CREATE INDEX leases_by_expiry ON leases (expire_at);
    """,
}
# What versions before this one need not know of, and do not mind.
_ADDITIONS = ("CREATE TABLE IF NOT EXISTS pulse (id INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT",)
TABLES = ("threads", "messages", "turns", "claims", "leases", "signals", "users", "channels")


def prepare(db: sqlite3.Connection, where: str) -> None:
    """Bring a new or older database to this version; raises StoreUnusable for one that is not ours to touch."""
    db.execute("BEGIN IMMEDIATE")  # two processes may open one new file
    try:
        found = _version(db, where)
        for step in range(found + 1, VERSION + 1):
            migrate(db, MIGRATIONS[step], step)
        for statement in _ADDITIONS:
            db.execute(statement)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def migrate(db: sqlite3.Connection, statements: str, version: int) -> None:
    """Take one step inside the open transaction (`executescript` would commit it)."""
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {version}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def touch(db: sqlite3.Connection) -> None:
    """Write a page, inside the open transaction, that is as it was."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {version}")


def _version(db: sqlite3.Connection, where: str) -> int:
    """The version found; 0 for a database in which there is nothing."""
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not application_id and not version and not tables:
        return 0
    if application_id != APPLICATION_ID:
        raise StoreUnusable(f"{where} is another program's database. Name a file of Tandem's own, or a new one.")
    check_version(version, where)
    return int(version)
