"""An environment in, the real `tandem serve` in a process of its own out, with its log, ended by its pid."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[2]


class Tandem:
    """A running bot."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it has logged so far; a line that is no JSON is its `message`."""
        return [_read(line) for line in self._log.read_text("utf-8").splitlines() if line.strip()]

    async def ready(self, timeout_s: float = 90.0) -> None:
        """Wait until /readyz says so; raises with the log where it ends before."""
        async with aiohttp.ClientSession() as http, asyncio.timeout(timeout_s):
            while True:
                if self.process.returncode is not None:
                    raise RuntimeError(
                        f"tandem serve ended ({self.process.returncode}):\n{self._log.read_text('utf-8')}"
                    )
                try:
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM, and how it ended."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(timeout_s):
            return await self.process.wait()


@asynccontextmanager
async def serving(
    environment: Mapping[str, str], log: Path, *, wait: bool = True, module: str = "bot"
) -> AsyncIterator[Tandem]:
    """`tandem serve` with these settings and nothing else of ours in its environment; PORT must be among them."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            "serve",
            cwd=log.parent,
            env={**inherited, "PYTHONPATH": str(ROOT), "GRPC_VERBOSITY": "ERROR", **environment},
            stdout=output,
            stderr=output,
        )
    tandem = Tandem(process, f"http://127.0.0.1:{environment['PORT']}", log)
    try:
        if wait:
            await tandem.ready()
        yield tandem
    finally:
        try:
            await tandem.stop()
        except TimeoutError:
            process.kill()
            await process.wait()


def _read(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {"message": line}
    return entry if isinstance(entry, dict) else {"message": line}
