"""A stream that closes its request only when its reader's task is cancelled in, one that closes it at once out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

AHEAD = 64  # chunks read ahead of whoever reads this


async def pumped(ask: Callable[[], Awaitable[AsyncIterator[T]]]) -> AsyncGenerator[T, None]:
    """Yield what the stream that `ask` opens yields. Leaving the loop in any way, or closing this, ends the request.

    google-genai keeps its HTTP request open after a `break`, an exception or `aclose()`; only cancelling the task that
    iterates its stream closes the connection. So a task of its own iterates it.
    """
    queue: asyncio.Queue[T | BaseException | None] = asyncio.Queue(AHEAD)

    async def read() -> None:
        try:
            async for item in await ask():
                await queue.put(item)
            await queue.put(None)
        except Exception as exc:
            await queue.put(exc)

    reader = asyncio.create_task(read())
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
