"""Stops, edits and deletions: what they end, what they leave, and what the next prompt knows of them."""

from pathlib import Path

from bot.conversation.arrival import Deletion, Edit, Stop
from tests.doubles.core import core
from tests.doubles.sayings import CHANNEL, KEY, ROOT_TS, arrival, ts
from tests.doubles.scripted_model import ScriptedModel
from tests.doubles.waiting import until


async def test_stop_ends_the_running_answer_keeps_what_was_shown_and_drops_what_waits(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once upon", 30.0, "never"]])
    async with core(tmp_path, models=[talker]) as bot:
        await bot.intake.message(arrival("q1", mentions_us=True))
        await bot.intake.message(arrival("q2", ts(1), mentions_us=True))
        await until(lambda: bool(talker.prompts))
        outcome = await bot.intake.message(arrival("stop", ts(2), by="U0BEN"))
        shown = await bot.settled()

        assert outcome.stopped == 2 and talker.closed == 1
        assert [(each.text, each.ending and each.ending.kind) for each in shown] == [("Once upon", "stopped")]
        assert bot.transcript.notices == [(f"{CHANNEL}:{ts(1)}", "questions_withdrawn", {"count": "1"})]
        assert "Once upon" in [m.text for m in await bot.messages(KEY)]


async def test_a_stop_that_is_delivered_again_does_not_stop_what_was_asked_for_once_more(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once upon", 30.0], [0.3, "a time"]])
    async with core(tmp_path, models=[talker]) as bot:
        asked = await bot.intake.message(arrival("q1", mentions_us=True))
        await until(lambda: bool(talker.prompts))
        stop = Stop(KEY, ts(2), "U0ADA")
        await bot.intake.stop(stop)
        await bot.settled()
        again = await bot.intake.again(asked.turn_id, 1, "U0ADA")
        await until(lambda: len(talker.prompts) == 2)
        await bot.intake.stop(stop)
        await bot.settled()

        answered = await bot.mirror.turns.turn(again.turn_id)
        assert answered is not None and answered.state == "answered"


async def test_a_stop_that_is_delivered_again_does_not_stop_what_was_asked_since(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([[0.2, "fine"]])]) as bot:
        await bot.intake.message(arrival("q1", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("q2", ts(5), mentions_us=True))
        outcome = await bot.intake.stop(Stop(KEY, ts(3), "U0ADA"))

        assert outcome.stopped == 0 and [each.text for each in await bot.settled()] == ["fine", "fine"]


async def test_a_stop_with_nothing_to_stop_says_so_once_when_it_was_said_to_the_bot(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        for _ in range(3):
            await bot.intake.message(arrival("stop", mentions_us=True))
        shown = await bot.settled()

        assert [each.ending and each.ending.error_code for each in shown] == ["nothing_to_stop"]


async def test_a_stop_at_a_dms_root_ends_what_runs_in_that_dm(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0]])
    async with core(tmp_path, models=[talker]) as bot:
        await bot.intake.message(arrival("tell me", place="dm"))
        await until(lambda: bool(talker.prompts))
        later = type(KEY)(CHANNEL, ts(7))
        outcome = await bot.intake.message(arrival("stop", ts(7), thread=later, place="dm"))
        shown = await bot.settled()

        assert outcome.stopped == 1 and [each.ending and each.ending.kind for each in shown] == ["stopped"]


async def test_a_stop_reaches_the_replica_that_runs_the_turn_within_two_seconds(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0]])
    async with core(tmp_path, models=[talker]) as one, core(tmp_path, owner="replica-2") as two:
        await one.intake.message(arrival("q", mentions_us=True))
        await until(lambda: bool(talker.prompts))
        await two.intake.message(arrival("stop", ts(1)))
        await until(lambda: talker.closed == 1, timeout_s=2.0)

        assert [each.ending and each.ending.kind for each in await one.settled()] == ["stopped"]


async def test_an_edit_is_in_the_next_prompt_and_a_deletion_gone_from_it(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("the code is 1234", mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("aside", ts(4), mentions_others=True))
        await bot.intake.edited(Edit(KEY, ROOT_TS, "the code is secret", ts(5)))
        await bot.intake.deleted(Deletion(KEY, ts(4), "U0ADA"))
        await bot.intake.message(arrival("which code?", ts(6)))
        await bot.settled()

        texts = [turn.text for turn in bot.models["gemma"].prompts[-1].turns]
        assert texts == ["Ada: the code is secret", "Hello.", "Ada: which code?"]


async def test_deleting_the_question_while_it_is_answered_withdraws_the_answer(tmp_path: Path) -> None:
    talker = ScriptedModel([["Once", 30.0]])
    async with core(tmp_path, models=[talker]) as bot:
        await bot.intake.message(arrival("q", mentions_us=True))
        await until(lambda: bool(talker.prompts))
        await bot.intake.deleted(Deletion(KEY, ROOT_TS, "U0ADA"))
        shown = await bot.settled()

        assert talker.closed == 1 and [each.ending and each.ending.kind for each in shown] == ["withdrawn"]
