"""What every ThreadStore promises."""

import asyncio
import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation.thread import File, ThreadKey, Usage
from bot.conversation.turn import Part
from bot.store import Mirror
from tests.doubles.replicas import KEY, Replicas, answered, asked, finish, revision, said, take, ts

# Reading


async def test_a_thread_in_which_nobody_asked_is_not_ours(mirror: Mirror) -> None:
    await mirror.threads.record(said(1))
    await mirror.threads.edit(KEY, ts(1), "edited", ts(2))
    await mirror.threads.delete(KEY, ts(3))
    await mirror.threads.backfill(KEY, [said(4)])

    assert await mirror.threads.thread(KEY) is None


async def test_everything_a_message_carries_comes_back(mirror: Mirror) -> None:
    turn, question = asked()
    question = replace(question, name="Ann", files=(File("F1", "cat.png", "image/png", 12_345),), edited_ts=ts(3))
    answer = replace(answered(turn, ts(1)), usage=Usage(prompt=10, answer=20, thoughts=30, cached=5))
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    await mirror.turns.save(taken.lease, taken.turn, answer=answer)

    assert await mirror.threads.messages(KEY) == [question, answer]


async def test_the_newest_messages_come_oldest_first(mirror: Mirror) -> None:
    for seconds in (5, 1, 4, 2, 3):
        await mirror.threads.record(said(seconds))
    await mirror.threads.record(said(9, key=ThreadKey("C0OTHER", KEY.thread_ts)))

    assert [m.ts for m in await mirror.threads.messages(KEY)] == [ts(1), ts(2), ts(3), ts(4), ts(5)]
    assert [m.ts for m in await mirror.threads.messages(KEY, limit=2)] == [ts(4), ts(5)]
    assert [m.ts for m in await mirror.threads.messages(KEY, since_ts=ts(3))] == [ts(3), ts(4), ts(5)]
    assert [m.ts for m in await mirror.threads.messages(KEY, since_ts=ts(2), limit=1)] == [ts(5)]


async def test_what_is_no_message_does_not_count_against_the_limit(mirror: Mirror) -> None:
    for seconds in (1, 2, 3):
        await mirror.threads.record(said(seconds))
    for seconds in (3, 4, 5):
        await mirror.threads.delete(KEY, ts(seconds))
    await mirror.threads.edit(KEY, ts(6), "an edit whose message has not come", ts(7))

    assert [m.ts for m in await mirror.threads.messages(KEY, limit=2)] == [ts(1), ts(2)]


async def test_one_message_can_be_read_by_itself_unless_it_is_gone(mirror: Mirror) -> None:
    for seconds in (1, 2):
        await mirror.threads.record(said(seconds))
    await mirror.threads.delete(KEY, ts(2))
    await mirror.threads.edit(KEY, ts(3), "an edit whose message has not come", ts(4))

    assert await mirror.threads.message(KEY, ts(1)) == said(1)
    assert [await mirror.threads.message(KEY, ts(n)) for n in (2, 3, 4)] == [None, None, None]


# Changes


async def test_every_change_of_a_thread_raises_its_revision(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    seen = [await revision(mirror)]

    for change in (
        mirror.threads.record(said(1)),
        mirror.threads.edit(KEY, ts(1), "edited", ts(2)),
        mirror.threads.delete(KEY, ts(1)),
        mirror.threads.backfill(KEY, [said(3)]),
        mirror.threads.set_thread_model(KEY, "gemini"),
    ):
        await change
        seen.append(await revision(mirror))

    assert seen == sorted(set(seen))


async def test_what_changes_nothing_leaves_the_revision(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked())
    await mirror.threads.record(said(1))
    await mirror.threads.edit(KEY, ts(1), "edited", ts(2))
    before = await revision(mirror)

    await mirror.threads.record(said(1))
    await mirror.threads.edit(KEY, ts(1), "edited", ts(2))
    await mirror.threads.edit(KEY, ts(1), "an older edit", ts(1))

    assert await revision(mirror) == before


Arrival = tuple[str, str, str]  # kind, text, edited_ts


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_originals_edits_and_deletions_come_in_any_order(mirror: Mirror, data: st.DataObject) -> None:
    key = ThreadKey(f"C{uuid.uuid4().hex}", ts(0))  # each example has a channel of its own
    edits: list[Arrival] = [("edit", f"edit {i}", ts(10 + i)) for i in range(data.draw(st.integers(0, 3)))]
    deleted = data.draw(st.booleans())
    once: list[Arrival] = [("original", "first", ""), *edits, *([("delete", "", "")] if deleted else [])]
    copies = data.draw(st.lists(st.sampled_from(once), max_size=3))
    arrivals = data.draw(st.permutations(once + copies))
    is_question = data.draw(st.booleans())

    for kind, text, edited_ts in arrivals:
        if kind == "edit":
            await mirror.threads.edit(key, ts(5), text, edited_ts)
        elif kind == "delete":
            await mirror.threads.delete(key, ts(5))
        elif is_question:
            await mirror.turns.accept(*asked(5, text=text, key=key))
        else:
            await mirror.threads.record(said(5, text, key=key))

    texts = [(m.text, m.edited_ts) for m in await mirror.threads.messages(key)]
    newest = max(edits, key=lambda edit: edit[2], default=("", "first", ""))
    assert texts == ([] if deleted else [newest[1:]])


async def test_edits_and_deletions_that_race_end_as_if_in_order(replicas: Replicas) -> None:
    processes = [await replicas.open() for _ in range(3)]
    for attempt, deleted in enumerate((False, True)):
        key = ThreadKey("C0GENERAL", ts(attempt))
        turn, question = asked(attempt, key=key)
        changes = [
            processes[0].turns.accept(turn, question),
            *(processes[i % 3].threads.edit(key, question.ts, f"edit {i}", ts(10 + i)) for i in range(6)),
            *([processes[1].threads.delete(key, question.ts)] if deleted else []),
        ]

        await asyncio.gather(*changes)

        texts = [message.text for message in await processes[2].threads.messages(key)]
        assert texts == ([] if deleted else ["edit 5"])


@pytest.mark.parametrize("deleted", [0, 1, 2])
async def test_deleting_any_part_of_an_answer_deletes_the_answer(mirror: Mirror, deleted: int) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    parts = tuple(Part(ts(seconds), "edit") for seconds in (1, 2, 3))
    done = replace(taken.turn, state="answered", parts=parts)
    await mirror.turns.save(taken.lease, done, answer=answered(turn, parts[0].ts), release=True)
    before = await revision(mirror)

    await mirror.threads.delete(KEY, parts[deleted].ts)

    assert await mirror.threads.messages(KEY) == [question]
    assert await revision(mirror) > before


@pytest.mark.parametrize("deleted", [0, 1, 2])
async def test_an_answer_that_was_deleted_while_it_grew_is_never_stored(mirror: Mirror, deleted: int) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    taken = await take(mirror.turns)
    parts = tuple(Part(ts(seconds), "edit") for seconds in (1, 2, 3))
    await mirror.threads.delete(KEY, parts[deleted].ts)

    done = replace(taken.turn, state="answered", parts=parts)
    await mirror.turns.save(taken.lease, done, answer=answered(turn, parts[0].ts), release=True)

    assert await mirror.threads.messages(KEY) == [question]
    assert await mirror.turns.turn(turn.id) == done


async def test_slacks_word_that_we_edited_our_answer_changes_nothing(mirror: Mirror) -> None:
    turn, question = asked()
    await mirror.turns.accept(turn, question)
    await mirror.threads.edit(KEY, ts(1), "Because… _Gemma · 2 s_", ts(2))  # while it grows
    await finish(mirror.turns, await take(mirror.turns), ts(1))
    await mirror.threads.edit(KEY, ts(1), "Because… _Gemma · 3 s_", ts(4))

    assert await mirror.threads.messages(KEY) == [question, answered(turn, ts(1))]


async def test_a_name_is_never_written_onto_a_tombstone(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(0))
    await mirror.turns.accept(*asked(1))
    taken = await take(mirror.turns)
    await mirror.threads.delete(KEY, ts(1))

    await mirror.turns.save(taken.lease, taken.turn, names={ts(0): "Ann", ts(1): "Ann", ts(2): "Nobody"})
    await mirror.threads.record(said(2))

    assert [(m.ts, m.name) for m in await mirror.threads.messages(KEY)] == [(ts(0), "Ann"), (ts(2), "")]


# Joining late


async def test_a_backfill_adds_what_is_missing_and_marks_the_thread(mirror: Mirror) -> None:
    turn, question = asked(10)
    await mirror.turns.accept(turn, question)
    await mirror.threads.edit(KEY, ts(2), "edited", ts(5))
    await mirror.threads.delete(KEY, ts(3))
    await mirror.threads.record(said(4, "as it was recorded"))

    await mirror.threads.backfill(KEY, [said(n, f"message {n}") for n in range(5)])

    texts = [m.text for m in await mirror.threads.messages(KEY)]
    assert texts == ["message 0", "message 1", "edited", "as it was recorded", question.text]
    thread = await mirror.threads.thread(KEY)
    assert thread is not None and thread.backfilled


async def test_a_backfill_may_name_a_message_twice(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(10))

    await mirror.threads.backfill(KEY, [said(1), said(2), said(1)])

    assert [m.ts for m in await mirror.threads.messages(KEY)] == [ts(1), ts(2), ts(10)]


async def test_a_backfill_may_be_empty_long_and_repeated(mirror: Mirror) -> None:
    await mirror.turns.accept(*asked(10_000))
    await mirror.threads.backfill(KEY, [])
    history = [said(n, f"message {n}") for n in range(1_030)]

    await mirror.threads.backfill(KEY, history)
    await mirror.threads.backfill(KEY, history)

    messages = await mirror.threads.messages(KEY, limit=10_000)
    assert [m.text for m in messages[:-1]] == [f"message {n}" for n in range(1_030)]
    assert await mirror.threads.messages(KEY, limit=1_001) == messages[-1_001:]
