"""What shall be measured in, the same running out: an app, and a local Slack of its own, each a process."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bench.town import write_town
from tests.doubles.tandem import serving
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN, ROOT, Workspace

PEOPLE = 240


@dataclass(frozen=True, slots=True)
class Subject:
    """A running app."""

    name: str
    workspace: Workspace
    process: psutil.Process
    ready_s: float
    """From its start until Slack's events reached it."""

    def cpu_s(self) -> float:
        """The processor time that it and its children have used so far."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return float(sum(used.user + used.system for used in times))

    def memory_mib(self) -> float:
        """The memory that it and its children hold."""
        held = [each.memory_info().rss for each in (self.process, *self.process.children(recursive=True))]
        return float(sum(held) / 2**20)


@asynccontextmanager
async def standin(first_ms: float = 200, token_ms: float = 10) -> AsyncIterator[str]:
    """The model's stand-in; its address."""
    options = ["--first-ms", str(first_ms), "--token-ms", str(token_ms)]
    async with _running("bench.standin", *options, stdout=asyncio.subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101
        line = (await process.stdout.readline()).decode()
        ready = re.search(r"http://\S+", line)
        if ready is None:
            raise RuntimeError(f"the stand-in did not start: {line!r}")
        yield ready[0]


@asynccontextmanager
async def floor(name: str, module: str, folder: Path, model: str, *options: str) -> AsyncIterator[Subject]:
    """One of the floors: `module` is `floor_bare` or `floor_bolt`."""
    async with slack(folder) as workspace:
        started = time.perf_counter()
        async with _running(f"bench.{module}", f"{workspace.url}/api", model, *options) as process:
            await workspace.connected()
            ready_s = time.perf_counter() - started
            yield Subject(name, workspace, psutil.Process(process.pid), ready_s)


@asynccontextmanager
async def tandem(name: str, folder: Path, model: str, settings: Mapping[str, str]) -> AsyncIterator[Subject]:
    """`tandem serve` as a user would run it, with these settings beside the necessary ones."""
    async with slack(folder) as workspace, serving_at(workspace, folder / f"{name}.log", model, settings) as running:
        process, ready_s = running
        yield Subject(name, workspace, process, ready_s)


@asynccontextmanager
async def serving_at(
    workspace: Workspace, log: Path, model: str, settings: Mapping[str, str], *, module: str = "bot"
) -> AsyncIterator[tuple[psutil.Process, float]]:
    """The bot alone, and the seconds it took to be ready."""
    environment = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_API_URL": workspace.api_url,
        "GEMMA_URL": model,
        "TANDEM_SLACK_LIMITS": "off",
        "PORT": str(free_port()),
        "TANDEM_STORE": f"sqlite:///{log.with_suffix('.db')}",
        **settings,
    }
    started = time.perf_counter()
    async with serving(environment, log, module=module) as bot:
        ready_s = time.perf_counter() - started
        await workspace.connected()
        yield psutil.Process(bot.process.pid), ready_s


@asynccontextmanager
async def slack(folder: Path, people: int = PEOPLE) -> AsyncIterator[Workspace]:
    """A local Slack with a town in it."""
    town = write_town(folder, people)
    async with Workspace(options=("--workspace", str(town))) as workspace:
        yield workspace


@asynccontextmanager
async def log_of(model: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A session to the stand-in."""
    async with aiohttp.ClientSession(base_url=model, trust_env=False) as http:
        yield http


@asynccontextmanager
async def _running(
    module: str, *arguments: str, stdout: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, cwd=ROOT, stdout=stdout)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(process.wait)
        stack.callback(_kill, process)
        yield process


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()  # neither floor nor stand-in has anything to lose


def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
