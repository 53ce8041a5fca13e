"""A model's address in, one real bot on an SQLite file out, connected to a playground; each a process of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.doubles.tandem import Tandem, serving
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, JSON, Refused, Workspace
from tests.e2e.conftest import free_port

SETTLE_DELAYS_S = "0.1, 0.2, 0.4"  # the playground shows at once what was posted


@dataclass(frozen=True, slots=True)
class LoneBot:
    """The bot, and the Slack that it is in."""

    workspace: Workspace
    tandem: Tandem
    environment: Mapping[str, str]

    async def inspect(self, channel: str, thread_ts: str) -> Any:
        """What the bot's mirror holds of a thread."""
        query = {"channel": channel, "thread_ts": thread_ts}
        url = f"{self.tandem.url}/inspect"
        async with aiohttp.ClientSession(trust_env=False) as http, http.get(url, params=query) as answer:
            return await answer.json()

    async def answers(self, channel: str, root: str, after_ts: str = "", timeout_s: float = 20.0) -> list[JSON]:
        """The bot's messages to a question, once nobody works on it any more; fewer than hoped for if that never is."""
        try:
            return await self.workspace.reply(channel, root, after_ts or root, timeout_s)
        except Refused as late:
            return list(late.answer["messages"])


@asynccontextmanager
async def lone_bot(path: Path, gemma_url: str, **settings: str) -> AsyncIterator[LoneBot]:
    """Everything started. Slack's limits are off, so that only what is switched on stands in its way."""
    async with Workspace() as workspace:
        environment = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_URL": workspace.api_url,
            "GEMMA_URL": gemma_url,
            "TANDEM_STORE": f"sqlite:///{path / 'tandem.db'}",
            "TANDEM_SLACK_LIMITS": "off",
            "TANDEM_SETTLE_S": SETTLE_DELAYS_S,
            "TANDEM_INSPECT": "1",
            "PORT": str(free_port()),
            **settings,
        }
        async with serving(environment, path / "bot.log") as tandem:
            await workspace.connected()
            yield LoneBot(workspace, tandem, environment)
