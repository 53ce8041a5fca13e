"""Responses in, their bytes out in fewer pieces: all of them together are read only so many times a second.

To wake up for a token costs many times what it costs to read it, and Slack is written to far less often than models
speak. Whoever streams alone gets every token at once; with 200 streams each is looked into five times a second.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Self

import aiohttp

READS_PER_S = 1_000.0
LONGEST_S = 0.2
SHORTEST_S = 0.005  # shorter pauses save nothing
ENOUGH_BYTES = 2**16  # are read whatever the time


class Gathering:
    """The responses that are being read now, at one place for all that share a processor."""

    def __init__(self, reads_per_s: float = READS_PER_S) -> None:
        self._reads_per_s = reads_per_s
        self._count = 0

    @contextmanager
    def pieces(self, response: aiohttp.ClientResponse) -> Iterator[AsyncIterator[bytes]]:
        """The response's bytes; the first of them without any pause."""
        pieces = _Pieces(response, self)
        self._count += 1
        try:
            yield pieces
        finally:
            self._count -= 1
            pieces.close()

    @property
    def pause_s(self) -> float:
        """How long each of them waits before it is read again."""
        return min(self._count / self._reads_per_s, LONGEST_S)


SHARED = Gathering()  # a process has one loop, and whatever streams in it takes turns with all else


class _Pieces:
    """Between two reads the kernel keeps what arrives and wakes nobody, but for the end of the connection.

    By SO_RCVLOWAT (socket(7)): a socket with fewer bytes is not readable. Where a kernel does not heed it, every token
    is read as it comes.
    """

    def __init__(self, response: aiohttp.ClientResponse, gathering: Gathering) -> None:
        self._response = response
        self._gathering = gathering
        self._begun = False
        self._kept: asyncio.Transport | None = None  # while its socket keeps what arrives

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        timer = self._rest(self._gathering.pause_s) if self._begun else None
        try:
            piece = await self._response.content.readany()
        finally:
            if timer is not None:
                timer.cancel()
        if not piece:
            raise StopAsyncIteration
        self._begun = True
        return piece

    def _rest(self, pause_s: float) -> asyncio.TimerHandle | None:
        if pause_s < SHORTEST_S:
            self._wake_from(1)
            return None
        self._wake_from(ENOUGH_BYTES)
        return asyncio.get_running_loop().call_later(pause_s, self._wake_from, 1)

    def close(self) -> None:
        """Leave the socket as it was: where the end came with the last bytes, the connection may be used again."""
        self._wake_from(1)

    def _wake_from(self, count: int) -> None:
        """Let the socket be readable with so many bytes; it need not be told twice."""
        if (self._kept is not None) == (count > 1):
            return
        connection = self._response.connection  # None: all has arrived
        transport = self._kept or (connection.transport if connection is not None else None)
        if transport is None or transport.is_closing():
            return
        with suppress(OSError):  # closed
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
        self._kept = transport if count > 1 else None
