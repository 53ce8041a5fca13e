"""Turns in, their replies in Slack out; and short notices that are no answers."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence

from bot.conversation.ports import Journal, Reply
from bot.conversation.turn import ReplyMode, Turn
from bot.slack.apologies import notice
from bot.slack.calls import SlackCalls
from bot.slack.footing import NameOf
from bot.slack.marks import notice_mark
from bot.slack.opening import Opening, StreamlessTeams
from bot.slack.outlet import Outlet
from bot.slack.posted import content
from bot.slack.reply import Pace, SlackReply
from bot.slack.safety import safe
from bot.slack.status import Status, StatusMethods
from bot.slack.wording import Wording

_log = logging.getLogger(__name__)
PAGE_CHARS = 10_000  # safely under the 12,000 that a message holds
_PACE = Pace()
SETTLE_DELAYS_S = (3.0, 10.0, 30.0)  # by then a message that was posted shows in its thread


async def _nobody(_team_id: str, _user_id: str) -> str:
    return ""


class SlackReplies:
    """Shows answers in Slack.

    `allowed_link_hosts`: hosts whose links stay live ("*" = all). `settle_delays_s`: when an unconfirmed message is
    looked for. `name_of`: a person's name, for who stopped an answer. `monotonic` and `epoch` are clocks, in seconds.
    """

    def __init__(
        self,
        calls: SlackCalls,
        *,
        bot_user_id: str,
        allowed_link_hosts: Collection[str] = (),
        settle_delays_s: Sequence[float] = SETTLE_DELAYS_S,
        pace: Pace = _PACE,
        rollover_chars: int = PAGE_CHARS,
        name_of: NameOf = _nobody,
        monotonic: Callable[[], float] | None = None,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self._bot_user_id = bot_user_id
        self._hosts = allowed_link_hosts
        self._settle_delays_s = settle_delays_s
        self._pace = pace
        self._page_chars = rollover_chars
        self._name_of = name_of
        self._monotonic = monotonic or (lambda: asyncio.get_running_loop().time())
        self._epoch = epoch
        self._streamless = StreamlessTeams()
        self._status_methods = StatusMethods()

    async def begin(self, journal: Journal, mode: ReplyMode) -> Reply:
        """See `Replies.begin`."""
        outlet = Outlet(self._calls, journal, asyncio.get_running_loop().create_future())
        opening = Opening(
            outlet, self._bot_user_id, self._streamless, self._settle_delays_s, self._monotonic, self._epoch
        )
        return SlackReply(
            journal,
            mode,
            outlet=outlet,
            opening=opening,
            wording=Wording(allowed_hosts=self._hosts, page_chars=self._page_chars),
            status=Status(self._calls, self._status_methods, journal),
            pace=self._pace,
            name_of=self._name_of,
            monotonic=self._monotonic,
        )

    async def notice(self, turn: Turn, code: str, **facts: str) -> None:
        """See `Replies.notice`. Not repeated where Slack does not confirm it: it is no answer."""
        text = safe(notice(code, facts))
        await self._calls.call(
            "chat.postMessage",
            team_id=turn.team_id,
            urgency="open",
            channel=turn.thread.channel_id,
            thread_ts=turn.thread.thread_ts,
            metadata=notice_mark(turn.id),
            **content(text, (), plainly=False),
        )
