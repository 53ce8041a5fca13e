"""A stream of chunks in, the same stream out, ended in time and with the errors that the Model port promises."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from bot.conversation.models import Chunk, ModelEntry
from bot.errors import ModelError, ModelUnavailable, StreamBroken


async def in_time(chunks: AsyncGenerator[Chunk, None], entry: ModelEntry) -> AsyncGenerator[Chunk, None]:
    """Pass chunks on, and raise when one of the entry's deadlines passes. Closes `chunks` however it ends.

    The first chunk is the first sign of life even without text: a server that sends empty ones is at work. The reader's
    own time counts for the total alone. What goes wrong, here or in `chunks`, is ModelUnavailable at best before the
    first text (so that asking again is safe), and StreamBroken after it.
    """
    spoken = False
    async with aclosing(_watched(chunks, entry)) as watched:
        try:
            async for chunk in watched:
                spoken = spoken or bool(chunk.text)
                yield chunk
        except ModelError as exc:
            if spoken and not isinstance(exc, StreamBroken):
                raise StreamBroken(str(exc)) from exc
            if isinstance(exc, StreamBroken) and not spoken:
                raise ModelUnavailable(str(exc)) from exc
            raise


async def _watched(chunks: AsyncGenerator[Chunk, None], entry: ModelEntry) -> AsyncGenerator[Chunk, None]:
    now = asyncio.get_running_loop().time
    end = now() + entry.total_s
    limit, what = entry.first_token_s, "no first token"
    async with aclosing(chunks):
        while True:
            left = end - now()
            try:
                async with asyncio.timeout(min(limit, left)):
                    chunk = await anext(chunks, None)
            except TimeoutError as exc:
                why = f"{what} in {limit:g} s" if limit < left else f"not finished in {entry.total_s:g} s"
                raise StreamBroken(f"{entry.id}: {why}") from exc
            if chunk is None:
                return
            limit, what = entry.stall_s, "no further token"
            yield chunk
