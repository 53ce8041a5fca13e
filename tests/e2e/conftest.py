"""A whole deployment, each part real and a process or a server of its own: Slack, the bot, a Gemma, Gemini's REST."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest

from bot.conversation.thread import Message, ThreadKey
from bot.store import open_mirror
from tests.doubles.firestore_emulator import FirestoreEmulator
from tests.doubles.gemini_server import GeminiServer, gemini_server
from tests.doubles.llama import Llama
from tests.doubles.llama import serving as serving_llama
from tests.doubles.tandem import Tandem
from tests.doubles.tandem import serving as serving_tandem
from tests.doubles.tiny_gemma import write_tiny_gemma
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Workspace

GEMMA_SAYS = "Gemma tiny said this in thread one"

Transport = Literal["socket", "http"]
Store = Literal["sqlite", "firestore"]


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace with Tandem in it."""

    workspace: Workspace
    tandem: Tandem
    gemini: GeminiServer
    environment: Mapping[str, str]

    async def mirrored(self, channel: str, thread_ts: str) -> list[Message]:
        """What the store holds of a thread, read by a client of its own."""
        env = self.environment
        mirror = await open_mirror(env["TANDEM_STORE"], emulator_host=env.get("FIRESTORE_EMULATOR_HOST", ""))
        try:
            return list(await mirror.threads.messages(ThreadKey(channel, thread_ts)))
        finally:
            await mirror.close()

    async def choose(self, user: str, channel: str, model: str) -> None:
        """`/model`, and wait until it holds: a command is acknowledged before it is done."""
        told = len(self.tandem.log)
        await self.workspace.command(user, channel, "/model", model)
        await until(lambda: any(line["message"] == "model chosen" for line in self.tandem.log[told:]))

    async def ask(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> tuple[str, str]:
        """Say it and wait: the thread's ts, and the text that people read in the answer's messages."""
        ts = await self.workspace.say(user, channel, text, thread_ts)
        root = thread_ts or ts
        return root, shown(await self.workspace.reply(channel, root, ts))


def shown(messages: list[dict[str, Any]]) -> str:
    """What people read in these messages: Markdown, sections and plain text, without the footer's context."""
    return "\n".join(_markdown(message) for message in messages)


def everything(messages: list[dict[str, Any]]) -> str:
    """All that is in these messages, footers and menus too."""
    return json.dumps(messages, ensure_ascii=False)


def _markdown(message: dict[str, Any]) -> str:
    texts = [block["text"] for block in message.get("blocks", []) if block["type"] == "markdown"]
    return "".join(texts) if texts else str(message.get("text", ""))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llama]:
    """A real llama.cpp that answers everything with one sentence."""
    model = write_tiny_gemma(tmp_path_factory.mktemp("gemma") / "tiny.gguf", GEMMA_SAYS)
    with serving_llama(model, context=8192) as llama:
        yield llama


@asynccontextmanager
async def team(
    path: Path, llama: Llama, emulator: FirestoreEmulator | None, transport: Transport, **settings: str
) -> AsyncIterator[Team]:
    """Everything started, the bot connected. With an emulator the mirror is Firestore."""
    async with AsyncExitStack() as stack:
        gemini = await stack.enter_async_context(gemini_server())
        port = free_port()
        events = f"http://127.0.0.1:{port}/slack/events" if transport == "http" else "socket"
        workspace = await stack.enter_async_context(Workspace(events_url=events))
        environment = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": workspace.api_url,
            "TANDEM_TRANSPORT": transport,
            "PORT": str(port),
            "GEMMA_URL": llama.url,
            "GEMMA_API_KEY": llama.key,
            "GOOGLE_CLOUD_PROJECT": "a-project",
            "GOOGLE_VERTEX_BASE_URL": gemini.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(gemini.write_credentials(path / "credentials.json")),
            **_store(path, emulator),
            **settings,
        }
        tandem = await stack.enter_async_context(serving_tandem(environment, path / "tandem.log"))
        if transport == "socket":
            await workspace.connected()
        yield Team(workspace, tandem, gemini, environment)


def _store(path: Path, emulator: FirestoreEmulator | None) -> dict[str, str]:
    if emulator is None:
        return {"TANDEM_STORE": f"sqlite:///{path / 'tandem.db'}"}
    return {"TANDEM_STORE": f"firestore://p-{uuid4().hex[:12]}/tandem", "FIRESTORE_EMULATOR_HOST": emulator.host}


async def until(condition: Any, timeout_s: float = 10.0) -> None:
    """Wait for what a test expects to become true."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)
