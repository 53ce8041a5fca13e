"""Questions in, streamed answers out: an app that does nothing but stream, so that the other side can be measured."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

JSON = dict[str, Any]

_TEAM, _USER, _CHANNEL = "T0TANDEM", "U0ADA", "C0GENERAL"
_WORDS = "A bot that streams an answer says a few words, waits for the model, and says a few more. "


class StreamingApp:
    """An app over Socket Mode, a page that watches, and a person who asks: all that a playground has to serve."""

    def __init__(self, http: aiohttp.ClientSession, url: str, *, interval_s: float, chars: int) -> None:
        self._http = http
        self._url = url
        self._interval_s = interval_s
        self._text = (_WORDS * (chars // len(_WORDS) + 1))[:chars]
        self.latencies_ms: list[float] = []
        self.acked = 0
        self.frames = 0
        self.streaming = 0
        """How many answers are under way."""
        self.enough = asyncio.Event()
        """Set when all answers shall end."""

    async def ask(self) -> str:
        """A person mentions the app in a channel; the ts of the thread."""
        body = {"as": _USER, "channel": _CHANNEL, "text": "@Tandem a question"}
        async with self._http.post(f"{self._url}/_/say", json=body) as response:
            return str((await response.json())["ts"])

    async def answer(self, thread_ts: str) -> None:
        """One answer: a status, and a stream of pieces at the bot's pace until it is enough."""
        place = {"channel": _CHANNEL, "thread_ts": thread_ts}
        await self._call("agents.sessions.setStatus", channel_id=_CHANNEL, thread_ts=thread_ts, status="processing")
        recipient = {"recipient_user_id": _USER, "recipient_team_id": _TEAM}
        await asyncio.sleep(random.random() * self._interval_s)  # noqa: S311 - streams do not march in step
        ts = (await self._call("chat.startStream", **place, **recipient, markdown_text=self._text))["ts"]
        self.streaming += 1
        while not self.enough.is_set():
            await asyncio.sleep(self._interval_s)
            await self._call("chat.appendStream", channel=_CHANNEL, ts=ts, markdown_text=self._text)
        self.streaming -= 1
        await self._call("chat.stopStream", channel=_CHANNEL, ts=ts)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """An open Socket Mode connection that acknowledges everything, and an open page."""
        url = (await self._call("apps.connections.open", token="xapp-playground"))["url"]  # noqa: S106
        async with (
            self._http.ws_connect(url) as app,
            self._http.ws_connect(f"{self._url}/_/live?as={_USER}") as page,
        ):
            readers = [asyncio.create_task(self._acknowledge(app)), asyncio.create_task(self._watch(page))]
            yield
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _acknowledge(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = json.loads(message.data)
            if "envelope_id" in frame:
                await socket.send_json({"envelope_id": frame["envelope_id"]})
                self.acked += 1

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for _ in socket:
            self.frames += 1

    async def _call(self, method: str, *, token: str = "xoxb-playground", **arguments: Any) -> JSON:  # noqa: S107
        started = time.perf_counter()
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.post(f"{self._url}/api/{method}", json=arguments, headers=headers) as response:
            answer: JSON = await response.json()
        self.latencies_ms.append((time.perf_counter() - started) * 1000)
        if not answer.get("ok"):
            raise RuntimeError(f"{method}: {answer}")
        return answer
