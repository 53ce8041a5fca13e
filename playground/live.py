"""Changes of the workspace in, JSON frames to open pages out: what each person sees as it happens."""

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from playground.delivery import Delivery
from playground.json_text import encoded
from playground.record import Call
from playground.sessions import Session
from playground.wire import call_entry, delivery_entry
from playground.workspace import Change, Message, Workspace

JSON = dict[str, Any]

_FRAME_TYPES = {"posted": "message", "changed": "message_changed", "deleted": "message_deleted"}
_QUEUE = 5_000  # frames a page may lag behind before it is cut off, and loads anew


class Page:
    """One open page: who looks, and the frames it has not yet been sent."""

    def __init__(self, user_id: str, *, wire: bool) -> None:
        self.user_id = user_id
        self.wire = wire
        self.frames: asyncio.Queue[JSON | None] = asyncio.Queue(_QUEUE)

    def push(self, frame: JSON) -> None:
        """Queue a frame; a page that lags too far is told to go."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            while not self.frames.empty():
                self.frames.get_nowait()
            self.frames.put_nowait(None)


class Live:
    """All open pages."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._pages: list[Page] = []
        self._prompts: dict[str, JSON] = {}
        self._sockets: list[web.WebSocketResponse] = []

    async def serve(self, request: web.Request, user_id: str, first: list[JSON]) -> web.WebSocketResponse:
        """A page's connection from its handshake to its end."""
        page = Page(user_id, wire=request.query.get("wire") == "1")
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        for frame in first:
            page.push(frame)
        self._pages.append(page)
        self._sockets.append(socket)
        writer = asyncio.get_running_loop().create_task(_write(page, socket))
        try:
            async for received in socket:
                if received.type is WSMsgType.ERROR:
                    break
        finally:
            self._pages.remove(page)
            self._sockets.remove(socket)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Send all pages away."""
        for socket in list(self._sockets):
            await socket.close()

    def on_change(self, change: Change) -> None:
        message = change.message
        if not self._pages:
            return
        channel = self._workspace.roster.channels[message.channel]
        for page in self._pages:
            if message.visible_to not in (None, page.user_id):
                continue
            if not self._workspace.may_see(channel, page.user_id):
                continue
            if change.quiet and message.live_for not in (None, page.user_id) and message.streaming:
                continue
            shown = seen_by(self._workspace, message, page.user_id)
            page.push({"type": _FRAME_TYPES[change.kind], "channel": channel.id, "message": shown})

    def on_status(self, session: Session) -> None:
        if self._pages:
            self._to_members(session.channel, status_frame(session))

    def on_view(self, user_id: str, trigger: str, view: JSON) -> None:
        frame: JSON = {"type": "view", "trigger": trigger, "view": view}
        if trigger == "home" or view.get("type") == "home":
            frame = {"type": "home", "view": view}
        for page in self._pages:
            if page.user_id == user_id:
                page.push(frame)

    def on_prompts(self, channel: str, title: str, prompts: list[JSON]) -> None:
        frame = {"type": "prompts", "channel": channel, "title": title, "prompts": prompts}
        self._prompts[channel] = frame
        self._to_members(channel, frame)

    def prompts_for(self, user_id: str) -> list[JSON]:
        """The suggested prompts of the channels that a person sees, as frames."""
        return [frame for id, frame in self._prompts.items() if self._workspace.may_see_id(id, user_id)]

    def clear(self) -> None:
        """Forget the suggested prompts."""
        self._prompts.clear()

    def on_connection(self, connected: bool) -> None:
        for page in self._pages:
            page.push({"type": "connection", "bot_connected": connected})

    def on_call(self, call: Call, answer: JSON) -> None:
        if pages := [page for page in self._pages if page.wire]:
            frame = {"type": "wire", **call_entry(call, answer)}
            for page in pages:
                page.push(frame)

    def on_delivery(self, delivery: Delivery) -> None:
        if pages := [page for page in self._pages if page.wire]:
            frame = {"type": "wire", **delivery_entry(delivery)}
            for page in pages:
                page.push(frame)

    def _to_members(self, channel_id: str, frame: JSON) -> None:
        channel = self._workspace.roster.channels[channel_id]
        for page in self._pages:
            if self._workspace.may_see(channel, page.user_id):
                page.push(frame)


def seen_by(workspace: Workspace, message: Message, user_id: str | None) -> JSON:
    """A message as one person sees it (None: as it is), with the playground's own facts under `_`."""
    shown = workspace.presented(message)
    live_for = message.live_for if message.streaming else None
    if live_for not in (None, user_id) and user_id is not None:
        block = {"type": "markdown", "block_id": "s00", "text": message.first_text or ""}
        shown = {**shown, "text": message.first_text or "", "blocks": [block]}
    facts = {
        "streaming": message.streaming,
        "live_for": live_for,
        "live": message.live,
        "was_live": message.was_live,
        "unfurls": message.unfurls,
    }
    return {**shown, "_": facts}


def status_frame(session: Session) -> JSON:
    """A thread's status line."""
    return {
        "type": "status",
        "channel": session.channel,
        "thread_ts": session.thread_ts,
        "status": session.status,
        "text": session.shown,
        "loading_messages": session.loading_messages,
        "title": session.title,
        "stoppable": session.stoppable,
    }


async def _write(page: Page, socket: web.WebSocketResponse) -> None:
    while (frame := await page.frames.get()) is not None:
        try:
            await socket.send_str(encoded(frame))
        except (ConnectionError, RuntimeError):
            return
    await socket.close()
