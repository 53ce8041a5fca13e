"""Whatever becomes of the way to Firestore: lost answers, cut connections, frozen servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.conversation.mirror import Signal, Taken
from bot.conversation.thread import Channel, Person
from bot.conversation.turn import Part
from bot.errors import BotError, StoreUnavailable, StoreUnusable
from bot.store import Mirror, open_mirror
from bot.store.firestore_calls import DEADLINE_S
from tests.doubles.cutting_proxy import CuttingProxy, cutting_proxy
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.replicas import KEY, LEASE_S, Replicas, answered, asked, finish, said, take, ts


@dataclass(frozen=True, slots=True)
class Cut:
    """A mirror whose connection can be cut after a write went out, and one beside it that sees what was written."""

    proxy: CuttingProxy
    mirror: Mirror
    beside: Mirror


@pytest.fixture
async def cut(firestore: Replicas) -> AsyncIterator[Cut]:
    """See Cut."""
    async with cutting_proxy(firestore.emulator_host) as proxy:
        yield Cut(proxy, await firestore.open(through=proxy.address), await firestore.open())


# Lost answers: the connection is cut after the server has the write. The library alone would report a failure.


async def test_an_accept_whose_answer_is_lost_is_new_all_the_same(cut: Cut) -> None:
    turn, question = asked()
    cut.proxy.cut_after(b"askedAt")

    assert await cut.mirror.turns.accept(turn, question, client_msg_id="m1") == "new"

    assert cut.proxy.cuts == 1
    assert await cut.beside.turns.accept(turn, question, client_msg_id="m1") == "known"
    thread = await cut.beside.threads.thread(KEY)
    assert thread is not None and thread.revision == 1


async def test_an_accept_that_gave_up_is_recognised_when_it_is_repeated(cut: Cut) -> None:
    turn, question = asked()
    cut.proxy.cut_after(b"askedAt")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.15):  # as an impatient caller does; the proxy holds the answer back for longer
            await cut.mirror.turns.accept(turn, question)
    async with asyncio.timeout(5):
        while await cut.beside.turns.turn(turn.id) is None:
            await asyncio.sleep(0.02)

    assert await cut.mirror.turns.accept(turn, question) == "new"
    assert await cut.mirror.turns.accept(turn, question) == "known"


async def test_a_take_whose_answer_is_lost_is_ours_all_the_same(cut: Cut) -> None:
    await cut.mirror.turns.accept(*asked())
    cut.proxy.cut_after(b"lastActivityAt")

    taken = await take(cut.mirror.turns)

    assert cut.proxy.cuts == 1
    assert taken.turn.attempts == 1 and taken.lease.fence == 1
    await finish(cut.mirror.turns, taken, ts(1))


async def test_a_save_whose_answer_is_lost_was_done_once(cut: Cut) -> None:
    turn, question = asked()
    await cut.mirror.turns.accept(turn, question)
    taken = await take(cut.mirror.turns)
    done = replace(taken.turn, state="delivering", parts=(Part(ts(1), "edit"), Part(ts(2), "edit")))
    cut.proxy.cut_after(b"mark")

    lease = await cut.mirror.turns.save(taken.lease, done, answer=answered(turn, ts(1)), names={question.ts: "Ann"})
    await cut.mirror.turns.save(lease, replace(done, state="answered"), release=True)

    assert cut.proxy.cuts == 1
    assert await cut.beside.threads.messages(KEY) == [replace(question, name="Ann"), answered(turn, ts(1))]
    thread = await cut.beside.threads.thread(KEY)
    assert thread is not None and thread.revision == taken.thread.revision


async def test_a_heartbeat_whose_answer_is_lost_keeps_the_lease(cut: Cut) -> None:
    await cut.mirror.turns.accept(*asked())
    taken = await take(cut.mirror.turns)
    cut.proxy.cut_after(b"mark")

    lease = await cut.mirror.turns.renew(taken.lease)

    assert cut.proxy.cuts == 1
    await cut.mirror.turns.renew(lease)


async def test_a_lease_is_still_ours_after_a_heartbeat_that_nobody_heard_of(cut: Cut) -> None:
    await cut.mirror.turns.accept(*asked())
    taken = await take(cut.mirror.turns)
    await cut.mirror.turns.renew(taken.lease)  # done, and its outcome forgotten

    await finish(cut.mirror.turns, taken, ts(1))

    assert await cut.beside.turns.holder(KEY) is None


async def test_a_release_whose_answer_is_lost_is_no_lost_lease(cut: Cut) -> None:
    await cut.mirror.turns.accept(*asked())
    taken = await take(cut.mirror.turns)
    done = replace(taken.turn, state="answered")
    cut.proxy.cut_after(b"mark")

    await cut.mirror.turns.save(taken.lease, done, answer=answered(done, ts(1)), release=True)

    assert cut.proxy.cuts == 1
    assert await cut.beside.turns.holder(KEY) is None
    assert await cut.beside.turns.turn(done.id) == done


async def test_a_withdrawal_whose_answer_is_lost_is_done(cut: Cut) -> None:
    turn, question = asked()
    await cut.mirror.turns.accept(turn, question)
    cut.proxy.cut_after(b"nonce")

    assert await cut.mirror.turns.withdraw(turn.id, "stopped", answered(turn, question.ts + "a", ""))

    assert cut.proxy.cuts == 1
    thread = await cut.beside.threads.thread(KEY)
    assert thread is not None and thread.revision == 2


async def test_words_are_handed_out_once_though_answers_are_lost(cut: Cut) -> None:
    words = [Signal("stop", KEY, ts(1)), Signal("delete", KEY, ts(2))]
    cut.proxy.cut_after(b"leftAt")
    for word in words:
        await cut.mirror.turns.signal("owner", word)
    cut.proxy.cut_after(b"takenBy")

    assert await cut.mirror.turns.signals("owner") == words
    assert await cut.mirror.turns.signals("owner") == []
    assert cut.proxy.cuts == 2


@pytest.mark.parametrize("marker", [b"editedTs", b"deleted"])
async def test_a_change_whose_answer_is_lost_is_counted_once(cut: Cut, marker: bytes) -> None:
    await cut.mirror.turns.accept(*asked())
    cut.proxy.cut_after(marker)

    await cut.mirror.threads.edit(KEY, ts(0), "edited", ts(2))
    await cut.mirror.threads.delete(KEY, ts(0))

    assert cut.proxy.cuts == 1
    thread = await cut.beside.threads.thread(KEY)
    assert thread is not None and thread.revision == 3


# Outages


def each_method(mirror: Mirror, taken: Taken) -> dict[str, Callable[[], Any]]:
    """Every method of both ports, called as it is used."""
    turns, threads, turn = mirror.turns, mirror.threads, taken.turn
    return {
        "accept": lambda: turns.accept(*asked(5)),
        "take": lambda: turns.take(KEY, "b", LEASE_S),
        "renew": lambda: turns.renew(taken.lease),
        "save": lambda: turns.save(taken.lease, turn),
        "release": lambda: turns.release(taken.lease),
        "withdraw": lambda: turns.withdraw(turn.id, "stopped", answered(turn, ts(1))),
        "open_turns": lambda: turns.open_turns(KEY),
        "open_threads": lambda: turns.open_threads(KEY.channel_id),
        "turn": lambda: turns.turn(turn.id),
        "overdue": lambda: turns.overdue(1.0, 10),
        "holder": lambda: turns.holder(KEY),
        "signal": lambda: turns.signal("a", Signal("stop", KEY, ts(1))),
        "signals": lambda: turns.signals("a"),
        "thread": lambda: threads.thread(KEY),
        "messages": lambda: threads.messages(KEY),
        "record": lambda: threads.record(said(3)),
        "edit": lambda: threads.edit(KEY, ts(0), "edited", ts(1)),
        "delete": lambda: threads.delete(KEY, ts(2)),
        "backfill": lambda: threads.backfill(KEY, [said(4)]),
        "set_thread_model": lambda: threads.set_thread_model(KEY, "gemini"),
        "person": lambda: threads.person("T0ACME", "U0ANN"),
        "save_person": lambda: threads.save_person(Person("T0ACME", "U0ANN")),
        "channel": lambda: threads.channel("T0ACME", "C0GENERAL"),
        "save_channel": lambda: threads.save_channel(Channel("T0ACME", "C0GENERAL")),
        "erase_person": lambda: threads.erase_person("T0ACME", "U0NOBODY"),
    }


async def test_a_frozen_store_is_unavailable_within_the_deadline_and_works_when_it_thaws(
    firestore: Replicas, emulator: FirestoreEmulator
) -> None:
    mirror = await firestore.open()
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)
    calls = each_method(mirror, taken)
    loop = asyncio.get_running_loop()
    took_s: dict[str, float] = {}

    async def timed(name: str) -> BaseException | None:
        started = loop.time()
        try:
            await calls[name]()
        except BotError as error:
            return error
        finally:
            took_s[name] = loop.time() - started
        return None

    with emulator.frozen():
        errors = await asyncio.gather(*map(timed, calls))

    assert {name for name, error in zip(calls, errors, strict=True) if not isinstance(error, StoreUnavailable)} == set()
    assert max(took_s.values()) < DEADLINE_S + 0.5
    async with asyncio.timeout(5):
        thawed = await mirror.threads.thread(KEY)
    assert thawed is not None


async def test_a_cut_connection_is_made_anew_at_once(cut: Cut) -> None:
    await cut.proxy.close()
    started = asyncio.get_running_loop().time()

    assert await cut.mirror.turns.accept(*asked()) == "new"

    assert asyncio.get_running_loop().time() - started < 2.0


async def test_a_store_that_nobody_serves_is_unusable_and_says_what_to_check(free_port: int) -> None:
    with pytest.raises(
        StoreUnusable, match=r"firestore://project-x/tandem cannot be opened .* Check that the database"
    ):
        await open_mirror("firestore://project-x/tandem", emulator_host=f"127.0.0.1:{free_port}")


@pytest.fixture
def free_port(unused_tcp_port: int) -> int:
    """A port on which nobody listens."""
    return unused_tcp_port
