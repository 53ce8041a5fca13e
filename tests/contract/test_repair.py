"""What was said in an outage and never arrived is found in Slack itself, when its thread is next heard of."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.conversation.arrival import Arrival, Stop
from bot.conversation.mirror import Taken
from bot.conversation.thread import Thread, ThreadKey
from bot.conversation.triage import Rules
from bot.conversation.turn import turn_id
from bot.errors import SlackUnavailable
from tests.doubles.core import Core, People, core
from tests.doubles.outage import ROOT, Clock, after_outage, asked_for, listed
from tests.doubles.sayings import KEY, ROOT_TS, arrival, said, ts, turn

DM_ROOTS = (("first", ts(1)), ("lost", ts(300)))


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


def compared(bot: Core) -> int:
    return sum(" since " in asked for asked in bot.people.asked)


async def test_without_an_outage_slack_is_not_asked(bot: Core, clock: Clock) -> None:
    for second in range(1, 4):
        clock.at = float(ts(second))
        await bot.intake.message(arrival("and?", ts(second)))
        await bot.settled()
    assert compared(bot) == 0


async def test_what_was_never_heard_of_is_answered_first_when_the_thread_is_next_heard_of(
    bot: Core, clock: Clock
) -> None:
    await after_outage(bot, clock, arrival("one", ts(5)), arrival("two", ts(6)), seconds=60, last=arrival("3", ts(60)))

    assert asked_for(bot) == ["hi", "one", "two", "3"]
    assert [shown.ending and shown.ending.kind for shown in bot.transcript.shown] == ["answered"] * 4


async def test_a_thread_is_compared_once_for_an_outage_and_not_where_it_began_later(bot: Core, clock: Clock) -> None:
    await after_outage(bot, clock, seconds=60, last=arrival("one", ts(60)))
    await bot.intake.message(arrival("two", ts(61)))
    young = replace(KEY, thread_ts=ts(61))
    await bot.intake.message(arrival("new", ts(61), thread=young, mentions_us=True))
    await bot.settled()

    assert compared(bot) == 1


async def test_a_message_that_slack_sends_again_after_all_is_not_answered_twice(bot: Core, clock: Clock) -> None:
    unheard = arrival("one", ts(5))
    await after_outage(bot, clock, unheard, seconds=60, last=arrival("two", ts(60)))
    outcome = await bot.intake.message(unheard)
    await bot.settled()

    assert (outcome.reason, asked_for(bot)) == ("known", ["hi", "one", "two"])


async def test_what_is_too_old_is_listed_to_its_asker_and_not_answered(bot: Core, clock: Clock) -> None:
    unheard = [arrival("one", ts(5)), arrival("two", ts(6)), arrival("by Ben", ts(7), by="U0BEN")]
    await after_outage(bot, clock, *unheard, arrival("fresh", ts(950)), seconds=1000, last=arrival("now", ts(1000)))

    assert asked_for(bot) == ["hi", "fresh", "now"]
    assert listed(bot) == ["> one\n> two", "> by Ben"]
    assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == [
        *("hi", "one", "two", "by Ben", "fresh", "now")
    ]


async def test_what_is_listed_already_is_not_listed_again_where_a_process_died_over_it(bot: Core, clock: Clock) -> None:
    unheard = [arrival("one", ts(5)), arrival("two", ts(6))]
    listing = replace(turn(ts(5)), missed=(ts(5), ts(6)))
    await bot.mirror.turns.accept(listing, replace(unheard[0].message, turn_id=listing.id))
    await after_outage(bot, clock, *unheard, seconds=1000, last=arrival("now", ts(1000)))

    assert listed(bot) == ["> one\n> two"]


async def test_a_list_goes_on_without_what_was_taken_back_before_it_was_found(bot: Core, clock: Clock) -> None:
    await bot.mirror.threads.delete(KEY, ts(5))
    unheard = [arrival("one", ts(5)), arrival("two", ts(6))]
    await after_outage(bot, clock, *unheard, seconds=1000, last=arrival("now", ts(1000)))
    assert listed(bot) == ["> two"]


async def test_what_was_taken_back_is_not_listed(bot: Core, clock: Clock) -> None:
    listing = replace(turn(ts(5)), missed=(ts(5), ts(6)))
    await bot.mirror.turns.accept(listing, replace(said("one", ts(5)), turn_id=listing.id))
    await bot.mirror.threads.delete(KEY, ts(5))
    bot.worker.wake(KEY)
    await bot.settled()

    closed = await bot.mirror.turns.turn(listing.id)
    assert closed is not None and closed.state == "stopped"


async def test_what_nobody_asked_us_is_mirrored_and_not_answered(bot: Core, clock: Clock) -> None:
    unheard = [arrival("Ben?", ts(5), mentions_others=True), arrival("beep", ts(6), sender="bot")]
    await after_outage(bot, clock, *unheard, arrival("stop", ts(7)), seconds=60, last=arrival("now", ts(60)))

    assert asked_for(bot) == ["hi", "now"]
    assert [m.text for m in await bot.messages(KEY) if m.role == "user"] == ["hi", "Ben?", "stop", "now"]


async def test_follow_ups_that_are_off_stay_off(tmp_path: Path, clock: Clock) -> None:
    async with core(tmp_path, now=clock, rules=Rules(follow_ups=False), people=People(said=[ROOT])) as bot:
        await bot.intake.message(ROOT)
        unheard = [arrival("among us", ts(5)), arrival("you!", ts(6), mentions_us=True)]
        await after_outage(bot, clock, *unheard, seconds=60, last=arrival("now", ts(60), mentions_us=True))
        assert asked_for(bot) == ["hi", "you!", "now"]


async def test_where_the_bot_joins_late_what_was_said_before_is_history_and_no_question(
    tmp_path: Path, clock: Clock
) -> None:
    async with core(tmp_path, now=clock) as bot:
        before, addressed, after = (arrival("lunch?", ts(2)), arrival("Tandem?", ts(3), mentions_us=True), ts(4))
        await after_outage(
            *(bot, clock, before, addressed, arrival("hello?", after)),
            seconds=60,
            last=arrival("anybody?", ts(60), mentions_us=True),
        )
        assert asked_for(bot) == ["Tandem?", "hello?", "anybody?"]


async def test_in_a_dm_the_next_message_also_finds_questions_that_began_other_threads(
    tmp_path: Path, clock: Clock
) -> None:
    def begins(text: str, at: str) -> Arrival:
        return arrival(text, at, thread=ThreadKey("D0ADA", at), place="dm")

    async with core(tmp_path, now=clock, lease_s=0.2) as bot:
        bot.people.began = [begins("old", ts(5)), begins("lost", ts(900)), begins("here?", ts(1000))]
        await after_outage(bot, clock, begins("old", ts(5)), seconds=1000, last=begins("here?", ts(1000)))
        await after_outage(bot, clock, seconds=1001, last=begins("and now?", ts(1001)))
        while len(bot.transcript.shown) < 4:
            await asyncio.sleep(0.02)
        await bot.settled()

    assert sorted(asked_for(bot)) == ["and now?", "here?", "lost"]
    assert listed(bot) == ["> old"]


async def test_a_retry_finds_the_lost_threads_of_its_dm_too(tmp_path: Path, clock: Clock) -> None:
    first, lost = [arrival(text, at, thread=ThreadKey("D0ADA", at), place="dm") for text, at in DM_ROOTS]
    async with core(tmp_path, now=clock, lease_s=0.2) as bot:
        await bot.intake.message(first)
        await bot.settled()
        bot.people.began = [first, lost]
        bot.outages.missed(lost.message.ts)
        clock.at = float(ts(320))
        await bot.intake.again(turn_id("D0ADA", first.message.ts), 1, "U0ADA")
        while "lost" not in asked_for(bot):
            await asyncio.sleep(0.02)


async def test_a_reply_that_came_before_its_late_root_and_was_lost_with_its_process_is_answered(
    tmp_path: Path, clock: Clock
) -> None:
    reply = arrival("and this?", ts(1))
    clock.at = float(ts(2))
    async with core(tmp_path, now=clock, owner="dies") as bot:
        assert (await bot.intake.message(reply)).fate == "held"
    async with core(tmp_path, now=clock, people=People(said=[ROOT, reply])) as bot:
        await bot.intake.message(ROOT)
        await bot.settled()
        assert asked_for(bot) == ["hi", "and this?"]


async def test_where_slack_does_not_tell_the_question_is_answered_and_the_next_one_compares(
    bot: Core, clock: Clock
) -> None:
    bot.people.archive_error = SlackUnavailable("conversations.replies")
    await after_outage(bot, clock, arrival("one", ts(5)), seconds=60, last=arrival("two", ts(60)))
    bot.people.archive_error = None
    bot.people.said.append(last := arrival("three", ts(61)))
    await bot.intake.message(last)
    await bot.settled()

    assert asked_for(bot) == ["hi", "two", "one", "three"]


async def test_a_stop_that_is_still_on_its_way_is_no_question(bot: Core, clock: Clock) -> None:
    stop = arrival("stop", ts(61), mentions_us=True)
    await after_outage(bot, clock, stop, seconds=60, last=arrival("now", ts(60)))
    await bot.intake.message(stop)
    await bot.settled()

    assert [shown.ending.kind for shown in bot.transcript.shown if shown.ending] == ["answered", "stopped"]


async def test_a_comparison_that_breaks_does_not_keep_the_question_from_its_answer(bot: Core, clock: Clock) -> None:
    async def broken(thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        raise ZeroDivisionError("a bug")

    bot.people.since = broken  # type: ignore[method-assign]
    bot.outages.missed(ts(5))
    clock.at = float(ts(60))
    await bot.intake.message(arrival("now", ts(60)))
    async with asyncio.timeout(20):
        while asked_for(bot) != ["hi", "now"]:
            await asyncio.sleep(0.05)


async def test_a_stop_that_only_a_dead_process_was_told_of_is_obeyed_by_the_next(tmp_path: Path) -> None:
    async with core(tmp_path, lease_s=1.0) as bot:
        asked = turn(ROOT_TS)
        await bot.mirror.turns.accept(asked, replace(said("hi", ROOT_TS), turn_id=asked.id))
        assert isinstance(await bot.mirror.turns.take(KEY, "dead", 1.0), Taken)
        outcome = await bot.intake.stop(Stop(KEY, ts(5), "U0ADA"))
        assert outcome.stopped == 1
        while not bot.transcript.shown or bot.worker.busy:
            bot.worker.wake(KEY)
            await bot.settled()

        closed = await bot.mirror.turns.turn(asked.id)
        assert closed is not None and closed.state == "stopped"
        assert not bot.models["gemma"].prompts
