"""Socket Mode frames in, acks out: a bare connection, so that a test decides what an app acknowledges and when."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.doubles.in_process import InProcess

JSON = dict[str, Any]


class SocketApp:
    """`async with SocketApp(slack) as app`: one connection. It acknowledges only while `acks` is true."""

    def __init__(self, slack: InProcess, *, acks: bool = True, answer: JSON | None = None) -> None:
        self._slack = slack
        self.acks = acks
        self.answer = answer
        self.frames: list[JSON] = []
        self.hello: JSON = {}
        self.url = ""
        self.ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        opened = await self._slack.client_with().apps_connections_open(app_token="xapp-playground")
        self.url = str(opened["url"])
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(self.url)
        self.hello = await self._socket.receive_json(timeout=5)
        self._reading = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()
        await self._http.close()

    async def got(self, count: int = 1, timeout_s: float = 5) -> list[JSON]:
        """The frames, once there are that many."""
        async with asyncio.timeout(timeout_s):
            while len(self.frames) < count:
                await asyncio.sleep(0.005)
        return self.frames

    async def acknowledge(self, frame: JSON, answer: JSON | None = None) -> None:
        """Send one ack, for whichever connection's frame."""
        await self._socket.send_json({"envelope_id": frame["envelope_id"], "payload": answer or {}})

    async def ping(self) -> None:
        """Ping as an app does to see whether the connection lives."""
        await self._socket.ping()

    async def _read(self) -> None:
        async for message in self._socket:
            frame = json.loads(message.data)
            self.frames.append(frame)
            if self.acks and "envelope_id" in frame:
                await self.acknowledge(frame, self.answer if frame["type"] != "events_api" else None)
        self.ended.set()
