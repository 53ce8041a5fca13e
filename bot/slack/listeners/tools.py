"""What listeners work with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.slack.authorize import Identity
from bot.slack.calls import SlackCalls
from bot.slack.errands import Errands
from bot.slack.interactions import Click, Command
from bot.slack.middleware import Intake
from bot.slack.model_panel import ModelPanel
from bot.slack.response_url import ResponseUrl

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """One set for all listeners. `outsiders`: whether people of other organisations are answered."""

    us: Identity
    intake: Intake
    panel: ModelPanel
    calls: SlackCalls
    session: aiohttp.ClientSession
    errands: Errands
    prompts: Sequence[Mapping[str, str]] = ()  # title and message each
    outsiders: bool = False

    def answering(self, asked: Command | Click) -> ResponseUrl:
        """Where to answer a command or click: in the thread, if that is where it came from."""
        thread = asked.thread if isinstance(asked, Click) else None
        return ResponseUrl(self.session, asked.response_url, thread.thread_ts if thread else "")

    def admits(self, click: Click) -> bool:
        """Whether somebody may press buttons at all."""
        return self.outsiders or not click.user_team_id or self.us.is_home(click.user_team_id)
