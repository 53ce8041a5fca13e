"""Scripted answers in, an HTTP server on loopback out that gives them byte for byte, and sees who hangs up."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response: each piece is one write, after a pause."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    pause_s: float = 0.0
    ending: Literal["whole", "cut", "hang"] = "whole"  # hang: the pieces come, but never the end


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    path: str  # with its query
    headers: dict[str, str]
    body: Any


class ScriptedServer:
    """Gives the scripted answers in turn, and `standing` when the script is empty."""

    def __init__(self, standing: Answer) -> None:
        self.url = ""
        self.standing = standing
        self.requests: list[Asked] = []
        self.answering = asyncio.Event()  # set when a request has been accepted
        self.hung_up = asyncio.Event()  # set when a client closes before its answer was whole
        self._script: deque[Answer] = deque()

    def script(self, *answers: Answer) -> None:
        """The next answers, one per request."""
        self._script.extend(answers)

    async def next_answer(self, request: web.Request) -> web.StreamResponse:
        """Write the next answer."""
        self.answering.set()
        answer = self._script.popleft() if self._script else self.standing
        headers = {"Content-Type": answer.content_type, **answer.headers}
        response = web.StreamResponse(status=answer.status, headers=headers)
        try:
            await response.prepare(request)
            for piece in answer.pieces:
                await asyncio.sleep(answer.pause_s)
                await response.write(piece)
            if answer.ending == "hang":
                await asyncio.Event().wait()
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
            raise
        if answer.ending == "cut" and request.transport is not None:
            request.transport.abort()
            return response
        await response.write_eof()
        return response

    @asynccontextmanager
    async def serving(self, app: web.Application) -> AsyncIterator[None]:
        """The application on a free port of 127.0.0.1, its handlers cancelled when their client hangs up."""
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            yield
        finally:
            await runner.cleanup()
