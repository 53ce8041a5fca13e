"""A thread that becomes ours in the middle: what was said before is history, what comes after is asked."""

import time
from pathlib import Path

from bot.errors import SlackUnavailable
from tests.doubles.core import People, core
from tests.doubles.sayings import CHANNEL, KEY, ROOT_TS, arrival, said, ts


async def test_a_thread_that_the_bot_joins_late_is_backfilled_once(tmp_path: Path) -> None:
    people = People(archive=[said("earlier", ROOT_TS), said("and more", ts(1), by="U0BEN", name="Ben")])
    async with core(tmp_path, people=people) as bot:
        await bot.intake.message(arrival("what do you think?", ts(2), mentions_us=True))
        await bot.settled()
        await bot.intake.message(arrival("sure?", ts(9)))
        await bot.settled()

        assert people.asked.count(f"history of {KEY}") == 1
        first = [turn.text for turn in bot.models["gemma"].prompts[0].turns]
        assert first == ["Ada: earlier\n\nBen: and more\n\nAda: what do you think?"]


async def test_slacks_refusal_of_the_backfill_costs_knowledge_but_no_answer(tmp_path: Path) -> None:
    async with core(tmp_path, people=People(archive_error=SlackUnavailable("conversations.replies"))) as bot:
        await bot.intake.message(arrival("what do you think?", ts(2), mentions_us=True))

        assert [each.text for each in await bot.settled()] == ["Hello."]


async def test_a_reply_that_overtakes_the_mention_is_answered_once_the_thread_is_ours(tmp_path: Path) -> None:
    root = f"{time.time():.2f}0000"
    thread = type(KEY)(CHANNEL, root)
    reply_ts = f"{float(root) + 1:.6f}"
    async with core(tmp_path) as bot:
        held = await bot.intake.message(arrival("and more?", reply_ts, thread=thread))
        await bot.intake.message(arrival("hi", root, thread=thread, mentions_us=True))
        shown = await bot.settled()

        assert held.fate == "held" and [each.turn_id for each in shown] == [
            f"{CHANNEL}:{root}",
            f"{CHANNEL}:{reply_ts}",
        ]


async def test_what_people_said_to_each_other_before_they_asked_us_is_no_question(tmp_path: Path) -> None:
    root = f"{time.time():.2f}0000"
    thread = type(KEY)(CHANNEL, root)
    at = [f"{float(root) + seconds:.6f}" for seconds in range(5)]
    async with core(tmp_path) as bot:
        await bot.intake.message(arrival("I saw a timeout, too", at[1], thread=thread))
        await bot.intake.message(arrival("what can it be?", at[3], thread=thread, mentions_us=True))
        late = await bot.intake.message(arrival("on which node?", at[2], thread=thread))
        await bot.intake.message(arrival("and then?", at[4], thread=thread))
        shown = await bot.settled()

    assert late.fate == "held"
    assert [each.turn_id for each in shown] == [f"{CHANNEL}:{at[3]}", f"{CHANNEL}:{at[4]}"]
