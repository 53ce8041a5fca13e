"""What only the SQLite stores promise: one file, several processes, its own clock, an hourly purge."""

import asyncio
import json
import sqlite3
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from bot.conversation.mirror import Signal, Taken
from bot.conversation.thread import ThreadKey
from bot.errors import StoreUnavailable, StoreUnusable
from bot.store import open_mirror
from bot.store.lifetimes import DAY_S, Lifetimes
from bot.store.sqlite import SqliteFile
from bot.store.sqlite_schema import APPLICATION_ID, TABLES
from bot.store.sqlite_threads import SqliteThreadStore
from bot.store.sqlite_turns import SqliteTurnStore
from tests.doubles.replicas import KEY, Replicas, asked, finish, said, take, ts
from tests.doubles.sqlite_files import open_by_hand, path_of

_WORKER = """
import asyncio, json, sys
from bot.conversation.mirror import Signal, Taken
from bot.conversation.thread import ThreadKey
from bot.store import open_mirror
from tests.doubles.replicas import asked, finish, ts

async def main(address, owner, threads):
    mirror = await open_mirror(address)
    accepted, taken = [], []
    for seconds in range(threads):
        key = ThreadKey("C0GENERAL", ts(seconds))
        if await mirror.turns.accept(*asked(seconds, key=key), client_msg_id=f"m{seconds}") == "new":
            accepted.append(seconds)
        got = await mirror.turns.take(key, owner, 10.0)
        if isinstance(got, Taken):
            taken.append(seconds)
            await finish(mirror.turns, got, ts(seconds) + "a")
    await mirror.close()
    print(json.dumps({"accepted": accepted, "taken": taken}))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_several_processes_share_one_new_file(sqlite: Replicas) -> None:
    threads = 60
    root = Path(__file__).parents[2]
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _WORKER, sqlite.address, f"process {number}", str(threads)),
            cwd=root,
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(3)
    ]
    try:
        async with asyncio.timeout(60):
            outputs = [(await process.communicate())[0] for process in processes]
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()

    results = [json.loads(output) for output in outputs]
    for kind in ("accepted", "taken"):
        assert sorted(seconds for result in results for seconds in result[kind]) == list(range(threads))


async def test_the_file_is_for_nobody_elses_eyes(sqlite: Replicas) -> None:
    await sqlite.open()

    assert path_of(sqlite).stat().st_mode & 0o077 == 0


async def test_directories_on_the_way_are_made(tmp_path: Path) -> None:
    mirror = await open_mirror(f"sqlite:///{tmp_path}/new/data/tandem.db")
    await mirror.close()

    assert (tmp_path / "new/data/tandem.db").is_file()


async def test_a_relative_address_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    mirror = await open_mirror("sqlite:///data/tandem.db")
    await mirror.close()

    assert (tmp_path / "data/tandem.db").is_file()


async def test_a_database_outlives_its_process(sqlite: Replicas) -> None:
    first = await sqlite.open()
    turn, question = asked()
    await first.turns.accept(turn, question)
    await first.close()

    second = await sqlite.open()

    assert await second.threads.messages(KEY) == [question]
    assert (await take(second.turns)).turn.id == turn.id


@pytest.mark.parametrize("version", [2, 7])
async def test_a_newer_schema_is_refused_and_left_alone(sqlite: Replicas, version: int) -> None:
    await (await sqlite.open()).close()
    with open_by_hand(path_of(sqlite)) as db:
        db.execute(f"PRAGMA user_version = {version}")

    with pytest.raises(StoreUnusable, match=rf"holds schema {version}, and this Tandem reads 1\. Start the newer"):
        await sqlite.open()

    with open_by_hand(path_of(sqlite)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)


async def test_another_programs_database_is_refused_and_left_alone(sqlite: Replicas) -> None:
    with open_by_hand(path_of(sqlite)) as db:
        db.execute("CREATE TABLE cookies (name TEXT)")

    with pytest.raises(StoreUnusable, match=r"another program's database. Name a file of Tandem's own, or a new one\."):
        await sqlite.open()

    with open_by_hand(path_of(sqlite)) as db:
        assert [name for (name,) in db.execute("SELECT name FROM sqlite_schema")] == ["cookies"]


async def test_a_file_that_is_no_database_is_refused(sqlite: Replicas) -> None:
    path_of(sqlite).write_text("Dear diary, today I opened the wrong file. " * 100)

    with pytest.raises(StoreUnusable, match=r"cannot be opened as a database .*Name a file"):
        await sqlite.open()


async def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"cannot be opened as a database .*directory where Tandem may write"):
        await open_mirror(f"sqlite:///{tmp_path}")


async def test_a_new_file_has_every_table_and_says_whose_it_is(sqlite: Replicas) -> None:
    await sqlite.open()

    with open_by_hand(path_of(sqlite)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert tables == {*TABLES, "pulse"}
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_closed_store_is_unavailable(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    await mirror.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        await mirror.turns.accept(*asked())


async def test_writing_deletes_what_has_expired_and_nothing_else_once_an_hour(tmp_path: Path) -> None:
    clock = [time.time()]
    file = SqliteFile(tmp_path / "tandem.db", Lifetimes(30), lambda: clock[0])
    await file.open()
    turns = SqliteTurnStore(file)
    old, new = ThreadKey("C0GENERAL", ts(0)), ThreadKey("C0GENERAL", ts(1))
    await turns.accept(*asked(0, key=old), client_msg_id="m0")
    await finish(turns, await take(turns, key=old), ts(0) + "a")
    clock[0] += 20 * DAY_S
    await turns.accept(*asked(1, key=new), client_msg_id="m1")
    assert await file.write(rows) == {"threads": 2, "messages": 3, "turns": 2, "claims": 2, "leases": 1}

    clock[0] += 11 * DAY_S
    await file.write(rows)

    # The writer after one that found the hour over waits until what has expired is gone.
    assert await file.write(rows) == {"threads": 1, "messages": 1, "turns": 1, "claims": 1}
    await file.close()


def rows(db: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has that is not empty."""
    counts = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608 - our own
    return {table: count for table, count in counts.items() if count}


async def test_a_clock_that_is_set_back_does_not_keep_a_dead_owners_lease_alive(tmp_path: Path) -> None:
    clock = [time.time()]
    file = SqliteFile(tmp_path / "tandem.db", Lifetimes(), lambda: clock[0])
    await file.open()
    turns = SqliteTurnStore(file)
    await turns.accept(*asked())
    await take(turns, owner="dead")

    clock[0] -= 3_600

    taken = await turns.take(KEY, "taker", 10.0)
    assert isinstance(taken, Taken) and taken.lease.fence == 2
    await file.close()


async def test_a_cancelled_caller_leaves_the_store_whole(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    accepting = [asyncio.create_task(mirror.turns.accept(*asked(seconds))) for seconds in range(20)]
    await asyncio.sleep(0)

    for task in accepting[::2]:
        task.cancel()
    await asyncio.gather(*accepting, return_exceptions=True)

    open_turns = await mirror.turns.open_turns(KEY)
    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.revision == len(open_turns) >= 10
    assert len(await mirror.threads.messages(KEY)) == len(open_turns)


async def test_a_repeated_call_answers_as_the_first_would_have(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    turn, question = asked()
    with open_by_hand(path_of(sqlite)) as db:
        db.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(mirror.turns.accept(turn, question))
        await asyncio.sleep(0.1)  # it waits for the file by now
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        db.execute("ROLLBACK")  # and now it is done after all

    assert await mirror.turns.accept(turn, question) == "new"
    assert await mirror.turns.accept(turn, question) == "known"


async def test_no_query_reads_a_whole_table(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "tandem.db", Lifetimes())
    await file.open()
    turns, threads = SqliteTurnStore(file), SqliteThreadStore(file)
    statements: list[str] = []
    await file.read(lambda db: db.set_trace_callback(statements.append))

    turn, question = asked()
    await turns.accept(turn, question, client_msg_id="m1")
    await finish(turns, await take(turns), ts(1))
    await turns.withdraw(turn.id, "stopped", question)
    await turns.open_turns(KEY)
    await turns.open_threads(KEY.channel_id)
    await turns.overdue(1.0, 10)
    await turns.signal("a", Signal("stop", KEY, ts(1)))
    await turns.signals("a")
    await threads.messages(KEY)
    await threads.record(said(2))
    await threads.delete(KEY, ts(2))
    await threads.erase_person("T0ACME", "U0ANN")
    await file.read(lambda db: db.set_trace_callback(None))

    queries = {statement for statement in statements if statement.startswith(("SELECT", "UPDATE", "DELETE"))}
    plans = {query: await file.read(partial(plan, query=query)) for query in queries}
    assert len(plans) > 15
    open_turns_only = "SCAN turns USING INDEX turns_open_by"
    assert [query for query, steps in plans.items() if "SCAN" in steps.replace(open_turns_only, "")] == []
    await file.close()


def plan(db: sqlite3.Connection, query: str) -> str:
    """How SQLite goes about a query."""
    return "; ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))
