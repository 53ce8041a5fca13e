"""From a message that arrives to what people see and what the mirror keeps."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.conversation.intake import Intake
from bot.conversation.mirror import Taken, ThreadStore
from bot.conversation.thread import ThreadKey
from bot.conversation.triage import Rules
from bot.errors import SlackRejected, SlackUnavailable
from tests.doubles.core import Core, People, core, model
from tests.doubles.sayings import CHANNEL, KEY, ROOT_TS, arrival, said, ts, turn
from tests.doubles.scripted_model import ScriptedModel
from tests.doubles.waiting import until


async def test_a_mention_is_answered_and_mirrored(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma", "Hel", "lo.")]) as bot:
        outcome = await bot.intake.message(arrival("hi", mentions_us=True))
        shown = await bot.settled()

        assert outcome.fate == "accepted" and [each.text for each in shown] == ["Hello."]
        assert shown[0].ending is not None and shown[0].ending.kind == "answered"
        assert [(m.role, m.text) for m in await bot.messages(KEY)] == [("user", "hi"), ("model", "Hello.")]


async def test_the_twin_events_of_one_mention_are_one_answer(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await asyncio.gather(*(bot.intake.message(arrival("hi", mentions_us=True)) for _ in range(5)))

        assert len(await bot.settled()) == 1


async def test_a_follow_up_is_answered_in_our_thread_and_knows_what_was_said(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("and then?", ts(5), by="U0BEN"))
        await bot.settled()

        prompt = bot.models["gemma"].prompts[-1]
        assert [turn.text for turn in prompt.turns] == ["Ada: hi", "Hello.", "Ben: and then?"]


async def test_each_model_is_told_which_one_it_is(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")]) as bot:
        await bot.intake.message(arrival("who are you?", mentions_us=True))
        await bot.intake.message(arrival("!model gemini", ts(1)))
        await bot.intake.message(arrival("and you?", ts(2)))
        await bot.settled()

        for name in ("gemma", "gemini"):
            (prompt,) = bot.models[name].prompts
            assert f"The model that you are is {name.title()}." in prompt.system


async def test_a_thread_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        outcome = await bot.intake.message(arrival("and then?", ts(5)))

        assert (outcome.fate, outcome.reason) == ("ignored", "not_our_thread")
        assert await bot.settled() == [] and await bot.mirror.threads.thread(KEY) is None


class Counting:
    """A ThreadStore that counts what it is asked."""

    def __init__(self, threads: ThreadStore) -> None:
        self._threads = threads
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        return getattr(self._threads, name)


@pytest.mark.parametrize("age_s", [10, 1000])
async def test_what_is_not_for_the_bot_costs_one_read_at_most_and_no_write(tmp_path: Path, age_s: int) -> None:
    root = f"{time.time() - age_s:.6f}"
    thread = ThreadKey(CHANNEL, root)
    async with core(tmp_path) as bot:
        threads = Counting(bot.mirror.threads)
        doors = (bot.mirror.turns, cast(ThreadStore, threads), bot.worker)
        intake = Intake(*doors, notice=bot.transcript.notice, rules=Rules(), now=time.time)
        await intake.message(arrival("lunch?", root, thread=thread))
        assert threads.asked == []

        await intake.message(arrival("at the harbour", f"{float(root) + 1:.6f}", thread=thread))

        assert threads.asked == ["thread"] and await bot.mirror.threads.messages(thread) == []


async def test_a_reply_to_somebody_else_is_mirrored_and_not_answered(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        outcome = await bot.intake.message(arrival("@Ben look", ts(5), mentions_others=True))

        assert (outcome.fate, outcome.reason) == ("mirrored", "to_somebody_else")
        assert [m.text for m in await bot.messages(KEY)] == ["hi", "Hello.", "@Ben look"]


async def test_follow_ups_can_be_turned_off_and_are_mirrored_still(tmp_path: Path) -> None:
    async with core(tmp_path, rules=Rules(follow_ups=False)) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("and then?", ts(5)))

        assert len(await bot.settled()) == 1 and len(await bot.messages(KEY)) == 3


async def test_questions_that_come_while_a_thread_is_busy_are_answered_in_order(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([[0.05, "one"], ["two"], ["three"], ["four"]])]) as bot:
        await bot.intake.message(arrival("q1", mentions_us=True))
        for n in (3, 2, 4):
            await bot.intake.message(arrival(f"q{n}", ts(n), mentions_us=True))
        shown = await bot.settled()

        assert [(each.turn_id, each.text) for each in shown] == [
            (f"{CHANNEL}:{ROOT_TS}", "one"),
            (f"{CHANNEL}:{ts(2)}", "two"),
            (f"{CHANNEL}:{ts(3)}", "three"),
            (f"{CHANNEL}:{ts(4)}", "four"),
        ]


async def test_the_other_model_sees_what_the_first_one_said(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini", where="managed")]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("model gemini", ts(1), mentions_us=True))
        await bot.intake.message(arrival("and you?", ts(2)))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["", "model_set", ""]
        assert [t.text for t in bot.models["gemini"].prompts[0].turns] == ["Ada: hi", "I am gemma.", "Ada: and you?"]
        assert shown[-1].ending is not None and shown[-1].ending.model_label == "Gemini"


async def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")]) as bot:
        await bot.intake.message(arrival("model gpt", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "unknown_model"
        assert ending.facts == {"name": "gpt", "known": "`gemma` (Gemma), `gemini` (Gemini)"}


async def test_words_in_passing_that_only_begin_like_a_command_are_a_question(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")]) as bot:
        await bot.intake.message(arrival("which hobby?", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("model trains", ts(1)))
        await bot.settled()
        await bot.intake.message(arrival("!model gemini", ts(2)))
        await bot.settled()
        await bot.intake.message(arrival("", ts(3)))
        await bot.intake.message(arrival("and why?", ts(4)))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["", "", "model_set", ""]
        assert [t.text for t in bot.models["gemini"].prompts[0].turns] == [
            "Ada: which hobby?",
            "I am gemma.",
            "Ada: model trains",
            "I am gemma.",
            "Ada: and why?",
        ]


async def test_a_stop_in_passing_is_mirrored_and_in_no_prompt(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("stop", ts(1)))
        await bot.intake.message(arrival("and then?", ts(2)))
        await bot.settled()

        assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "stop", "and then?"]
        assert [t.text for t in bot.models["gemma"].prompts[-1].turns] == ["Ada: hi", "Hello.", "Ada: and then?"]


async def test_the_marked_command_sets_the_model_also_where_follow_ups_are_off(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma"), model("gemini")], rules=Rules(follow_ups=False)) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("!model gemini", ts(1)))

        assert [each.ending and each.ending.error_code for each in await bot.settled()] == ["", "model_set"]


async def test_a_guest_may_ask_but_not_choose(tmp_path: Path) -> None:
    async with core(tmp_path, people=People(guests=frozenset({"U0GIA"}))) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True, by="U0GIA"))
        await bot.intake.message(arrival("!model gemma", ts(1), by="U0GIA"))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["", "not_allowed_guest"]


async def test_slacks_trouble_with_the_last_update_is_made_good_later_without_asking_the_model_again(
    tmp_path: Path,
) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.end_errors = [SlackUnavailable("chat.update")]
        await bot.intake.message(arrival("hi", mentions_us=True))
        await until(lambda: any(each.ending for each in bot.transcript.shown), timeout_s=8.0)
        shown = await bot.settled()

        assert [each.text for each in shown] == ["Hello."] and len(bot.models["gemma"].prompts) == 1


async def test_slacks_no_to_the_last_update_is_final(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        bot.transcript.end_errors = [SlackRejected("chat.update", "message_not_found")]
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()

        closed = await bot.mirror.turns.turn(f"{CHANNEL}:{ROOT_TS}")
        assert closed is not None and closed.state == "answered"


async def _left_by(bot: Core, *owners: str, lease_s: float = 1.0) -> str:
    """A question that each of these processes began and died of; the turn's id."""
    asked = turn(ROOT_TS)
    await bot.mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
    for owner in owners:
        assert isinstance(await bot.mirror.turns.take(KEY, owner, lease_s), Taken)
        await asyncio.sleep(lease_s + 0.1)
    return asked.id


async def test_a_replica_finds_the_turn_of_one_that_died_by_itself(tmp_path: Path) -> None:
    async with core(tmp_path, lease_s=1.0) as bot:
        await _left_by(bot, "dead-1")
        await until(lambda: bool(bot.transcript.shown), timeout_s=5.0)

        assert [each.text for each in await bot.settled()] == ["Hello."]


async def test_a_turn_that_kills_every_process_ends_after_three_attempts(tmp_path: Path) -> None:
    async with core(tmp_path, owner="nobody", lease_s=60.0) as bot:
        id_ = await _left_by(bot, "dead-1", "dead-2", "dead-3")
    async with core(tmp_path, lease_s=1.0) as bot:
        bot.worker.wake(KEY)
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "too_many_attempts"
        left = await bot.mirror.turns.turn(id_)
        assert left is not None and left.state == "dead" and bot.models["gemma"].prompts == []


async def test_draining_gives_the_turn_back_without_costing_an_attempt(tmp_path: Path) -> None:
    hung = ScriptedModel([["Half", 60.0]])
    async with core(tmp_path, models=[hung]) as one:
        outcome = await one.intake.message(arrival("hi", mentions_us=True))
        await until(lambda: bool(hung.prompts))
        await one.worker.drain(0.05)

        left = await one.mirror.turns.turn(outcome.turn_id)
        assert left is not None and left.open and left.attempts == 0
        assert await one.mirror.turns.take(KEY, "replica-2", 10.0) is not None
