"""What the core owes to people when Slack, the store or other replicas get in its way."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.conversation import worker
from bot.conversation.arrival import Deletion, Edit
from bot.conversation.hold import Hold
from bot.conversation.mirror import Taken, TurnStore
from bot.conversation.thread import ThreadKey
from bot.conversation.turn import Part
from bot.conversation.worker import Worker
from bot.errors import ModelUnavailable, SlackRejected, SlackUnavailable, StreamBroken
from bot.store import open_mirror
from tests.doubles.core import core, model
from tests.doubles.sayings import CHANNEL, KEY, ROOT_TS, answered, arrival, said, ts, turn
from tests.doubles.scripted_model import ScriptedModel


async def test_while_slack_is_in_trouble_a_model_is_not_asked_again_at_once(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.open_errors = [SlackUnavailable("chat.postMessage") for _ in range(10)]
        await bot.intake.message(arrival("hi", mentions_us=True))
        await asyncio.sleep(1.0)

        assert len(bot.models["gemma"].prompts) == 1
        bot.transcript.open_errors.clear()
        await _until(lambda: any(each.ending for each in bot.transcript.shown))
        assert [each.text for each in await bot.settled()][-1] == "Hello."


async def test_a_bug_that_cannot_even_be_told_ends_the_turn_after_some_attempts_and_frees_its_thread(
    tmp_path: Path,
) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.end_errors = [ZeroDivisionError("bug") for _ in range(4)]
        outcome = await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.intake.message(arrival("and this?", ts(1), mentions_us=True))
        await _until(lambda: not bot.transcript.end_errors, timeout_s=15)
        await _until(lambda: any(each.ending for each in bot.transcript.shown))

        given_up = await bot.mirror.turns.turn(outcome.turn_id)
        assert given_up is not None and given_up.state == "dead"
        assert len(bot.models["gemma"].prompts) == 2  # the answer was kept: only its last update failed


async def test_an_answer_whose_end_slack_never_takes_frees_its_thread_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_AGAIN_AFTER_TROUBLE_S", 0.0)
    async with core(tmp_path) as bot:
        bot.transcript.end_errors = [SlackUnavailable("chat.update") for _ in range(worker._MOST_ATTEMPTS)]
        outcome = await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.intake.message(arrival("and this?", ts(1)))
        await _until(lambda: any(each.ending for each in bot.transcript.shown), timeout_s=20)
        given_up = await bot.mirror.turns.turn(outcome.turn_id)

        assert given_up is not None and (given_up.state, given_up.attempts) == ("answered", worker._MOST_ATTEMPTS)
        assert [each.text for each in await bot.settled() if each.ending] == ["Hello."]


async def test_an_answer_that_slack_does_not_take_still_ends_its_status_and_closes_its_question(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.open_errors = [SlackRejected("chat.postMessage", "restricted_action")]
        outcome = await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]

        assert not shown.status and shown.ending is not None
        assert (shown.ending.kind, shown.ending.error_code) == ("cut", "slack_rejected")
        closed = await bot.mirror.turns.turn(outcome.turn_id)
        assert closed is not None and closed.state == "failed"
        assert [(m.role, m.text) for m in await bot.messages(KEY)] == [("user", "hi"), ("model", "")]


async def test_a_turn_that_is_handed_over_before_anything_was_shown_can_still_be_withdrawn(tmp_path: Path) -> None:
    slow = ScriptedModel([[60.0, "never"]])
    async with core(tmp_path, models=[slow]) as one, core(tmp_path, owner="replica-2") as two:
        outcome = await one.intake.message(arrival("hi", mentions_us=True))
        await _until(lambda: bool(slow.prompts))
        await one.worker.drain(0.0)
        stopped = await two.intake.message(arrival("stop", ts(1), mentions_us=True))

        closed = await two.mirror.turns.turn(outcome.turn_id)
        assert stopped.stopped == 1 and closed is not None and closed.state == "stopped"


async def test_a_stop_that_came_when_the_turns_process_was_dead_is_obeyed_by_the_next(tmp_path: Path) -> None:
    async with core(tmp_path, lease_s=1.0) as bot:
        asked = turn(ROOT_TS)
        await bot.mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
        assert isinstance(await bot.mirror.turns.take(KEY, "dead", 1.0), Taken)
        await bot.intake.message(arrival("stop", ts(1)))
        await _until(lambda: any(each.ending for each in bot.transcript.shown))

        assert [each.ending and each.ending.kind for each in await bot.settled()] == ["stopped"]
        assert bot.models["gemma"].prompts == []


async def test_draining_ends_in_time_whatever_a_turn_is_stuck_in(tmp_path: Path) -> None:
    class Stuck:
        async def answer(self, hold: Hold) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(30)  # a call to Slack that waits out a long Retry-After

    mirror = await open_mirror(f"sqlite:///{tmp_path / 'tandem.db'}")
    worker = Worker(mirror.turns, Stuck(), owner="one", lease_s=10, max_turns=8, monotonic=time.monotonic)
    asked = turn(ROOT_TS)
    await mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
    worker.wake(KEY)
    await _until(lambda: worker.running == 1)
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == f"thread {KEY}"]
    async with asyncio.timeout(8):
        await worker.drain(0.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await mirror.close()


async def test_a_stop_also_ends_a_question_that_begins_while_it_looks_for_it(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0], ["Twice", 30.0]])
    async with core(tmp_path, models=[talker]) as bot:

        class Late:
            """The bot's own store, whose list of open turns is out of date when it arrives."""

            def __getattr__(self, name: str) -> object:
                return getattr(bot.mirror.turns, name)

            async def open_turns(self, thread: ThreadKey) -> object:
                found = await bot.mirror.turns.open_turns(thread)
                await _until(lambda: len(talker.prompts) == 2)
                return found

        await bot.intake.message(arrival("q1", mentions_us=True))
        await bot.intake.message(arrival("q2", ts(1), mentions_us=True))
        await _until(lambda: bool(talker.prompts))
        bot.intake._turns = cast(TurnStore, Late())
        await bot.intake.message(arrival("stop", ts(2)))

        assert [each.ending and each.ending.kind for each in await bot.settled()] == ["stopped", "stopped"]


async def test_the_sweeper_survives_whatever_a_round_of_it_raises(tmp_path: Path) -> None:
    async with core(tmp_path, lease_s=1.0) as bot:
        overdue, rounds = bot.mirror.turns.overdue, 0

        class Broken:
            """The bot's own store with a bug in it, once."""

            def __getattr__(self, name: str) -> object:
                return getattr(bot.mirror.turns, name)

            async def overdue(self, older_than_s: float, limit: int) -> object:
                nonlocal rounds
                rounds += 1
                if rounds == 1:
                    raise KeyError("thread")
                return await overdue(older_than_s, limit)

        bot.worker._turns = cast(TurnStore, Broken())
        asked = turn(ROOT_TS)
        await bot.mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
        await _until(lambda: bool(bot.transcript.shown))

        assert [each.text for each in await bot.settled()] == ["Hello."] and rounds >= 2


async def test_a_stand_ins_answer_that_breaks_off_bears_the_stand_ins_name(tmp_path: Path) -> None:
    gemma, demo = model("gemma", stand_in="demo"), model("demo", where="built-in")
    gemma.scripts, demo.scripts = [[ModelUnavailable("loading")]], [["Half", StreamBroken("reset")]]
    async with core(tmp_path, models=[gemma, demo]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]

        assert shown.ending is not None
        assert (shown.ending.kind, shown.ending.model_label, shown.text) == ("cut", "Demo", "Half")


async def test_a_question_that_was_edited_before_it_arrived_is_asked_as_it_reads_now(tmp_path: Path) -> None:
    at = f"{time.time():.2f}0000"
    thread = ThreadKey(CHANNEL, at)
    async with core(tmp_path) as bot, core(tmp_path, owner="replica-2") as other:
        await other.intake.edited(Edit(thread, at, "the code is secret", f"{float(at) + 2:.6f}", addressed=True))
        await bot.intake.edited(Edit(thread, at, "the code is 123", f"{float(at) + 1:.6f}", addressed=True))
        await bot.intake.message(arrival("the code is 1234", at, thread=thread, mentions_us=True))
        await bot.settled()

        assert [t.text for t in bot.models["gemma"].prompts[0].turns] == ["Ada: the code is secret"]
        assert [m.text for m in await bot.messages(thread)] == ["the code is secret", "Hello."]


async def test_a_question_that_was_deleted_before_it_arrived_is_not_answered(tmp_path: Path) -> None:
    at = f"{time.time():.2f}0000"
    thread = ThreadKey("D0ADA", at)
    async with core(tmp_path) as bot, core(tmp_path, owner="replica-2") as other:
        await other.intake.deleted(Deletion(thread, at, "U0ADA"))
        for _ in range(2):
            await bot.intake.message(arrival("my password is 1234", at, thread=thread, place="dm"))

        assert [each for each in await bot.settled() if each.text] == [] and bot.models["gemma"].prompts == []
        assert "1234" not in str(await bot.messages(thread))


async def test_two_writes_of_one_turn_at_once_both_count(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        asked = turn(ROOT_TS)
        await bot.mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
        taken = await bot.mirror.turns.take(KEY, "me", 10.0)
        assert isinstance(taken, Taken)
        hold = Hold(bot.mirror.turns, taken, 10.0, time.monotonic, asked_at=time.monotonic())
        await asyncio.gather(
            hold.opened(Part(ts(1), "edit")),
            hold.opened(Part(ts(2), "edit")),
            hold.deliver(answered("Hello.", ROOT_TS, ts(1)), "answered"),
        )

        stored = await bot.mirror.turns.turn(asked.id)
        assert stored is not None and stored.state == "delivering" and [p.ts for p in stored.parts] == [ts(1), ts(2)]
        await hold.release()


async def test_a_thread_with_more_messages_than_a_prompt_may_have_keeps_its_beginning_from_turn_to_turn(
    tmp_path: Path,
) -> None:
    async with core(tmp_path, models=[model("gemma", history_messages=20)]) as bot:
        for n in range(30):
            await bot.intake.message(arrival(f"q{n}", ts(n + 1), mentions_us=True))
            await bot.settled()

        firsts = [prompt.turns[0].text for prompt in bot.models["gemma"].prompts]
        assert "left out" in firsts[-1] and len(set(firsts)) <= 8
        assert max(len(prompt.turns) for prompt in bot.models["gemma"].prompts) == 21


async def _until(condition: Callable[[], bool], timeout_s: float = 6.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
