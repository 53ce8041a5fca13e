"""A question in a wireless Slack in, its reply growing there out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.conversation.ports import Ending, ModelChoice, Reply
from bot.conversation.thread import ThreadKey
from bot.conversation.turn import Part, ReplyMode, Turn, turn_id
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.replies import SlackReplies
from tests.doubles.journal import MemoryJournal
from tests.doubles.wireless_slack import WirelessSlack

JSON = dict[str, Any]
GENERAL, DM = "C0GENERAL", "D0ADA"
ANSWERED = Ending(
    kind="answered",
    model_id="gemma",
    model_label="Gemma 3 12B",
    seconds=2.34,
    choices=(ModelChoice("gemma", "Gemma 3 12B"), ModelChoice("gemini", "Gemini")),
)


class Answering:
    """One question, and what the bot does about it."""

    def __init__(self, replies: SlackReplies, slack: WirelessSlack, channel: str, user: str = "U0ADA") -> None:
        self.replies = replies
        self.slack = slack
        self.channel = channel
        self.root = slack.ask(channel, user)
        self.journal = MemoryJournal(
            Turn(
                id=turn_id(channel, self.root),
                thread=ThreadKey(channel, self.root),
                question_ts=self.root,
                team_id="T0TANDEM",
                asker_id=user,
                asker_team_id="T0TANDEM",
                place="dm" if channel.startswith("D") else "channel",
                state="running",
                attempts=1,
            )
        )
        self.begun: list[Reply] = []

    async def begin(self, mode: ReplyMode) -> Reply:
        """Begin the reply."""
        reply = await self.replies.begin(self.journal, mode)
        self.begun.append(reply)
        return reply

    async def answer(self, mode: ReplyMode, *pieces: str, every_s: float = 0.1, ending: Ending = ANSWERED) -> None:
        """A whole answer that comes piece by piece, as the core would show it."""
        reply = await self.begin(mode)
        for piece in pieces:
            reply.push(piece)
            await asyncio.sleep(every_s)
        if pieces:
            await reply.open()
        await reply.end(ending)

    def taken_over(self, *parts: Part, **changes: Any) -> None:
        """Make the turn one that another process had begun."""
        self.journal = MemoryJournal(replace(self.journal.turn, attempts=2, parts=parts, **changes))

    @property
    def shown(self) -> list[JSON]:
        """The bot's messages in the thread."""
        return self.slack.thread(self.channel, self.root)

    @property
    def text(self) -> str:
        """All Markdown that the thread shows of the bot, put together."""
        return "".join(map(markdown_of, self.shown))

    @property
    def methods(self) -> list[str]:
        """The methods called so far, but for statuses."""
        return [call.method for call in self.slack.calls if "Status" not in call.method]

    @property
    def statuses(self) -> list[JSON]:
        """The statuses set so far."""
        return [call.args for call in self.slack.calls if "Status" in call.method and not call.error]

    @property
    def busy(self) -> bool:
        """Whether people still see that the bot is at work."""
        return self.slack.busy(self.channel, self.root) or self.slack.streaming(self.channel)


def markdown_of(message: JSON) -> str:
    """A message's Markdown, without what stands under it."""
    return "".join(block["text"] for block in message.get("blocks", ()) if block["type"] == "markdown")


def footer_of(message: JSON) -> str:
    """The small grey lines under a message."""
    contexts = [block for block in message.get("blocks", ()) if block["type"] == "context"]
    return " ".join(element["text"] for block in contexts for element in block["elements"])


def actions_of(message: JSON) -> list[JSON]:
    """What one may press under a message."""
    return [element for block in message["blocks"] if block["type"] == "actions" for element in block["elements"]]


@asynccontextmanager
async def asked(channel: str = GENERAL, *, budget: Budget | None = None, **settings: Any) -> AsyncIterator[Answering]:
    """A question in a channel of a new local Slack, and what answers it."""
    slack = WirelessSlack()
    calls = SlackCalls(slack.client, budget or Budget(None))
    replies = SlackReplies(calls, bot_user_id=slack.slack.roster.bot_user.id, **settings)
    answering = Answering(replies, slack, channel)
    try:
        yield answering
    finally:
        for reply in answering.begun:
            reply.abandon()
        await slack.slack.close()
