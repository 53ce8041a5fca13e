"""slack_sdk's Socket Mode client, with the ways in which it can wedge or storm taken out.

A socket is opened by one task at a time and no more often than Slack bears, and closing has a bound. What this cannot
notice by itself, the watchdog in `bot/slack/socket.py` does.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackError, SlackRateLimited, SlackUnavailable
from bot.slack.errors import FOREIGN, translated

log = logging.getLogger("tandem.slack.socket")

_OPEN = "apps.connections.open"
OPENS_PER_MINUTE = 6
_FIRST_S = 0.5


class OpenPace:
    """How long to wait before the next apps.connections.open: longer each time, with jitter, six a minute at most."""

    def __init__(self, *, monotonic: Callable[[], float], jitter: Callable[[], float] = random.random) -> None:
        self._monotonic = monotonic
        self._jitter = jitter
        self._opened: deque[float] = deque(maxlen=OPENS_PER_MINUTE)
        self._not_before = 0.0
        self.turn = asyncio.Lock()  # held by who waits to open one
        self.answered = True  # whether Slack was there when it was last asked

    def wait_s(self) -> float:
        """Seconds to wait now. The first attempt in a minute waits for nothing."""
        now = self._monotonic()
        recent = sum(1 for at in self._opened if now - at < 60)
        backoff = _FIRST_S * 2.0 ** (recent - 1) * (0.5 + self._jitter()) if recent else 0.0
        window = 60 - (now - self._opened[0]) if recent >= OPENS_PER_MINUTE else 0.0
        return max(backoff, window, self._not_before - now)

    def opened(self) -> None:
        """Count one."""
        self._opened.append(self._monotonic())

    def refused(self, retry_after_s: float) -> None:
        """Slack wants to be left alone for so long."""
        self._not_before = self._monotonic() + retry_after_s


class SteadyClient(SocketModeClient):
    """A SocketModeClient that neither storms nor opens two sockets at once."""

    def __init__(
        self,
        app_token: str,
        web_client: AsyncWebClient,
        *,
        pace: OpenPace,
        logger: logging.Logger,
        ping_interval_s: float,
        on_disconnect: Callable[["SteadyClient", str], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`on_disconnect` hears why Slack ends the socket; after a mere "warning" it has to see to another."""
        super().__init__(app_token=app_token, web_client=web_client, logger=logger, ping_interval=ping_interval_s)
        self.proxy = web_client.proxy  # slack_sdk takes HTTPS_PROXY from the environment, for loopback too
        self._pace = pace
        self._pause = pause
        self._on_disconnect = on_disconnect
        self._unspent: str | None = None
        self._url_at = 0.0
        self.is_pacing = False
        self._reconnecting = False
        self.is_leaving = False  # another client has taken over: this one only listens to its end

    @property
    def has_socket(self) -> bool:
        """Whether a socket is open, well or not."""
        return self.current_session is not None and not self.current_session.closed

    async def check(self) -> None:
        """Ask for a first URL, which the next connection uses; raises SlackError."""
        self._unspent = await self.issue_new_wss_url()

    async def issue_new_wss_url(self) -> str:
        """A URL that opens one socket; raises SlackError."""
        await self._wait_for_turn()
        try:
            answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        except FOREIGN as exc:
            error = translated(_OPEN, exc)
            self._pace.answered = not isinstance(error, SlackUnavailable)
            log.warning("no Socket Mode URL", extra={"code": error.code, "reason": str(error)})
            if isinstance(error, SlackRateLimited):
                self._pace.refused(error.retry_after_s)
            raise error from exc
        self._pace.answered = True
        self._url_at = time.monotonic()
        return str(answer["url"])

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Handle a frame. At a mere warning slack_sdk would close the socket, and hear nothing until it has another."""
        reason = str(message.get("reason")) if message.get("type") == "disconnect" else ""
        if reason and not (reason == "warning" and self._reconnecting):  # that is of a socket which goes already
            self._on_disconnect(self, reason)
        if reason != "warning":
            await super().run_message_listeners(message, raw_message)

    async def _wait_for_turn(self) -> None:
        self.is_pacing = True
        try:
            async with self._pace.turn:
                await self._pause(self._pace.wait_s())
                if self.closed or self.is_leaving:  # while it waited: no need to spend a URL
                    raise SlackUnavailable(f"{_OPEN}: closed")
                self._pace.opened()
        finally:
            self.is_pacing = False

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Replace the socket: by a URL that is there before the old one is closed.

        Whoever comes while that is under way need not do it too; where Slack gives no URL, somebody has to come again.
        """
        if self._reconnecting or self.is_leaving or not (force or not await self.is_connected()):
            return
        self._reconnecting = True
        try:
            self.wss_uri = self._unspent or await self.issue_new_wss_url()
            self._unspent = None
            await self.connect()  # type: ignore[no-untyped-call]  # slack_sdk's; it tries until it is connected
        except SlackError:
            return  # said already
        finally:
            self._reconnecting = False

    def forget_spent_url(self) -> None:
        """Let the loop that connects ask for another URL where it must have tried this one."""
        if time.monotonic() - self._url_at > self.ping_interval / 2:
            self.wss_uri = None

    async def discard(self, within_s: float) -> None:
        """Close for good, within a bound: slack_sdk's own close can hang."""
        try:
            async with asyncio.timeout(within_s):
                await self.close()  # type: ignore[no-untyped-call]
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            log.warning("socket closed by force", extra={"reason": type(error).__name__})
            self.closed = True
            for task in (self.message_processor, self.current_session_monitor, self.message_receiver):
                if task is not None:
                    task.cancel()
            connector = self.aiohttp_client_session.connector
            if connector is not None:
                await connector.close()
            await self.aiohttp_client_session.close()
