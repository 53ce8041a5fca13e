"""Nothing but a browser in, a conversation out: a local Slack, the bot connected to it, and a model, each a process.

`tandem serve` knows nothing of all this: it finds tokens, Slack's address and a model in its environment, as always.
"""

import argparse
import asyncio
import contextlib
import http.client
import secrets
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bot.commands.arguments import PAGE_PORT
from bot.commands.children import Child, environment, start
from bot.commands.local_gemma import ModelPlan, Wish, how_it_ended, plan_model
from bot.commands.ports import free_port, is_free
from bot.commands.sentences import port_in_use
from bot.config import Settings, load_settings, unknown_variables
from bot.errors import ConfigError
from bot.slack.manifest import manifest_text

HOST = "127.0.0.1"
READY_S = 30.0
GRACE_S = 8.0


def run(arguments: argparse.Namespace) -> int:
    """Open the playground until Ctrl-C; 0 then, 1 when one of its processes ends by itself. Raises ConfigError."""
    for warning in unknown_variables():
        say(warning)
    settings = load_settings()
    if arguments.port and not is_free(HOST, arguments.port):
        raise ConfigError([port_in_use(HOST, arguments.port)])
    with tempfile.TemporaryDirectory(prefix="tandem-", ignore_cleanup_errors=True) as directory:
        return asyncio.run(Launch(arguments, settings, Path(directory)).run())


def say(sentence: str) -> None:
    """One line of the launcher's own on the terminal."""
    print(f"tandem: {sentence}", flush=True)


@dataclass(slots=True)
class Launch:
    """One run of the playground: its directory, its made-up secrets, and its processes, oldest first."""

    arguments: argparse.Namespace
    settings: Settings
    directory: Path
    bot_token: str = field(default_factory=lambda: f"xoxb-playground-{secrets.token_hex(16)}")
    app_token: str = field(default_factory=lambda: f"xapp-playground-{secrets.token_hex(16)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    bot_port: int = field(default_factory=lambda: free_port(HOST))
    children: list[Child] = field(default_factory=list)
    address: str = ""  # the page's, once it is there

    async def run(self) -> int:
        """Start everything, say where it is, and wait for the end."""
        over = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        told = asyncio.create_task(over.wait())
        working = asyncio.create_task(self._work())
        try:
            await asyncio.wait({told, working}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else 0
        finally:
            await _cancel(working, told)
            for child in reversed(self.children):
                await child.stop(GRACE_S)

    async def _work(self) -> int:
        """The whole run, up to the process that ended by itself; then 1."""
        opened, planned = asyncio.create_task(self._open_page()), asyncio.create_task(self._plan())
        if not await opened:
            await _cancel(planned)
            return 1
        plan = await planned
        bot = await self._start_bot(plan)
        if await _ended_before_ready(bot, self.bot_port):
            return await self._first_to_end(bot)
        self._announce(plan)
        serving = asyncio.create_task(plan.serve(partial(self._start, env=environment(None, {}))))
        try:
            return await self._first_to_end(self.children[0], bot)
        finally:
            await _cancel(serving)

    async def _plan(self) -> ModelPlan:
        asked = self.arguments
        wish = Wish(small=asked.small, download=not asked.no_download, folder=asked.weights.absolute())
        return await plan_model(self.settings, self.directory, wish=wish, say=say)

    async def _open_page(self) -> bool:
        """Start the local Slack; whether its page is there."""
        ready = asyncio.Event()

        def said(line: str) -> None:
            if line.startswith("playground ready "):
                self.address = line.split()[-1]
                ready.set()
            else:
                self._show("slack", line)

        asked = self.arguments.port
        port = asked or free_port(HOST, PAGE_PORT if asked is None else 0)
        manifest = self.directory / "manifest.yaml"
        manifest.write_text(manifest_text(), "utf-8")
        options = ["--port", str(port), "--manifest", str(manifest), "--bot-token", self.bot_token]
        options += ["--app-token", self.app_token, "--signing-secret", self.signing_secret]
        options += ["--inspect", f"http://{HOST}:{self.bot_port}/inspect"]
        slack = await self._start("slack", "playground", *options, env=environment(None, {}), said=said)
        waiting, ended = asyncio.create_task(ready.wait()), asyncio.create_task(slack.process.wait())
        await asyncio.wait({waiting, ended}, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            self._tell_end(slack, await slack.ended() if ended.done() else None)
        await _cancel(waiting, ended)
        return ready.is_set()

    async def _start_bot(self, plan: ModelPlan) -> Child:
        own = {
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "SLACK_SIGNING_SECRET": self.signing_secret,
            "SLACK_API_URL": f"{self.address}/api",
            "TANDEM_TRANSPORT": "socket",
            "TANDEM_STORE": f"sqlite:///{self.directory / 'mirror.db'}",
            "TANDEM_LOG_FORMAT": "text",
            "LOG_LEVEL": self.settings.log_level if self.arguments.verbose else "WARNING",
            "HOST": HOST,
            "PORT": str(self.bot_port),
            "TANDEM_INSPECT": "true",
            "TANDEM_DRAIN_S": str(GRACE_S / 2),
            **plan.environment,
        }
        return await self._start("bot", "bot", "serve", env=environment(self.settings, own))

    async def _start(
        self, name: str, module: str, *arguments: str, env: dict[str, str], said: Callable[[str], None] | None = None
    ) -> Child:
        said = said or partial(self._show, name)
        child = await start(name, module, *arguments, env=env, cwd=self.directory, said=said)
        self.children.append(child)
        return child

    async def _first_to_end(self, *vital: Child) -> int:
        """Wait until one of them ends by itself, and say which and why."""
        ends = {asyncio.create_task(child.ended()): child for child in vital}
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self._tell_end(ends[task], task.result())
        await _cancel(*ends)
        return 1

    def _tell_end(self, child: Child, code: int | None) -> None:
        if code is None:
            say(f"{child.name} was not ready after {READY_S:g} s. Ending.")
        else:
            say(f"{child.name} ended by itself ({how_it_ended(code)}). Ending the others too.")
        for line in child.last_words if not self._shows(child.name) else ():
            print(f"{child.name:>5} │ {line}", flush=True)

    def _show(self, name: str, line: str) -> None:
        if self._shows(name):
            print(f"{name:>5} │ {line}", flush=True)

    def _shows(self, name: str) -> bool:
        return bool(self.arguments.verbose or name == "bot")

    def _announce(self, plan: ModelPlan) -> None:
        print(f"\n  Tandem's playground is at  {self.address}\n\n  {plan.sentence}\n  Ctrl-C ends it.\n", flush=True)


async def _ended_before_ready(bot: Child, port: int) -> bool:
    """Wait until the bot is ready or has ended; not for ever, because the page says itself who is not there."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while bot.process.returncode is None and not await asyncio.to_thread(_is_ready, port):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    return bot.process.returncode is not None


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
