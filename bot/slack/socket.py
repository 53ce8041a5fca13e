"""Socket Mode envelopes in, acks out, over a connection that a watchdog keeps alive."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackError, SlackRejected, SlackUnavailable
from bot.slack.dispatch import dispatch
from bot.slack.socket_client import OpenPace, SteadyClient
from bot.slack.socket_health import Health, Timing

log = logging.getLogger("tandem.slack.socket")


class SocketMode:
    """One connection to Slack, replaced whenever it fails, and before it ends where that is known ahead.

    `on_connections` hears how many connections the app has, this one included: its replicas share Slack's limits.
    Make it inside a running loop.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        web_client: AsyncWebClient,
        *,
        on_connections: Callable[[int], None],
        timing: Timing | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._web_client = web_client
        self._on_connections = on_connections
        self._timing = timing or Timing()
        self._pace = OpenPace(monotonic=monotonic)
        self._health = Health(self._timing, monotonic)
        self._tasks: set[asyncio.Task[None]] = set()
        self._handling: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._watchdog: asyncio.Task[None] | None = None
        self._client = self._new_client(app_token)
        self._leaving: set[SteadyClient] = set()
        self._released = asyncio.Event()  # set once those that leave have nothing more to wait for

    @property
    def connected(self) -> bool:
        """Whether Slack can reach us now."""
        return self._health.connected or any(client.has_socket for client in self._leaving)

    def problem(self) -> str:
        """Why a restart might help, as an operator would read it; "" while there is no reason for one."""
        return self._health.problem(slack_answers=self._pace.answered)

    async def start(self) -> None:
        """Connect, and stay connected; raises SlackRejected where Slack refuses the token.

        Where Slack cannot be reached it goes on trying, and returns.
        """
        try:
            await self._client.check()
        except SlackRejected:
            await self._client.discard(self._timing.close_s)
            raise
        except SlackError as error:
            log.warning("Slack cannot be reached yet", extra={"code": error.code})
        self._spawn(self._client.connect_to_new_endpoint())
        self._watchdog = asyncio.create_task(self._watch())

    async def renew(self, app_token: str) -> None:
        """Connect anew with another token; raises SlackError, and keeps the old one, where Slack does not take it."""
        successor = self._new_client(app_token)
        try:
            await successor.check()
            if self._closing:
                raise SlackUnavailable("closed")
        except BaseException:  # whoever is cancelled has a session to close, too
            await successor.discard(self._timing.close_s)
            raise
        self._app_token = app_token
        self._hand_over(successor)

    async def close(self) -> None:
        """Take no more envelopes, acknowledge those under way, disconnect: within seconds, whatever hangs."""
        self._closing = True
        if self._watchdog is not None:
            self._watchdog.cancel()
            await asyncio.gather(self._watchdog, return_exceptions=True)
        if self._handling:
            await asyncio.wait(self._handling, timeout=self._timing.close_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(client.discard(self._timing.close_s) for client in (self._client, *self._leaving)))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._timing.tick_s)
            client = self._client
            is_up = await client.is_connected()
            match self._health.look(client.current_session, is_up=is_up, is_pacing=client.is_pacing):
                case "well":
                    pass
                case "down":
                    client.forget_spent_url()
                    self._spawn(client.connect_to_new_endpoint())
                case "mute" as ailment:
                    log.info("socket is quiet: opening another", extra={"ailment": ailment})
                    self._spawn(client.connect_to_new_endpoint(force=True))
                case "stuck" as ailment:
                    log.error("socket does not heal: starting anew", extra={"ailment": ailment})
                    self._hand_over(self._new_client(self._app_token))
                    self._released.set()  # nothing more is to be heard of the old one

    def _on_disconnect(self, client: SteadyClient, reason: str) -> None:
        if reason == "too_many_websockets":
            self._released.set()  # an app has ten: the old one may be one too many
        elif reason == "warning" and client is self._client and not self._closing:
            self._hand_over(self._new_client(self._app_token))

    def _hand_over(self, successor: SteadyClient) -> None:
        """Connect by another client. The one before listens until Slack has greeted that, so that nothing is missed."""
        predecessor, self._client = self._client, successor
        predecessor.is_leaving = True
        self._leaving.add(predecessor)
        self._released.clear()
        self._spawn(successor.connect_to_new_endpoint())
        self._spawn(self._dismiss(predecessor))

    async def _dismiss(self, client: SteadyClient) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.stuck_s):
                await self._released.wait()
        await client.discard(self._timing.close_s)
        self._leaving.discard(client)

    def _new_client(self, app_token: str) -> SteadyClient:
        client = SteadyClient(
            app_token,
            self._web_client,
            pace=self._pace,
            logger=self._app.logger,
            ping_interval_s=self._timing.ping_s,
            on_disconnect=self._on_disconnect,
        )
        client.message_listeners.append(self._on_frame)
        client.socket_mode_request_listeners.append(self._on_request)
        return client

    async def _on_frame(self, client: Any, frame: dict[str, Any], raw: str | None) -> None:
        """Every frame that Slack sends, before the envelopes among them are handled."""
        if client is not self._client:
            return
        is_hello = frame.get("type") == "hello"
        self._health.heard(client.current_session, is_hello=is_hello)
        connections = frame.get("num_connections")
        if isinstance(connections, int) and connections > 0:
            self._on_connections(max(1, connections - sum(other.has_socket for other in self._leaving)))
        if is_hello:
            self._released.set()

    async def _on_request(self, client: Any, request: SocketModeRequest) -> None:
        if self._closing:
            return  # without an ack, Slack hands it to another connection
        task = asyncio.current_task()
        if task is not None:
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)
        started = time.time()
        answer = await dispatch(self._app, request.payload, _headers(request), mode="socket_mode")
        if answer.status == 400:
            answer = BoltResponse(status=200, body="")  # it would not be readable the next time either
        with contextlib.suppress(ConnectionError):  # no ack: Slack sends it again
            await send_async_response(client if client.has_socket else self._client, request, answer, started)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _headers(request: SocketModeRequest) -> dict[str, str]:
    """An envelope's retry, as HTTP has it."""
    headers = {"x-slack-retry-num": request.retry_attempt, "x-slack-retry-reason": request.retry_reason}
    return {name: str(value) for name, value in headers.items() if value is not None}
