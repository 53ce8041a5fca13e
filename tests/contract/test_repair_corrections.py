"""Edits and deletions that never arrived are made good, and nothing is taken away that still stands in Slack."""

import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation.arrival import Arrival
from bot.conversation.thread import Message, Thread
from bot.conversation.turn import turn_id
from tests.doubles.core import Core, People, core
from tests.doubles.outage import ROOT, Clock, after_outage, asked_for
from tests.doubles.sayings import KEY, ROOT_TS, arrival, said, ts


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Core]:
    """A core that has answered the root of a thread."""
    async with core(tmp_path, now=clock, people=People(said=[ROOT])) as bot:
        await bot.intake.message(ROOT)
        await bot.settled()
        yield bot


async def test_a_list_that_lacks_the_question_itself_takes_nothing_away(bot: Core, clock: Clock) -> None:
    bot.outages.missed(ts(1))
    clock.at = float(ts(600))
    await bot.intake.message(arrival("now", ts(600)))
    await bot.settled()
    assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "now"]


async def test_what_was_recorded_while_slack_was_read_is_not_taken_away_however_long_that_took(
    bot: Core, clock: Clock
) -> None:
    since = bot.people.since

    async def slowly(thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        found = await since(thread, oldest_ts)
        await bot.mirror.threads.record(said("meanwhile", ts(20)))  # by another process, while this one is frozen
        clock.at = float(ts(300))
        return found

    bot.people.since = slowly  # type: ignore[method-assign]
    await after_outage(bot, clock, seconds=10, last=arrival("now", ts(10)))

    assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "now", "meanwhile"]


async def test_a_list_that_proves_nothing_leaves_the_comparison_to_the_next_turn(bot: Core, clock: Clock) -> None:
    gone, again = arrival("gone", ts(300)), turn_id(KEY.channel_id, ROOT_TS)
    clock.at = float(ts(300))
    await bot.intake.message(gone)
    await bot.settled()
    bot.outages.missed(ts(690))
    clock.at = float(ts(805))
    await bot.intake.again(again, 1, "U0ADA")  # a question that is older than all that Slack is asked for
    await bot.settled()
    await after_outage(bot, clock, seconds=810, last=arrival("next", ts(810)))

    assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "next"]


async def test_a_message_that_slack_knows_by_another_ts_stays(bot: Core, clock: Clock) -> None:
    await bot.intake.message(arrival("twice", ts(2), client_msg_id="m1"))
    await bot.settled()
    bot.people.said.append(arrival("twice", ts(3), client_msg_id="m1"))
    await after_outage(bot, clock, seconds=200, last=arrival("now", ts(200)))

    assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "twice", "now"]
    assert asked_for(bot) == ["hi", "twice", "now"]


@pytest.mark.parametrize("seed", range(20))
async def test_a_mirror_that_missed_a_fifth_of_all_events_is_whole_after_one_repair(
    tmp_path: Path, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    async with core(tmp_path, now=clock, people=People(said=[ROOT])) as bot:
        await bot.intake.message(ROOT)
        await bot.settled()
        slack: dict[str, Message] = {}
        for n in range(1, 41):
            message = said(f"message {n}", ts(n))
            slack[message.ts] = message
            if chance.random() > 0.2:
                await bot.mirror.threads.record(message)
            if chance.random() < 0.3:
                edited = replace(message, text=f"edited {n}", edited_ts=ts(100 + n))
                slack[message.ts] = edited
                if chance.random() > 0.2:
                    await bot.mirror.threads.edit(KEY, edited.ts, edited.text, edited.edited_ts)
            if chance.random() < 0.2:
                gone = chance.choice(sorted(slack))
                del slack[gone]
                if chance.random() > 0.2:
                    await bot.mirror.threads.delete(KEY, gone)

        now = [replace(arrival("", at), message=message, mentions_others=True) for at, message in slack.items()]
        await after_outage(bot, clock, *now, seconds=300, last=arrival("whole?", ts(300)))

        mirrored = {m.ts: m.text for m in await bot.messages(KEY) if m.role == "user"}
        assert mirrored == {m.ts: m.text for m in slack.values()} | {ROOT_TS: "hi", ts(300): "whole?"}
