"""An SQLite file never holds the event loop up: whoever finds it locked waits elsewhere, and its log does not grow."""

import asyncio
import time

import pytest

from bot.errors import StoreUnavailable
from bot.store import Mirror
from tests.doubles.replicas import KEY, Replicas, asked, said, ts
from tests.doubles.sqlite_files import open_by_hand, path_of


async def test_a_locked_file_is_unavailable_within_the_deadline_and_works_again(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    with open_by_hand(path_of(sqlite)) as db:
        db.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()

        with pytest.raises(StoreUnavailable, match="locked"):
            await mirror.turns.accept(*asked())

        assert time.monotonic() - started < 5.5
        db.execute("ROLLBACK")

    assert await mirror.turns.accept(*asked()) == "new"


async def test_reading_does_not_wait_for_a_writer(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    await mirror.turns.accept(*asked())
    with open_by_hand(path_of(sqlite)) as db:
        db.execute("BEGIN IMMEDIATE")

        assert len(await mirror.threads.messages(KEY)) == 1


async def test_who_finds_the_file_locked_waits_and_nobody_waits_with_them(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    await mirror.turns.accept(*asked())
    with open_by_hand(path_of(sqlite)) as another:
        another.execute("BEGIN IMMEDIATE")

        writing = asyncio.create_task(mirror.threads.record(said(1)))
        for _ in range(20):
            await asyncio.sleep(0.01)
            assert await mirror.threads.thread(KEY) is not None
        assert not writing.done()
        another.execute("COMMIT")
        await writing

    assert [message.ts for message in await mirror.threads.messages(KEY)] == [ts(0), ts(1)]


async def test_many_writers_of_two_processes_all_come_through(sqlite: Replicas) -> None:
    here, there = await sqlite.open(), await sqlite.open()
    await here.turns.accept(*asked())

    async def write(mirror: Mirror, first: int) -> None:
        for number in range(first, first + 100):
            await mirror.threads.record(said(number))

    await asyncio.gather(write(here, 100), write(there, 200), write(here, 300), write(there, 400))

    assert len(await here.threads.messages(KEY, limit=1_000)) == 401


async def test_the_log_is_moved_to_its_place_while_much_is_written(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    await mirror.turns.accept(*asked())

    for number in range(1, 2_000):
        await mirror.threads.record(said(number, "word " * 200))

    log = path_of(sqlite).with_suffix(".db-wal")
    assert log.stat().st_size < 16 * 2**20


async def test_a_reader_that_stays_holds_no_writer_up(sqlite: Replicas) -> None:
    here, there = await sqlite.open(), await sqlite.open()
    await here.turns.accept(*asked())
    with open_by_hand(path_of(sqlite)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM turns").fetchone()

        async with asyncio.timeout(2.5):  # less than SQLite waits for whoever is in the way
            for number in range(1, 450):
                await (here if number % 2 else there).threads.record(said(number))


async def test_what_was_asked_for_later_is_done_later(sqlite: Replicas) -> None:
    mirror = await sqlite.open()
    await mirror.turns.accept(*asked())
    with open_by_hand(path_of(sqlite)) as another:
        another.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(mirror.threads.set_thread_model(KEY, "first"))
        await asyncio.sleep(0.05)
        another.execute("COMMIT")
    await mirror.threads.set_thread_model(KEY, "second")
    await first

    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.model_id == "second"
