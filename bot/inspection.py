"""A thread's name in, what the mirror holds of it out: a read-only view for whoever develops on this machine."""

import asyncio
import dataclasses
import ipaddress
from collections import Counter
from typing import Any

from aiohttp import web

from bot.conversation.mirror import ThreadStore, TurnStore
from bot.conversation.thread import ThreadKey
from bot.errors import ConfigError, StoreError

_MESSAGES_MOST = 1_000


class Inspection:
    """The handlers of GET /inspect and below. They show what people wrote, so they may only be opened on loopback."""

    def __init__(self, turns: TurnStore, threads: ThreadStore, *, host: str) -> None:
        """Raises ConfigError where `host` can be reached from elsewhere."""
        if not _is_loopback(host):
            raise ConfigError([f"TANDEM_INSPECT shows what people wrote, so HOST must be 127.0.0.1, not {host!r}."])
        self._turns = turns
        self._threads = threads

    async def show(self, request: web.Request) -> web.Response:
        """`?channel=C…&thread_ts=T`: the thread (null if it is not ours), its messages, its open turns."""
        key = ThreadKey(request.query.get("channel", ""), request.query.get("thread_ts", ""))
        if not (key.channel_id and key.thread_ts):
            return web.json_response({"ok": False, "error": "channel and thread_ts are needed"}, status=400)
        try:
            thread = await self._threads.thread(key)
            messages = await self._threads.messages(key, limit=_MESSAGES_MOST)
            turns = await self._turns.open_turns(key)
        except StoreError as error:
            return web.json_response({"ok": False, "error": error.code}, status=503)
        body = {
            "ok": True,
            "thread": _document(thread) if thread else None,
            "messages": [_document(message) for message in messages],
            "open_turns": [_document(turn) for turn in turns],
        }
        return web.json_response(body)

    async def tasks(self, _: web.Request) -> web.Response:
        """How many tasks run what: in a process with nothing to do, always the same ones."""
        running = (task.get_coro() for task in asyncio.all_tasks())
        return web.json_response({"tasks": Counter(getattr(each, "__qualname__", str(each)) for each in running)})


def _document(noun: Any) -> dict[str, Any]:
    return {field.name: _value(getattr(noun, field.name)) for field in dataclasses.fields(noun)}


def _value(value: Any) -> Any:
    if isinstance(value, ThreadKey):
        return str(value)
    if dataclasses.is_dataclass(value):
        return _document(value)
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return dict(value) if hasattr(value, "items") else value


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
