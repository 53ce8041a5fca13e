"""Options in, the real `tandem playground` in a process of its own out: its lines, its page, its children."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).parents[2]
OURS = re.compile(r"SLACK_|TANDEM_|GEMMA_|GEMINI_|GOOGLE_|FIRESTORE_|PORT$|HOST$|LOG_LEVEL$")


class Launched:
    """A playground that somebody started from a terminal."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._heard = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def hears(self, pattern: str, timeout_s: float = 40) -> re.Match[str]:
        """The first match in what it has printed or will print; raises with all of it where it ends before."""
        async with asyncio.timeout(timeout_s), self._heard:
            while True:
                if found := re.search(pattern, "\n".join(self.lines)):
                    return found
                assert not self._reading.done(), f"it ended without saying {pattern!r}:\n" + "\n".join(self.lines)
                await self._heard.wait()

    async def address(self) -> str:
        """The page's, once it is announced."""
        return (await self.hears(r"is at +(http://127\.0\.0\.1:\d+)"))[1]

    def children(self) -> dict[str, psutil.Process]:
        """Its processes by the module that each runs."""
        return {child.cmdline()[3]: child for child in psutil.Process(self.process.pid).children()}

    async def ask(self, text: str) -> str:
        """Say something in #general as Ada: all the words of the answer and its footer."""
        said = await self._post("say", {"as": "U0ADA", "channel": "C0GENERAL", "text": text})
        wait = {"channel": "C0GENERAL", "thread_ts": said["ts"], "timeout_s": 40}
        messages = (await self._post("wait_reply", wait))["messages"]
        return " ".join(str(block) for message in messages for block in message["blocks"])

    async def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal, as Ctrl-C does, and how it ended."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for its end and its last line."""
        async with asyncio.timeout(30):
            await self._reading
            return await self.process.wait()

    async def _post(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        address = await self.address()
        async with aiohttp.ClientSession() as http, http.post(f"{address}/_/{name}", json=body) as response:
            answer: dict[str, Any] = await response.json()
        assert answer["ok"], answer
        return answer

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._heard:
                self.lines.append(line.decode().rstrip())
                self._heard.notify_all()
        async with self._heard:
            self._heard.notify_all()


@asynccontextmanager
async def launched(*options: str, cwd: Path, env: Mapping[str, str] | None = None) -> AsyncIterator[Launched]:
    """`tandem playground` with these options, and only these of our variables; its children are gone afterwards."""
    inherited = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "playground", *options),
        cwd=cwd,
        env={**inherited, "PYTHONPATH": str(ROOT), **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    playground = Launched(process)
    try:
        yield playground
    finally:
        if process.returncode is None:
            await playground.end(signal.SIGTERM)
