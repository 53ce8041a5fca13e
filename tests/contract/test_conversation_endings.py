"""Models that do not answer, or not wholly: what people are told, and how they ask again."""

import asyncio
from pathlib import Path

import pytest

from bot.conversation.models import Chunk
from bot.errors import (
    ModelMisconfigured,
    ModelUnavailable,
    PromptTooLong,
    StreamBroken,
)
from tests.doubles.core import core, model
from tests.doubles.sayings import CHANNEL, KEY, arrival, ts
from tests.doubles.scripted_model import ScriptedModel


async def test_a_stand_in_answers_while_the_chosen_model_cannot_and_says_so(tmp_path: Path) -> None:
    gemma, demo = model("gemma", stand_in="demo"), model("demo", where="built-in")
    gemma.scripts = [[ModelUnavailable("loading")]]
    async with core(tmp_path, models=[gemma, demo]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]

        assert shown.text == "I am demo." and shown.ending is not None
        assert shown.ending.notes == ("stood_in:Gemma",) and shown.ending.model_label == "Demo"


@pytest.mark.parametrize(
    ("error", "code"),
    [(ModelUnavailable("x"), "model_unavailable"), (ModelMisconfigured("x"), "model_misconfigured")],
)
async def test_a_model_that_does_not_answer_is_apologised_for_with_a_way_to_try_again(
    tmp_path: Path, error: Exception, code: str
) -> None:
    async with core(tmp_path, models=[ScriptedModel([[error]])]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and (ending.kind, ending.error_code, ending.reference) == ("failed", code, "ref-1")
        assert ending.retry == 1


async def test_a_cut_stream_is_never_shown_as_complete(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([["Half an", StreamBroken("reset")]])]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]

        assert shown.text == "Half an" and shown.ending is not None and shown.ending.kind == "cut"


async def test_a_bug_is_apologised_for_too(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([[ZeroDivisionError("bug")]])]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and (ending.kind, ending.error_code) == ("failed", "internal")


async def test_an_empty_answer_is_asked_for_once_more_and_then_said_to_be_empty(tmp_path: Path) -> None:
    mute = ScriptedModel([["  "]])
    async with core(tmp_path, models=[mute]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert len(mute.prompts) == 2 and ending is not None and ending.error_code == "empty_answer"


async def test_a_blocked_answer_is_a_refusal_and_nobody_else_is_asked(tmp_path: Path) -> None:
    gemini, gemma = model("gemini", stand_in="gemma"), model("gemma")
    gemini.scripts = [[Chunk(finish="blocked", detail="SAFETY")]]
    async with core(tmp_path, models=[gemini, gemma]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.kind == "refused" and gemma.prompts == []


async def test_an_answer_that_is_blocked_in_its_middle_keeps_what_was_shown_and_is_a_refusal(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([["Half an", Chunk(finish="blocked", detail="SAFETY")]])]) as bot:
        outcome = await bot.intake.message(arrival("hi", mentions_us=True))
        shown = (await bot.settled())[0]
        turn = await bot.mirror.turns.turn(outcome.turn_id)

        assert shown.text == "Half an" and shown.ending is not None and shown.ending.kind == "refused"
        assert turn is not None and turn.state == "refused"


async def test_an_answer_whose_thoughts_used_all_of_its_length_is_said_to_be_empty_at_once(tmp_path: Path) -> None:
    thinker = ScriptedModel([[Chunk(finish="length")]])
    async with core(tmp_path, models=[thinker]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert len(thinker.prompts) == 1 and ending is not None and ending.error_code == "empty_answer"


async def test_a_prompt_that_the_server_finds_too_long_is_halved_once(tmp_path: Path) -> None:
    gemma = ScriptedModel([[PromptTooLong("x", 100)], ["Fits."]])
    async with core(tmp_path, models=[gemma]) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))

        assert [each.text for each in await bot.settled()] == ["Fits."] and len(gemma.prompts) == 2


async def test_a_message_longer_than_the_model_takes_is_told_the_limit(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma", context_tokens=2048)]) as bot:
        await bot.intake.message(arrival("word " * 5000, mentions_us=True))
        ending = (await bot.settled())[0].ending

        assert ending is not None and ending.error_code == "prompt_too_long" and 1000 < ending.limit < 4000


async def test_asking_again_is_a_turn_of_its_own_and_a_double_click_is_one(tmp_path: Path) -> None:
    async with core(tmp_path, models=[ScriptedModel([["Bad."], ["Good."]])]) as bot:
        first = await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await asyncio.gather(*(bot.intake.again(first.turn_id, 1, "U0BEN") for _ in range(2)))
        shown = await bot.settled()

        assert [each.text for each in shown] == ["Bad.", "Good."]
        assert [t.text for t in bot.models["gemma"].prompts[1].turns] == ["Ada: hi"]


async def test_asking_again_finds_a_question_that_is_older_than_what_a_prompt_holds(tmp_path: Path) -> None:
    async with core(tmp_path, models=[model("gemma", history_messages=4)]) as bot:
        first = await bot.intake.message(arrival("the oldest question", mentions_us=True))
        for n in range(1, 9):
            await bot.intake.message(arrival(f"q{n}", ts(n)))
        await bot.settled()
        await bot.intake.again(first.turn_id, 1, "U0BEN")
        shown = await bot.settled()

        assert shown[-1].text == "I am gemma." and len(shown) == 10
        assert bot.models["gemma"].prompts[-1].turns[-1].text.endswith("Ada: the oldest question")


async def test_asking_again_in_a_vanished_thread_does_nothing(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        assert (await bot.intake.again(f"{CHANNEL}:{ts(1)}", 1, "U0ADA")).reason == "vanished_thread"


async def test_a_model_that_is_gone_is_replaced_by_the_default_and_that_is_said(tmp_path: Path) -> None:
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("hi", mentions_us=True))
        await bot.settled()
        await bot.mirror.threads.set_thread_model(KEY, "gpt-1")
        await bot.intake.message(arrival("still there?", ts(3)))
        ending = (await bot.settled())[-1].ending

        assert ending is not None and ending.notes == ("gone:gpt-1",)
