"""Programs to run in; their lines out, each with the name of who said it, and none of them left behind."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.config import Settings, variables

LAST_WORDS = 12


@dataclass(slots=True)
class Child:
    """One process on a leash, and the last lines that it wrote."""

    name: str
    process: asyncio.subprocess.Process
    reading: "asyncio.Task[None]"
    last_words: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_WORDS))

    async def ended(self) -> int:
        """Wait for its end and its last line; its exit code, or the negative number of the signal that ended it."""
        code = await self.process.wait()
        await self.reading
        return code

    async def stop(self, grace_s: float) -> None:
        """Ask it to end; end it when it has not after `grace_s` seconds."""
        for signal_it in (self.process.terminate, self.process.kill):
            with contextlib.suppress(ProcessLookupError):
                signal_it()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended(), grace_s)
                return


async def start(
    name: str, module: str, *arguments: str, env: Mapping[str, str], cwd: Path, said: Callable[[str], None]
) -> Child:
    """Run a module of this installation in a process of its own; `said` gets each line that it writes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.commands.leash", module, *arguments),
        stdin=asyncio.subprocess.PIPE,  # the leash: closed when this process ends, however it ends
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**env, "PYTHONUNBUFFERED": "1"},
        cwd=cwd,
        start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
        limit=1 << 20,
    )
    last_words: deque[str] = deque(maxlen=LAST_WORDS)
    reading = asyncio.create_task(_read(process, last_words, said), name=f"{name}: its lines")
    return Child(name, process, reading, last_words)


async def _read(process: asyncio.subprocess.Process, last_words: deque[str], said: Callable[[str], None]) -> None:
    assert process.stdout is not None  # noqa: S101  it is a pipe
    async for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        last_words.append(line)
        said(line)


def environment(settings: Settings | None, own: Mapping[str, str]) -> dict[str, str]:
    """What a child finds in its environment: this one's, but of our settings only those of `settings` and `own`."""
    names = {name + suffix for name in variables() for suffix in ("", "_FILE")}
    # also without a TANDEM_… that is no setting: the playground has said so already
    inherited = {name: at for name, at in os.environ.items() if name not in names and not name.startswith("TANDEM_")}
    installed = str(Path(__file__).parents[2])  # where `bot` and `playground` lie, also when they are not installed
    path = os.pathsep.join(filter(None, [installed, os.environ.get("PYTHONPATH")]))
    return {**inherited, "PYTHONPATH": path, **(_written_out(settings) if settings else {}), **own}


def _written_out(settings: Settings) -> dict[str, str]:
    """Settings as variables again, without those that are empty; paths no longer depend on the directory."""
    written = {}
    for (name, _), value in zip(variables().items(), dict(settings).values(), strict=True):
        plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        if name in ("TANDEM_MODELS", "TANDEM_SLACK_LIMITS") and Path(str(plain)).is_file():
            plain = Path(plain).absolute()
        text = ",".join(plain) if isinstance(plain, tuple) else "" if plain is None else str(plain)
        if text:
            written[name] = text
    return written
