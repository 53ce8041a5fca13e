"""A version reads its own schema and the one before, and takes older files forward step by step."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.errors import StoreUnusable
from bot.store import schema, sqlite_schema
from bot.store.schema import check_version


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """An empty database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        yield db


@pytest.fixture
def third_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were version 3."""
    steps = {
        1: sqlite_schema.MIGRATIONS[1],
        2: "CREATE TABLE moods (id TEXT PRIMARY KEY); ALTER TABLE claims ADD COLUMN mood TEXT NOT NULL DEFAULT ''",
        3: "ALTER TABLE moods ADD COLUMN colour TEXT",
    }
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", steps)
    monkeypatch.setattr(sqlite_schema, "VERSION", 3)
    monkeypatch.setattr(schema, "VERSION", 3)


def version(db: sqlite3.Connection) -> int:
    """The schema that a database says it has."""
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    return found


@pytest.mark.usefixtures("third_version")
def test_this_schema_and_the_one_before_are_read() -> None:
    check_version(3, "the store")
    check_version(2, "the store")


@pytest.mark.usefixtures("third_version")
def test_an_older_schema_is_refused_with_what_to_do() -> None:
    with pytest.raises(StoreUnusable, match="the store holds schema 1, and this Tandem reads 3"):
        check_version(1, "the store")


@pytest.mark.usefixtures("third_version")
def test_a_newer_schema_is_refused_with_what_to_do() -> None:
    with pytest.raises(StoreUnusable, match="Start the newer Tandem that wrote it, or name another store"):
        check_version(4, "the store")


def test_there_was_no_schema_before_the_first() -> None:
    with pytest.raises(StoreUnusable, match="holds schema 0"):
        check_version(0, "the store")


def test_an_empty_database_gets_this_schema(db: sqlite3.Connection) -> None:
    sqlite_schema.prepare(db, "the file")
    sqlite_schema.prepare(db, "the file")

    assert version(db) == schema.VERSION


@pytest.mark.usefixtures("third_version")
def test_an_empty_database_takes_every_step(db: sqlite3.Connection) -> None:
    sqlite_schema.prepare(db, "the file")

    db.execute("INSERT INTO moods (id, colour) VALUES ('calm', 'blue')")
    assert version(db) == 3


def test_the_schema_before_is_taken_forward_with_all_that_is_in_it(
    db: sqlite3.Connection, request: pytest.FixtureRequest
) -> None:
    sqlite_schema.prepare(db, "the file")
    db.execute("INSERT INTO claims (id, expire_at) VALUES ('C:m1', 1.0)")
    request.getfixturevalue("third_version")
    db.execute("BEGIN")
    sqlite_schema.migrate(db, sqlite_schema.MIGRATIONS[2], 2)
    db.execute("COMMIT")

    sqlite_schema.prepare(db, "the file")

    assert version(db) == 3
    assert db.execute("SELECT id, mood FROM claims").fetchall() == [("C:m1", "")]


def test_a_step_that_fails_leaves_everything_as_it_was(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_schema.prepare(db, "the file")
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", {2: "CREATE TABLE moods (id TEXT); ALTER TABLE nowhere ADD x"})
    monkeypatch.setattr(sqlite_schema, "VERSION", 2)

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        sqlite_schema.prepare(db, "the file")

    assert version(db) == 1
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'moods'").fetchone() == (0,)
