"""What every TurnStore promises of accepting questions."""

import asyncio
from dataclasses import replace

from bot.conversation.thread import ThreadKey
from bot.store import Mirror
from tests.doubles.replicas import KEY, LEASE_S, Replicas, asked, finish, take, ts


async def test_a_question_is_accepted_once(mirror: Mirror) -> None:
    turn, question = asked()

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "new"
    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "known"

    assert await mirror.turns.open_turns(KEY) == [turn]
    assert await mirror.threads.messages(KEY) == [question]


async def test_of_twins_that_race_one_is_new(replicas: Replicas) -> None:
    processes = [await replicas.open() for _ in range(4)]
    turn, question = asked()

    outcomes = await asyncio.gather(
        *(each.turns.accept(turn, question, client_msg_id="m1") for each in processes for _ in range(3))
    )

    assert sorted(outcomes) == ["known"] * 11 + ["new"]
    thread = await processes[0].threads.thread(KEY)
    assert thread is not None and thread.revision == 1


async def test_a_phantom_with_another_ts_and_the_same_client_msg_id_is_known(mirror: Mirror) -> None:
    turn, question = asked(0)
    phantom, copy = asked(1)

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "new"
    assert await mirror.turns.accept(phantom, copy, client_msg_id="m1") == "known"

    assert await mirror.turns.turn(phantom.id) is None
    assert await mirror.threads.messages(KEY) == [question]


async def test_one_client_msg_id_in_two_channels_is_two_questions(mirror: Mirror) -> None:
    turn, question = asked()
    other, same_words = asked(key=ThreadKey("C0OTHER", KEY.thread_ts))

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "new"
    assert await mirror.turns.accept(other, same_words, client_msg_id="m1") == "new"


async def test_the_copy_of_a_closed_turn_is_known(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    await finish(mirror.turns, await take(mirror.turns), ts(1))

    assert await mirror.turns.accept(turn, question) == "known"
    assert await mirror.turns.open_turns(KEY) == []


async def test_a_question_that_was_deleted_first_is_never_stored(mirror: Mirror) -> None:
    turn, question = asked(text="my password is hunter2")
    await mirror.threads.delete(KEY, question.ts)

    assert await mirror.turns.accept(turn, question, client_msg_id="m1") == "deleted"

    assert await mirror.turns.turn(turn.id) is None
    assert await mirror.threads.messages(KEY) == []
    assert await mirror.threads.thread(KEY) is None


async def test_an_edit_that_came_before_its_question_wins(mirror: Mirror) -> None:
    turn, question = asked(text="teh sky?")
    await mirror.threads.edit(KEY, question.ts, "the sky?", ts(5))

    assert await mirror.turns.accept(turn, question) == "new"

    assert await mirror.threads.messages(KEY) == [replace(question, text="the sky?", edited_ts=ts(5))]


async def test_a_message_that_was_there_already_becomes_the_question(mirror: Mirror) -> None:
    turn, question = asked(3)
    await mirror.threads.record(replace(question, turn_id="", name="Ann"))

    assert await mirror.turns.accept(turn, question) == "new"

    assert await mirror.threads.messages(KEY) == [replace(question, name="Ann")]


async def test_the_root_makes_a_thread_that_has_no_past(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None
    assert (thread.key, thread.team_id, thread.starter_id, thread.place) == (KEY, "T0ACME", "U0ANN", "channel")
    assert thread.backfilled and thread.revision == 1


async def test_joining_a_thread_late_leaves_its_past_to_be_filled_in(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(60, user_id="U0BOB"))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None and not thread.backfilled and thread.starter_id == "U0BOB"
    assert thread.since_ts == ts(60)


async def test_a_root_that_comes_after_a_reply_makes_all_of_its_thread_ours(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(60))
    await mirror.turns.accept(*asked(0))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None and thread.since_ts == ""


async def test_a_second_question_changes_the_revision_and_not_who_began(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0, user_id="U0ANN"))
    await mirror.turns.accept(*asked(60, user_id="U0BOB"))

    thread = await mirror.threads.thread(KEY)

    assert thread is not None and thread.starter_id == "U0ANN" and thread.revision == 2


async def test_a_retry_is_a_turn_of_its_own_on_the_same_question(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    await finish(mirror.turns, await take(mirror.turns), ts(1))
    again, same = asked(retry=1)

    assert await mirror.turns.accept(again, same) == "new"
    assert await mirror.turns.accept(again, same) == "known"

    assert await mirror.turns.open_turns(KEY) == [again]
    assert [message.ts for message in await mirror.threads.messages(KEY)] == [question.ts, ts(1)]


async def test_a_turn_may_be_accepted_closed(mirror: Mirror) -> None:
    turn, question = asked()

    await mirror.turns.accept(replace(turn, state="stopped"), question)

    assert await mirror.turns.take(KEY, "a", LEASE_S) is None
