"""Responses in, their bytes out in fewer pieces: all of them together are read only so many times a second.

To wake up for a token costs many times what it costs to read it, and Slack is written to far less often than models
speak. Whoever streams alone gets every token at once; with 200 streams each is looked into ten times a second.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Self

import aiohttp

READS_PER_S = 2_000.0
LONGEST_S = 0.1
SHORTEST_S = 0.005  # shorter pauses save nothing


class Gathering:
    """The responses that are being read now, at one place for all that share a processor."""

    def __init__(self, reads_per_s: float = READS_PER_S) -> None:
        self._reads_per_s = reads_per_s
        self._count = 0

    @contextmanager
    def pieces(self, response: aiohttp.ClientResponse) -> Iterator[AsyncIterator[bytes]]:
        """The response's bytes; the first of them without any pause."""
        self._count += 1
        try:
            yield _Pieces(response, self)
        finally:
            self._count -= 1

    @property
    def pause_s(self) -> float:
        """How long each of them waits before it is read again."""
        return min(self._count / self._reads_per_s, LONGEST_S)


SHARED = Gathering()  # a process has one loop, and whatever streams in it takes turns with all else


class _Pieces:
    """Between two reads the socket is left alone: what arrives meanwhile stays with the kernel, and wakes nobody."""

    def __init__(self, response: aiohttp.ClientResponse, gathering: Gathering) -> None:
        self._response = response
        self._gathering = gathering
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._begun and (pause_s := self._gathering.pause_s) >= SHORTEST_S:
            await self._rest(pause_s)
        piece = await self._response.content.readany()
        if not piece:
            raise StopAsyncIteration
        self._begun = True
        return piece

    async def _rest(self, pause_s: float) -> None:
        connection = self._response.connection
        transport = connection.transport if connection is not None else None  # None: all has arrived
        if not isinstance(transport, asyncio.ReadTransport) or not transport.is_reading():
            await asyncio.sleep(pause_s)
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(pause_s)
        finally:
            transport.resume_reading()
