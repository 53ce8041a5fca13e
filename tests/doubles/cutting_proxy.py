"""A TCP proxy that lets one request through and cuts the connection before its answer: the outcome is unknown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_HOLD_S = 0.25  # after the request went on, so that the server has surely done it


class CuttingProxy:
    """Forwards bytes both ways. `cuts` counts the connections it cut."""

    def __init__(self, target: str) -> None:
        self.address = ""
        self.cuts = 0
        self._host, _, port = target.partition(":")
        self._port = int(port)
        self._marker = b""
        self._connections: set[asyncio.Task[None]] = set()

    def cut_after(self, marker: bytes) -> None:
        """Cut the connection on which the next request goes out that holds these bytes, once the server has it."""
        self._marker = marker

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        server_reader, server_writer = await asyncio.open_connection(self._host, self._port)
        silent = asyncio.Event()
        ways = [
            asyncio.ensure_future(self._requests(reader, server_writer, silent)),
            asyncio.ensure_future(self._answers(server_reader, writer, silent)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, server_writer):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while chunk := await reader.read(65_536):
            cut = bool(self._marker) and self._marker in chunk
            if cut:
                self._marker = b""
                silent.set()
            writer.write(chunk)
            await writer.drain()
            if cut:
                await asyncio.sleep(_HOLD_S)
                self.cuts += 1
                return

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event) -> None:
        while chunk := await reader.read(65_536):
            if not silent.is_set():
                writer.write(chunk)
                await writer.drain()

    async def close(self) -> None:
        """End all connections."""
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


@asynccontextmanager
async def cutting_proxy(target: str) -> AsyncIterator[CuttingProxy]:
    """A proxy on loopback before `target` ("host:port")."""
    proxy = CuttingProxy(target)
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy.address = f"127.0.0.1:{port}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
