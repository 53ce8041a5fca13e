"""The real core with the real replies: what is left in Slack and in the mirror when Slack has a mind of its own."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.conversation.thread import ThreadKey
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.replies import SlackReplies
from tests.doubles.answering import footer_of, markdown_of
from tests.doubles.core import core
from tests.doubles.sayings import arrival
from tests.doubles.scripted_model import ScriptedModel
from tests.doubles.wireless_slack import Fault, WirelessSlack


def in_slack(slack: WirelessSlack) -> SlackReplies:
    return SlackReplies(SlackCalls(slack.client, Budget(None)), bot_user_id=slack.slack.roster.bot_user.id)


async def test_slacks_own_stop_ends_the_turn_as_stopped_wherever_it_is_noticed_first(tmp_path: Path) -> None:
    slack = WirelessSlack()
    root = slack.ask("D0ADA")
    slack.faults.append(Fault("chat.appendStream", "refuse", "stopped_by_user"))
    talker = ScriptedModel([["Once upon a time. ", 1.2, "There was a bot. ", 30.0]])
    async with core(tmp_path, models=[talker], replies=in_slack(slack)) as bot:
        thread = ThreadKey("D0ADA", root)
        outcome = await bot.intake.message(arrival("tell me", root, thread=thread, place="dm"))
        await bot.settled()

        closed = await bot.mirror.turns.turn(outcome.turn_id)
        assert closed is not None and closed.state == "stopped" and talker.closed == 1
        assert (await bot.messages(thread))[-1].text.startswith("Once upon a time.")
    (shown,) = slack.thread("D0ADA", root)
    assert markdown_of(shown).startswith("Once upon a time.") and "Stopped" in footer_of(shown)
    assert not slack.busy("D0ADA", root)
    await slack.slack.close()


@pytest.mark.parametrize(("method", "state"), [("chat.postMessage", "failed"), ("chat.update", "answered")])
async def test_what_slack_refuses_for_good_leaves_no_status_and_no_open_turn(
    tmp_path: Path, method: str, state: str
) -> None:
    slack = WirelessSlack()
    root = slack.ask()
    slack.faults.append(Fault(method, "refuse", "restricted_action", times=99))
    talker = ScriptedModel([["Half. ", 3.5, "Whole."]])
    async with core(tmp_path, models=[talker], replies=in_slack(slack)) as bot:
        thread = ThreadKey("C0GENERAL", root)
        outcome = await bot.intake.message(arrival("tell me", root, thread=thread, mentions_us=True))
        await bot.settled()

        closed = await bot.mirror.turns.turn(outcome.turn_id)
        assert closed is not None and closed.state == state and await bot.mirror.turns.open_turns(thread) == []
    assert not slack.busy("C0GENERAL", root)
    await slack.slack.close()


async def test_a_bug_while_writing_gives_back_what_was_set_aside_in_the_budget(tmp_path: Path) -> None:
    slack, budget = WirelessSlack(), Budget()
    root = slack.ask()
    replies = SlackReplies(SlackCalls(slack.client, budget), bot_user_id="U0BOT", epoch=_broken)
    async with core(tmp_path, replies=replies) as bot:
        thread = ThreadKey("C0GENERAL", root)
        outcome = await bot.intake.message(arrival("tell me", root, thread=thread, mentions_us=True))
        await _until(lambda: bool(slack.named("chat.postMessage")))
        replies._epoch = time.time  # the bug is mended
        async with asyncio.timeout(20):
            while (turn := await bot.mirror.turns.turn(outcome.turn_id)) and turn.open:
                await asyncio.sleep(0.05)

    assert {key: line.bucket.reserved for key, line in budget._lines.items() if line.bucket.reserved} == {}
    assert not slack.busy("C0GENERAL", root) and len(slack.thread("C0GENERAL", root)) == 1
    await slack.slack.close()


def _broken() -> float:
    raise ZeroDivisionError


async def _until(condition: Callable[[], bool], timeout_s: float = 6.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)
