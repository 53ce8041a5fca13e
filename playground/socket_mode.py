"""Payloads in, Socket Mode frames out, and the acks back: the WebSocket side of Slack."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSMsgType, web

from playground.delivery import Kind, Outcome
from playground.json_text import decoded, encoded
from playground.trouble import Timing, Trouble

JSON = dict[str, Any]

MAX_CONNECTIONS = 10  # docs.slack.dev/apis/events-api/using-socket-mode


class SocketMode:
    """The app's open connections. Each payload goes to one of them, whichever."""

    name = "socket"

    def __init__(self, app_id: str, timing: Timing, trouble: Trouble) -> None:
        self._app_id = app_id
        self._timing = timing
        self._trouble = trouble
        self._tickets: dict[str, float] = {}
        self._connections: dict[web.WebSocketResponse, web.Request] = {}
        self._mute: set[web.WebSocketResponse] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._acks: dict[str, asyncio.Future[JSON]] = {}
        self.on_connections: list[Callable[[int], None]] = []

    @property
    def is_open(self) -> bool:
        return bool(self._connections)

    def issue_ticket(self) -> str:
        """A ticket for one connection, good once and for a short time."""
        ticket = secrets.token_urlsafe(18)
        self._tickets[ticket] = time.monotonic() + self._timing.ticket_life_s
        return ticket

    async def attempt(self, kind: Kind, payload: JSON, *, retry: int, reason: str) -> Outcome:
        """Send one envelope over a random connection and wait for its ack, over whichever connection."""
        envelope_id = secrets.token_hex(16)
        frame: JSON = {"type": kind, "envelope_id": envelope_id, "payload": payload}
        frame["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            frame |= {"retry_attempt": retry, "retry_reason": reason}
        ack: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = ack
        try:
            socket = self._trouble.chance.choice(list(self._connections))
            if not self._is_silent(socket):
                await socket.send_str(encoded(frame))
            async with asyncio.timeout(self._timing.ack_s):
                return Outcome(True, answer=(await ack).get("payload"))
        except TimeoutError:
            return Outcome(False, "timeout")
        except ConnectionError:
            return Outcome(False, "connection_failed")
        finally:
            del self._acks[envelope_id]

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """A connection from its handshake to its end."""
        expires = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if self._trouble.sockets.refuse or expires < time.monotonic():
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=401)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self._connections) >= MAX_CONNECTIONS:
            await socket.send_str(encoded({"type": "disconnect", "reason": "too_many_websockets"}))
            await socket.close()
            return socket
        self._connections[socket] = request
        ageing = self._spawn(self._age(socket))
        try:
            await socket.send_str(encoded(self._hello()))
            self._tell()
            await self._read(socket)
        finally:
            ageing.cancel()
            self._connections.pop(socket, None)
            self._mute.discard(socket)
            self._tell()
        return socket

    def mute_one(self) -> int:
        """One connection, whichever, goes silent for good and stays open; how many did."""
        talking = [socket for socket in self._connections if socket not in self._mute]
        if not talking:
            return 0
        self._mute.add(self._trouble.chance.choice(talking))
        return 1

    async def disconnect(self, reason: str) -> int:
        """End every connection as Slack does; `drop` without a word, `warning` some seconds ahead."""
        connections = list(self._connections.items())
        for socket, request in connections:
            if reason == "drop":
                if request.transport is not None:
                    request.transport.abort()
                continue
            if reason == "warning":
                self._spawn(self._warn_and_end(socket))
            else:
                await self._end(socket, reason)
        return len(connections)

    async def close(self) -> None:
        """Close all connections."""
        for task in list(self._tasks):
            task.cancel()
        for socket in list(self._connections):
            await socket.close()

    async def _age(self, socket: web.WebSocketResponse) -> None:
        """A connection ends by itself after some hours, and says so a few seconds ahead."""
        await asyncio.sleep(max(0.0, self._timing.connection_life_s - self._timing.disconnect_warning_s))
        self._spawn(self._warn_and_end(socket))

    async def _warn_and_end(self, socket: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            await self._send_disconnect(socket, "warning")
            await asyncio.sleep(self._timing.disconnect_warning_s)
            await self._end(socket, "refresh_requested")

    async def _end(self, socket: web.WebSocketResponse, reason: str) -> None:
        """Send a connection away; nothing more is sent over it, but acks that are on their way still count."""
        if self._connections.pop(socket, None) is not None:
            await self._send_disconnect(socket, reason)
            self._spawn(socket.close())

    async def _send_disconnect(self, socket: web.WebSocketResponse, reason: str) -> None:
        if not self._is_silent(socket):
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}}
            await socket.send_str(encoded(frame))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _hello(self) -> JSON:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {
                "host": "playground",
                "approximate_connection_time": int(self._timing.connection_life_s),
            },
            "connection_info": {"app_id": self._app_id},
        }

    async def _read(self, socket: web.WebSocketResponse) -> None:
        async for frame in socket:
            if self._is_silent(socket):
                continue
            if frame.type is WSMsgType.PING:
                await socket.pong(frame.data)
            elif frame.type is WSMsgType.TEXT:
                self._acknowledge(frame.data)

    def _is_silent(self, socket: web.WebSocketResponse) -> bool:
        return self._trouble.sockets.silent or socket in self._mute

    def _acknowledge(self, text: str) -> None:
        try:
            answer = decoded(text)
        except ValueError:
            return
        ack = self._acks.get(str(answer.get("envelope_id"))) if isinstance(answer, dict) else None
        if ack is not None and not ack.done():
            ack.set_result(answer)

    def _tell(self) -> None:
        for listener in self.on_connections:
            listener(len(self._connections))
