"""Replies against a real local Slack, over the wire: what people see, and that nothing in it is live."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.conversation.ports import Ending, Reply
from bot.conversation.thread import ThreadKey
from bot.conversation.turn import ReplyMode, Turn, turn_id
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.client import SlackConnection
from bot.slack.replies import SlackReplies
from bot.slack.reply import Pace
from tests.doubles.answering import ANSWERED, footer_of, markdown_of
from tests.doubles.in_process import ADA, BOT, DM, GENERAL, TEAM, InProcess
from tests.doubles.journal import MemoryJournal
from tests.doubles.workspace import BOT_TOKEN

WORDS = [f"word {n} " for n in range(40)]
FAST = Pace(update_interval_s=0.2, append_interval_s=0.1)
MODES: tuple[ReplyMode, ...] = ("native", "edit", "final")


class Bot:
    """The bot's writing side, connected to a playground."""

    def __init__(self, workspace: InProcess, replies: SlackReplies) -> None:
        self.workspace = workspace
        self.replies = replies

    async def asked(self, channel: str, root: str = "") -> MemoryJournal:
        """A question, and the journal of its turn."""
        ts = await self.workspace.say(ADA, channel, "@Tandem hello", root or None)
        turn = Turn(
            id=turn_id(channel, ts),
            thread=ThreadKey(channel, root or ts),
            question_ts=ts,
            team_id=TEAM,
            asker_id=ADA,
            asker_team_id=TEAM,
            place="dm" if channel == DM else "channel",
            state="running",
        )
        return MemoryJournal(turn)

    async def answer(self, journal: MemoryJournal, mode: ReplyMode, *pieces: str, every_s: float = 0.02) -> Reply:
        """All pieces, one after another, and the end."""
        reply = await self.replies.begin(journal, mode)
        for piece in pieces:
            reply.push(piece)
            await asyncio.sleep(every_s)
        await reply.open()
        await reply.end(ANSWERED)
        return reply

    async def shown(self, journal: MemoryJournal) -> list[dict[str, Any]]:
        """The bot's messages in the turn's thread."""
        thread = journal.turn.thread
        return [m for m in await self.workspace.messages(thread.channel_id, thread.thread_ts) if m.get("user") == BOT]

    async def is_quiet(self, journal: MemoryJournal) -> bool:
        """Whether no status shows."""
        thread = journal.turn.thread
        status = await self.workspace.status(thread.channel_id, thread.thread_ts)
        return status["status"] != "processing" and not status["text"]


@pytest.fixture
async def bot_with() -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def build(budget: Budget | None = None, **settings: Any) -> Bot:
            workspace = await stack.enter_async_context(InProcess())
            connection = await stack.enter_async_context(SlackConnection(BOT_TOKEN, base_url=workspace.api_url))
            calls = SlackCalls(connection.client, budget or Budget(None), deadline_s=1.0)
            settings = {"pace": FAST, "settle_delays_s": (0.05, 0.2, 0.5), **settings}
            return Bot(workspace, SlackReplies(calls, bot_user_id=BOT, **settings))

        yield build


@pytest.mark.parametrize("channel", [DM, GENERAL])
@pytest.mark.parametrize("mode", MODES)
async def test_people_see_the_whole_answer(bot_with: Callable[..., Any], mode: ReplyMode, channel: str) -> None:
    bot = await bot_with()
    journal = await bot.asked(channel)
    await bot.answer(journal, mode, *WORDS)

    [message] = await bot.shown(journal)
    assert markdown_of(message) == "".join(WORDS)
    assert footer_of(message) == "Gemma 3 12B · 2.3 s"
    assert not message["_"]["streaming"]
    assert await bot.is_quiet(journal)


@pytest.mark.parametrize("mode", MODES)
async def test_nothing_that_a_model_writes_is_live(bot_with: Callable[..., Any], mode: ReplyMode) -> None:
    bot = await bot_with()
    journal = await bot.asked(GENERAL)
    evil = "Hi <!channel> <@U0BEN> <https://evil.com|x> [y](https://evil.com) https://evil.com `<!here>` ![](https://e.com/i.png)\n"
    await bot.answer(journal, mode, *[evil[at : at + 3] for at in range(0, len(evil), 3)], evil, every_s=0.01)

    [message] = await bot.shown(journal)
    assert message["_"]["live"] == [] and "channel" in markdown_of(message)


@pytest.mark.parametrize("mode", MODES)
async def test_a_long_answer_is_several_messages(bot_with: Callable[..., Any], mode: ReplyMode) -> None:
    bot = await bot_with()
    journal = await bot.asked(GENERAL)
    paragraphs = [f"Paragraph {n}. " + "lorem ipsum " * 20 + "\n\n" for n in range(120)]
    await bot.answer(journal, mode, *paragraphs, every_s=0.005)

    messages = await bot.shown(journal)
    assert "".join(map(markdown_of, messages)) == "".join(paragraphs)
    assert len(messages) >= 3
    assert not [call for call in await bot.workspace.calls() if call["error"]]
    assert await bot.is_quiet(journal)


@pytest.mark.parametrize(
    ("method", "kind", "mode"),
    [
        ("chat.postMessage", "drop", "edit"),
        ("chat.postMessage", "hang", "edit"),
        ("chat.startStream", "drop", "native"),
        ("chat.appendStream", "drop", "native"),
        ("chat.appendStream", "hang", "native"),
        ("chat.stopStream", "drop", "native"),
        ("chat.update", "status", "edit"),
        ("agents.sessions.setStatus", "drop", "edit"),
    ],
)
@pytest.mark.parametrize("effect", [True, False])
async def test_a_call_that_was_never_answered_doubles_and_loses_nothing(
    bot_with: Callable[..., Any], method: str, kind: str, mode: ReplyMode, effect: bool
) -> None:
    bot = await bot_with()
    journal = await bot.asked(GENERAL)
    await bot.workspace.trouble(fail=[{"method": method, "kind": kind, "effect": effect}])
    await bot.answer(journal, mode, *WORDS)

    [message] = await bot.shown(journal)
    assert markdown_of(message) == "".join(WORDS)
    assert await bot.is_quiet(journal)


async def test_slacks_stop_button_ends_the_stream_and_people_are_told(bot_with: Callable[..., Any]) -> None:
    bot = await bot_with()
    journal = await bot.asked(DM)
    reply = await bot.replies.begin(journal, "native")
    reply.push("one two ")
    await reply.open()
    assert await bot.workspace.stop(ADA, DM, journal.turn.thread.thread_ts)
    await reply.end(Ending(kind="stopped", model_label="Gemma"))

    [message] = await bot.shown(journal)
    assert footer_of(message) == "Gemma · _Stopped_" and markdown_of(message) == "one two "
    assert await bot.is_quiet(journal)


async def test_a_stream_that_slack_ended_goes_on_as_an_edited_message(bot_with: Callable[..., Any]) -> None:
    bot = await bot_with()
    await bot.workspace.trouble(timing={"stream_life_s": 0.3})
    journal = await bot.asked(DM)
    await bot.answer(journal, "native", *WORDS)

    [message] = await bot.shown(journal)
    assert markdown_of(message) == "".join(WORDS)
    assert await bot.is_quiet(journal)


async def test_within_the_documented_limits_slack_never_says_429(bot_with: Callable[..., Any]) -> None:
    bot = await bot_with(Budget())
    await bot.workspace.trouble(rate_limits="documented")
    journals = [await bot.asked(GENERAL if n % 2 else DM) for n in range(10)]
    await asyncio.gather(*(bot.answer(journal, "native", *WORDS, every_s=0.05) for journal in journals))

    for journal in journals:
        assert "".join(map(markdown_of, await bot.shown(journal))) == "".join(WORDS)
        assert await bot.is_quiet(journal)
    assert not [call for call in await bot.workspace.calls() if call["status"] == 429]


async def test_a_later_question_in_the_thread_is_not_taken_for_a_cut_answer(bot_with: Callable[..., Any]) -> None:
    bot = await bot_with()
    first = await bot.asked(GENERAL)
    await bot.answer(first, "native", "first answer")
    second = await bot.asked(GENERAL, first.turn.thread.thread_ts)
    await bot.workspace.trouble(fail=[{"method": "chat.startStream", "kind": "drop", "effect": True}])
    await bot.answer(second, "native", "second answer")

    assert [markdown_of(message) for message in await bot.shown(second)] == ["first answer", "second answer"]
