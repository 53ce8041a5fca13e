"""A manifest in, a playground in the test's own process out, with Slack's own client for the app's side of it."""

import dataclasses
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.local_slack import LocalSlack
from playground.manifest import Command, Manifest, everything
from playground.server import Server
from playground.workspace_file import DEFAULT_FILE, read_roster
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, Workspace

JSON = dict[str, Any]

ADA, BEN, GIA, BOT, TEAM = "U0ADA", "U0BEN", "U0GIA", "U0BOT", "T0TANDEM"
GENERAL, SECRET, QUIET, DM = "C0GENERAL", "C0PRIVATE", "C0QUIET", "D0ADA"


class InProcess(Workspace):
    """A playground whose parts a test can also look into; `changes` replace fields of the manifest."""

    def __init__(self, *, events_url: str = "", file: Path = DEFAULT_FILE, **changes: Any) -> None:
        super().__init__()
        commands = (Command("/model", "Choose the model"), Command("/slow"))
        manifest: Manifest = dataclasses.replace(everything(), name="Tandem", commands=commands)
        self.slack = LocalSlack(
            read_roster(file, app_name="Tandem"), dataclasses.replace(manifest, **changes), events_url=events_url
        )
        self._server = Server(self.slack)

    async def _start(self) -> str:
        return await self._server.start()

    async def _end(self) -> None:
        await self._server.stop()

    @property
    def client(self) -> AsyncWebClient:
        """The app's client, which retries nothing by itself."""
        return self.client_with(BOT_TOKEN)

    def client_with(self, token: str = APP_TOKEN) -> AsyncWebClient:
        """A client with any token."""
        return AsyncWebClient(token, base_url=self.api_url, retry_handlers=[])

    async def ask(self, text: str = "@Tandem hello", channel: str = GENERAL, user: str = ADA) -> str:
        """A question as a new root message; its ts."""
        return await self.say(user, channel, text)


async def refusal(call: Awaitable[Any]) -> str:
    """The error code that Slack's own client reports for a call that is refused."""
    with pytest.raises(SlackApiError) as raised:
        await call
    return str(raised.value.response["error"])
