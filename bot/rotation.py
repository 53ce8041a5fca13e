"""Files of secrets in, each new value handed to whoever uses it out: a token is changed without a restart.

What mounts secrets (Secret Manager's CSI driver, Kubernetes itself) rewrites their files while the bot runs.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from bot.errors import BotError, SlackRejected

log = logging.getLogger("tandem.rotation")

LOOK_EVERY_S = 5.0

Take = Callable[[str], Awaitable[None]]  # uses a new value from now on; raises BotError, and keeps the old one, if not


class Rotation:
    """Watches the files of secrets, by setting's name; each has one who takes a new value."""

    def __init__(
        self,
        files: Mapping[str, Path],
        known: Mapping[str, str],
        takers: Mapping[str, Take],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`known` is what was read at start: what has changed since is found at the first look."""
        self._files = {name: path for name, path in files.items() if name in takers}
        self._known = dict(known)
        self._takers = takers
        self._pause = pause
        self._troubled: set[str] = set()

    async def run(self) -> None:
        """Look, and look again; until it is cancelled. Returns where there is nothing to watch."""
        while self._files:
            for name, path in self._files.items():
                await self._look(name, path)
            await self._pause(LOOK_EVERY_S)

    async def _look(self, name: str, path: Path) -> None:
        value = await asyncio.to_thread(_read, path)
        if not value:
            self._report(name, "cannot be read, or is empty")
        elif value != self._known.get(name):
            await self._hand_over(name, value)
        else:
            self._troubled.discard(name)

    async def _hand_over(self, name: str, value: str) -> None:
        try:
            await self._takers[name](value)
        except SlackRejected as refused:
            self._known[name] = value  # it will not become right by itself
            log.error("new secret refused: the old one stays in use", extra={"setting": name, "reason": str(refused)})
        except BotError as trouble:
            self._report(name, f"could not be tried: {trouble.code}")
        else:
            self._known[name] = value
            self._troubled.discard(name)
            log.info("secret renewed", extra={"setting": name})

    def _report(self, name: str, reason: str) -> None:
        """Say it once; the next look tries again."""
        if name not in self._troubled:
            self._troubled.add(name)
            log.warning("secret not renewed: the old one stays in use", extra={"setting": name, "reason": reason})


def _read(path: Path) -> str:
    """The file's text, or "" while it is away or half written."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text("utf-8").strip()
    return ""
