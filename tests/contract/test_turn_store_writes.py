"""What every TurnStore promises of writing under a lease, withdrawing, looking, and signals."""

import asyncio
from dataclasses import replace

import pytest

from bot.conversation.mirror import Lease, Signal
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Part
from bot.errors import LeaseLost
from bot.store import Mirror
from tests.doubles.replicas import KEY, LEASE_S, Replicas, answered, asked, finish, said, take, ts

SHORT_S = 0.4  # a lease that dies within a test


# Writing under a lease


async def test_a_save_stores_the_turn_its_answer_the_cut_and_the_names_together(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    parts = (Part(ts(1), "edit", 1.5), Part(ts(2), "edit", 2.5))
    delivering = replace(taken.turn, state="delivering", parts=parts, model_id="gemma", ending="answered")
    answer = answered(delivering, ts(1))

    await mirror.turns.save(
        taken.lease, delivering, answer=answer, cut=("gemini-3.8-flash", ts(0)), names={question.ts: "Ann"}
    )

    assert await mirror.turns.turn(turn.id) == delivering
    assert await mirror.threads.messages(KEY) == [replace(question, name="Ann"), answer]
    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.cuts == {"gemini-3.8-flash": ts(0)}
    assert thread.revision == taken.thread.revision


async def test_a_save_without_messages_leaves_the_revision(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)

    lease = await mirror.turns.save(taken.lease, replace(taken.turn, state="opening"))
    lease = await mirror.turns.renew(lease)
    await mirror.turns.save(lease, replace(taken.turn, state="opening", model_id="gemma"))

    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.revision == taken.thread.revision


async def test_cuts_of_several_models_stand_side_by_side(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)

    lease = await mirror.turns.save(taken.lease, taken.turn, cut=("gemma", ts(1)))
    lease = await mirror.turns.save(lease, taken.turn, cut=("gemini-3.8", ts(2)))
    await mirror.turns.save(lease, taken.turn, cut=("gemma", ts(3)))

    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.cuts == {"gemma": ts(3), "gemini-3.8": ts(2)}


async def test_a_late_writer_is_refused_and_writes_nothing(replicas: Replicas) -> None:
    late, taker = await replicas.open(), await replicas.open()
    turn, question = asked()
    await late.turns.accept(turn, question)
    first = await take(late.turns, owner="late", lease_s=0.05)
    await asyncio.sleep(0.1)
    second = await take(taker.turns, owner="taker", lease_s=0.05)
    ending = replace(first.turn, state="answered")

    with pytest.raises(LeaseLost):
        await late.turns.save(
            first.lease, ending, answer=answered(turn, ts(1)), cut=("gemma", ts(0)), names={question.ts: "Ann"}
        )
    with pytest.raises(LeaseLost):
        await late.turns.renew(first.lease)
    await late.turns.release(first.lease, ending)  # a lost lease is no error here, and nothing is put back

    assert await taker.turns.turn(turn.id) == second.turn
    assert await taker.threads.messages(KEY) == [question]
    thread = await taker.threads.thread(KEY)
    assert thread is not None and thread.cuts == {} and thread.revision == second.thread.revision
    assert await taker.turns.holder(KEY) == "taker"
    await taker.turns.renew(second.lease)


async def test_a_forged_lease_is_refused(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    taken = await take(mirror.turns)

    with pytest.raises(LeaseLost):
        await mirror.turns.renew(replace(taken.lease, nonce="guessed", version=None))
    with pytest.raises(LeaseLost):
        await mirror.turns.renew(Lease(KEY, "a", taken.lease.nonce, taken.lease.fence + 1))


async def test_a_hand_over_gives_the_lease_up_and_the_attempt_back(replicas: Replicas) -> None:
    leaving, staying = await replicas.open(), await replicas.open()
    await leaving.turns.accept(*asked())
    taken = await take(leaving.turns, owner="leaving")

    await leaving.turns.release(taken.lease, replace(taken.turn, attempts=0))

    assert await staying.turns.holder(KEY) is None
    second = await take(staying.turns, owner="staying")
    assert second.turn.attempts == 1 and second.lease.fence == 2
    with pytest.raises(LeaseLost):
        await leaving.turns.renew(taken.lease)


async def test_a_finished_turn_makes_way_for_the_next(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await mirror.turns.accept(*asked(10))

    await finish(mirror.turns, await take(mirror.turns), ts(11))
    second = await take(mirror.turns)

    assert second.turn.question_ts == ts(10) and second.lease.fence == 2


async def test_an_answer_saved_again_replaces_the_first(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    delivering = replace(taken.turn, state="delivering", parts=(Part(ts(1), "edit"), Part(ts(2), "edit")))

    lease = await mirror.turns.save(taken.lease, delivering, answer=answered(turn, ts(1), "Half"))
    await mirror.turns.save(lease, delivering, answer=answered(turn, ts(1), "Whole"), release=True)

    assert await mirror.threads.messages(KEY) == [question, answered(turn, ts(1), "Whole")]


async def test_an_answer_none_of_which_was_shown_sorts_after_its_question(mirror: Mirror) -> None:
    first, question = asked(0)
    await mirror.turns.accept(first, question)
    await mirror.threads.record(said(1))
    await finish(mirror.turns, await take(mirror.turns), question.ts + "a", "")

    messages = await mirror.threads.messages(KEY)

    assert [message.ts for message in messages] == [question.ts, question.ts + "a", ts(1)]


# Withdrawing


async def test_a_waiting_turn_is_withdrawn_with_its_closing_word(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    closing = answered(turn, question.ts + "a", "")

    assert await mirror.turns.withdraw(turn.id, "stopped", closing)
    assert not await mirror.turns.withdraw(turn.id, "stopped", closing)

    assert await mirror.turns.turn(turn.id) == replace(turn, state="stopped")
    assert await mirror.threads.messages(KEY) == [question, closing]
    assert await mirror.turns.take(KEY, "a", LEASE_S) is None


async def test_a_turn_that_has_begun_is_not_withdrawn(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)

    assert not await mirror.turns.withdraw(turn.id, "stopped", answered(turn, question.ts + "a", ""))
    assert not await mirror.turns.withdraw("C0NOWHERE:1", "stopped", answered(turn, question.ts + "a", ""))

    assert await mirror.turns.turn(turn.id) == taken.turn
    assert await mirror.threads.messages(KEY) == [question]


async def test_withdrawing_and_taking_never_both_succeed(replicas: Replicas) -> None:
    one, other = await replicas.open(), await replicas.open()
    for seconds in range(10):
        key = ThreadKey("C0GENERAL", ts(seconds))
        turn, question = asked(seconds, key=key)
        await one.turns.accept(turn, question)

        withdrawn, taken = await asyncio.gather(
            one.turns.withdraw(turn.id, "stopped", answered(turn, question.ts + "a", "")),
            other.turns.take(key, "a", LEASE_S),
        )

        assert withdrawn == (taken is None)


# Looking


async def test_open_turns_come_oldest_first_and_closed_ones_not_at_all(mirror: Mirror) -> None:
    for seconds in (30, 10, 20):
        await mirror.turns.accept(*asked(seconds))
    await finish(mirror.turns, await take(mirror.turns), ts(40))
    await mirror.turns.accept(*asked(5, key=ThreadKey("C0OTHER", ts(5))))

    assert [turn.question_ts for turn in await mirror.turns.open_turns(KEY)] == [ts(20), ts(30)]


async def test_a_channels_open_threads_are_its_own(mirror: Mirror) -> None:
    ours = [ThreadKey("D0ANN", ts(seconds)) for seconds in (1, 2)]
    for key in (*ours, ThreadKey("D0ANNA", ts(3)), ThreadKey("D0AN", ts(4))):
        await mirror.turns.accept(*asked(int(key.thread_ts[9:10]), key=key))
    await mirror.turns.accept(*asked(9, key=ours[0]))
    done = ThreadKey("D0ANN", ts(5))
    await mirror.turns.accept(*asked(5, key=done))
    await finish(mirror.turns, await take(mirror.turns, key=done), ts(6))

    assert sorted(await mirror.turns.open_threads("D0ANN")) == ours


async def test_the_sweeper_finds_what_nobody_works_on(replicas: Replicas) -> None:
    mirror, sweeper = await replicas.open(), await replicas.open()
    forgotten, dead, live, done = (ThreadKey("C0GENERAL", ts(seconds)) for seconds in (1, 2, 3, 4))
    for seconds, key in enumerate((forgotten, dead, live, done), start=1):
        await mirror.turns.accept(*asked(seconds, key=key))
    await take(mirror.turns, key=dead)
    lease = (await take(mirror.turns, key=live)).lease
    await finish(mirror.turns, await take(mirror.turns, key=done), ts(9))

    assert await sweeper.turns.overdue(SHORT_S * 5, 100) == []
    await asyncio.sleep(SHORT_S)
    await mirror.turns.renew(lease)

    assert await sweeper.turns.overdue(SHORT_S, 100) == [forgotten, dead]
    assert await sweeper.turns.overdue(SHORT_S, 1) == [forgotten]


async def test_an_unknown_turn_is_none(mirror: Mirror) -> None:
    assert await mirror.turns.turn("C0NOWHERE:1700000000.000100") is None


# Signals


async def test_words_for_a_process_are_handed_out_once_and_in_order(replicas: Replicas) -> None:
    sender, owner = await replicas.open(), await replicas.open()
    words = [
        Signal("stop", KEY, ts(1), "U0ANN"),
        Signal("delete", KEY, ts(2)),
        Signal("delete", KEY, ts(3)),
    ]
    for word in words:
        await sender.turns.signal("owner", word)
    await sender.turns.signal("another", words[0])

    assert await owner.turns.signals("owner") == words
    assert await owner.turns.signals("owner") == []
    assert await owner.turns.signals("another") == words[:1]


async def test_no_word_is_lost_when_many_are_left_at_once(replicas: Replicas) -> None:
    senders, owner = [await replicas.open() for _ in range(3)], await replicas.open()
    heard: list[Signal] = []

    async def send(number: int) -> None:
        await senders[number % 3].turns.signal("owner", Signal("stop", KEY, ts(number)))

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(send(number))
            heard += await owner.turns.signals("owner")
    heard += await owner.turns.signals("owner")

    assert sorted(word.ts for word in heard) == [ts(number) for number in range(12)]


async def test_a_process_that_never_listens_gets_the_newest_hundred_words(mirror: Mirror) -> None:
    for number in range(103):
        await mirror.turns.signal("deaf", Signal("delete", KEY, ts(number)))

    assert [word.ts for word in await mirror.turns.signals("deaf")] == [ts(number) for number in range(3, 103)]


async def test_words_said_by_the_model_survive_every_character(mirror: Mirror) -> None:
    turn, question = asked(text='"quotes" \\ \n\t<&> 😀 \u2028 {"json": 1}')
    await mirror.turns.accept(turn, question)
    answer: Message = answered(turn, ts(1), "```py\nprint('ü')\n```\n" * 2_000)
    taken = await take(mirror.turns)
    await mirror.turns.save(taken.lease, replace(taken.turn, state="answered"), answer=answer, release=True)

    assert await mirror.threads.messages(KEY) == [question, answer]
