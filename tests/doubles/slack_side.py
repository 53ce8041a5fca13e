"""A workspace in, the bot's Slack side out: with a real store for choices, and a record in place of the core."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slack_bolt.app.async_app import AsyncApp

from bot.conversation.choice import Chooser
from bot.conversation.models import ModelEntry
from bot.slack.archive import SlackArchive
from bot.slack.authorize import who_we_are
from bot.slack.bolt import build_app
from bot.slack.budget import Budget
from bot.slack.calls import SlackCalls
from bot.slack.client import SlackConnection
from bot.slack.directory import SlackDirectory
from bot.slack.errands import Errands
from bot.slack.events import EventReader
from bot.slack.listeners import Tools
from bot.slack.model_panel import ModelPanel
from bot.slack.socket import SocketMode
from bot.slack.socket_health import Timing
from bot.store import Mirror, open_mirror
from tests.doubles.recording_intake import RecordingIntake
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, Workspace

GEMMA = ModelEntry("gemma", "Gemma 3 12B", "self-hosted", context_tokens=8192, answer_tokens=1024)
GEMINI = ModelEntry("gemini", "Gemini 3.8 Flash", "managed", context_tokens=8192, answer_tokens=1024)
PROMPTS = ({"title": "What can you do?", "message": "What can you do?"},)
QUICK = Timing(tick_s=0.05, ping_s=0.5, hello_s=1.0, quiet_s=60.0, stuck_s=5.0, unhealthy_s=2.0, close_s=1.0)


@dataclass
class SlackSide:
    """All that speaks Slack, on one connection."""

    app: AsyncApp
    connection: SlackConnection
    intake: RecordingIntake
    mirror: Mirror
    directory: SlackDirectory
    archive: SlackArchive
    chooser: Chooser
    errands: Errands

    def socket(self, connections: list[int], *, timing: Timing = QUICK) -> SocketMode:
        """A Socket Mode connection, not yet started; `connections` collects what hello says."""
        return SocketMode(self.app, APP_TOKEN, self.connection.client, on_connections=connections.append, timing=timing)

    @asynccontextmanager
    async def connected(self, workspace: Workspace, *, timing: Timing = QUICK) -> AsyncIterator[SocketMode]:
        """A Socket Mode connection that Slack has greeted."""
        socket = self.socket([], timing=timing)
        await socket.start()
        try:
            await until(lambda: socket.connected)
            yield socket
        finally:
            await socket.close()


@asynccontextmanager
async def slack_side(
    workspace: Workspace,
    path: Path,
    *,
    intake: RecordingIntake | None = None,
    entries: Sequence[ModelEntry] = (GEMMA, GEMINI),
    accept_s: float = 1.5,
) -> AsyncIterator[SlackSide]:
    """The Slack side of a bot in this workspace, on a store of its own in `path`."""
    intake = intake or RecordingIntake()
    mirror = await open_mirror(f"sqlite:///{path / 'tandem.db'}")
    errands = Errands()
    try:
        async with SlackConnection(BOT_TOKEN, base_url=workspace.api_url) as connection:
            calls = SlackCalls(connection.client, Budget(None))
            us = await who_we_are(calls)
            directory = SlackDirectory(calls, mirror.threads, us)
            reader = EventReader(us, name_of=directory.name_of)
            chooser = Chooser(entries, entries[0].id, threads=mirror.threads, directory=directory)
            tools = Tools(
                us=us,
                intake=intake,
                panel=ModelPanel(chooser, directory, us),
                calls=calls,
                session=connection.session,
                errands=errands,
                prompts=PROMPTS,
            )
            app = build_app(connection.client, reader, tools, accept_s=accept_s)
            archive = SlackArchive(calls, reader)
            yield SlackSide(app, connection, intake, mirror, directory, archive, chooser, errands)
            await errands.close()
    finally:
        await mirror.close()


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait until a callable says so."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def shown(workspace: Workspace, words: str, *, user: str, channel: str, thread_ts: str = "") -> dict[str, Any]:
    """The message with these words that somebody sees, once they do."""
    seen: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(8):
            while True:
                seen = await workspace.messages(channel, thread_ts, user=user)
                found = [message for message in seen if words in message["text"]]
                if found:
                    return found[-1]
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{words!r} is not among {[message['text'] for message in seen]}") from None


async def all_acked(workspace: Workspace, count: int) -> list[dict[str, Any]]:
    """The first `count` deliveries, once all of them are acknowledged."""
    async with asyncio.timeout(15):
        while True:
            deliveries = await workspace.deliveries()
            if len(deliveries) >= count and all(each["acked"] for each in deliveries):
                return deliveries
            await asyncio.sleep(0.05)
