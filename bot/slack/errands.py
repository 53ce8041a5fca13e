"""Work that listeners do after the ack in, ended work out: held on to, and its errors told to who asked."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine

from bot.errors import BotError
from bot.slack.apologies import apology

log = logging.getLogger("tandem.slack.errands")

Tell = Callable[[str], Awaitable[None]]


class Errands:
    """The work under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, kind: str, work: Coroutine[None, None, None], *, tell: Tell | None = None) -> None:
        """Begin; returns at once. Where it fails, `tell` gets a sentence with the id under which the log has it."""
        task = asyncio.create_task(self._run(kind, work, tell))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, *, within_s: float = 5.0) -> None:
        """Let what is under way end, for so long."""
        tasks = set(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, kind: str, work: Coroutine[None, None, None], tell: Tell | None) -> None:
        try:
            await work
        except Exception as error:  # the last frame of this task: what is not caught here nobody would ever see
            code = error.code if isinstance(error, BotError) else BotError.code
            reference = secrets.token_hex(4)
            detail = str(error) if isinstance(error, BotError) else type(error).__name__
            facts = {"kind": kind, "code": code, "reference": reference, "detail": detail}
            log.error("errand failed", extra=facts, exc_info=not isinstance(error, BotError))
            if tell is not None:
                await self._tell(tell, apology(code, reference=reference), reference)

    async def _tell(self, tell: Tell, sentence: str, reference: str) -> None:
        try:
            await tell(sentence)
        except BotError as error:
            log.warning("could not say so", extra={"code": error.code, "reference": reference})
