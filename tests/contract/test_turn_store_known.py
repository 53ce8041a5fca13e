"""Who was the last to work in a thread may begin its next turn without asking; whatever others did there counts."""

from dataclasses import replace

import pytest

from bench.firestore_proxy import counting
from bot.conversation.mirror import Busy
from bot.store import Mirror
from tests.doubles.replicas import KEY, Replicas, asked, finish, said, take, ts


async def answered_once(mirror: Mirror) -> None:
    """A first turn, closed, and the look for the next one that follows it."""
    await mirror.turns.accept(*asked())
    await finish(mirror.turns, await take(mirror.turns), ts(1))
    assert await mirror.turns.take(KEY, "a", 10) is None


async def test_a_new_threads_first_turn_is_taken_as_it_was_accepted(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)

    taken = await take(mirror.turns)

    assert taken.turn == replace(turn, state="running", attempts=1, fence=1)
    assert await mirror.turns.turn(turn.id) == taken.turn
    assert await mirror.threads.thread(KEY) == taken.thread


async def test_a_later_turn_is_taken_as_it_was_accepted(mirror: Mirror) -> None:
    await answered_once(mirror)
    turn, question = asked(10)
    await mirror.turns.accept(turn, question)

    taken = await take(mirror.turns)

    assert taken.turn == replace(turn, state="running", attempts=1, fence=2)
    assert await mirror.turns.turn(turn.id) == taken.turn
    assert await mirror.threads.thread(KEY) == taken.thread
    await finish(mirror.turns, taken, ts(11))
    assert await mirror.turns.open_turns(KEY) == []


async def test_an_older_question_that_another_process_accepted_comes_first(replicas: Replicas) -> None:
    here, there = await replicas.open(), await replicas.open()
    await answered_once(here)
    older, newer = asked(10), asked(20)
    await there.turns.accept(*older)
    await here.turns.accept(*newer)

    assert (await take(here.turns)).turn.id == older[0].id


async def test_an_older_question_that_came_between_accepting_and_taking_comes_first(replicas: Replicas) -> None:
    here, there = await replicas.open(), await replicas.open()
    await answered_once(here)
    older, newer = asked(10), asked(20)
    await here.turns.accept(*newer)
    await there.turns.accept(*older)

    assert (await take(here.turns)).turn.id == older[0].id


async def test_a_thread_that_another_process_took_meanwhile_is_busy(replicas: Replicas) -> None:
    here, there = await replicas.open(), await replicas.open()
    await answered_once(here)
    await here.turns.accept(*asked(10))
    await take(there.turns, owner="b")

    busy = await here.turns.take(KEY, "a", 10)

    assert isinstance(busy, Busy) and busy.owner == "b"


async def test_a_turn_of_another_process_in_between_is_no_trouble(replicas: Replicas) -> None:
    here, there = await replicas.open(), await replicas.open()
    await answered_once(here)
    await there.turns.accept(*asked(10))
    await finish(there.turns, await take(there.turns, owner="b"), ts(11))
    await here.turns.accept(*asked(20))

    taken = await take(here.turns)

    assert taken.turn.question_ts == ts(20) and taken.turn.fence == 3
    assert await here.threads.thread(KEY) == taken.thread


async def test_what_another_process_changed_in_the_thread_is_known_to_the_taker(replicas: Replicas) -> None:
    here, there = await replicas.open(), await replicas.open()
    await answered_once(here)
    await there.threads.set_thread_model(KEY, "gemini")
    await there.threads.record(said(5))
    await here.turns.accept(*asked(10))

    taken = await take(here.turns)

    assert taken.thread.model_id == "gemini"
    assert await here.threads.thread(KEY) == taken.thread


async def test_a_cut_that_was_stored_with_the_last_answer_is_known_to_the_next_turn(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)
    lease = await mirror.turns.save(taken.lease, taken.turn, cut=("gemma", ts(0)))
    await finish(mirror.turns, replace(taken, lease=lease), ts(1))
    assert await mirror.turns.take(KEY, "a", 10) is None
    await mirror.turns.accept(*asked(10))

    assert (await take(mirror.turns)).thread.cuts == {"gemma": ts(0)}


async def test_a_question_that_was_withdrawn_is_not_begun(mirror: Mirror) -> None:
    await answered_once(mirror)
    turn, question = asked(10)
    await mirror.turns.accept(turn, question)
    closing = replace(question, ts=f"{turn.question_ts}a", role="model", text="", question_ts=turn.question_ts)
    assert await mirror.turns.withdraw(turn.id, "stopped", closing)

    assert await mirror.turns.take(KEY, "a", 10) is None


@pytest.mark.parametrize("turns", [1, 3])
async def test_on_firestore_a_process_that_works_alone_never_reads_to_take(firestore: Replicas, turns: int) -> None:
    async with counting(firestore.emulator_host) as (proxy, counts):
        mirror = await firestore.open(through=proxy)
        await answered_once(mirror)
        for number in range(1, turns + 1):
            await mirror.turns.accept(*asked(number * 10))
            counts.clear()
            taken = await take(mirror.turns)
            assert +counts == {"commits": 1, "documents written": 3}  # + leaves out what is 0
            await finish(mirror.turns, taken, ts(number * 10 + 1))
            assert await mirror.turns.take(KEY, "a", 10) is None
        await mirror.close()


async def test_a_starter_who_was_erased_is_not_remembered(mirror: Mirror) -> None:
    await answered_once(mirror)
    await mirror.threads.erase_person("T0ACME", "U0ANN")
    await mirror.turns.accept(*asked(10, user_id="U0BOB"))

    taken = await take(mirror.turns)

    assert taken.thread.starter_id == ""
    assert await mirror.threads.thread(KEY) == taken.thread
