"""A Web API method and its arguments in, Slack's answer out: the one door to Slack's Web API."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackRateLimited, SlackRejected, SlackUnavailable
from bot.slack.budget import Budget, Reservation, Urgency
from bot.slack.errors import FOREIGN, translated
from bot.slack.manifest import bot_scopes, missing_scope

log = logging.getLogger("tandem.slack")

WRITE_DEADLINE_S = 10.0
READS = frozenset(
    {
        "auth.test",
        "bots.info",
        "conversations.history",
        "conversations.info",
        "conversations.members",
        "conversations.replies",
        "team.info",
        "users.info",
    }
)
READ_AGAIN_AFTER_S = 0.5
READ_WAITS_AT_MOST_S = 60.0  # a longer Retry-After is the caller's affair

Args = Mapping[str, Any]


class SlackCalls:
    """Calls methods within the budget, with a deadline, and gives SlackErrors only.

    A 429 is waited out and the call made then, with arguments composed anew. A read may be repeated once after
    trouble; what writes never is: only who asked can find out whether it was done.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        budget: Budget,
        *,
        deadline_s: float = WRITE_DEADLINE_S,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        around: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        """`around` is made for each request, by its method: it sees when it leaves, and how it ends."""
        self._client = client
        self.budget = budget
        self._deadline_s = deadline_s
        self._pause = pause
        self._around = around
        self._lacking: set[str] = set()  # the scopes whose absence the log has

    async def call(self, method: str, *, team_id: str = "", urgency: Urgency = "final", **args: Any) -> dict[str, Any]:
        """Call `method`; None among `args` is not sent. Raises SlackUnavailable, SlackRejected.

        A read raises SlackRateLimited where Slack wants to be left alone for more than a minute.
        """
        if method in READS:
            return await self._read(method, team_id, urgency, args)
        answer = await self.compose(method, lambda: args, team_id=team_id, urgency=urgency)
        return answer if answer is not None else {}

    async def compose(
        self,
        method: str,
        arguments: Callable[[], Args],
        *,
        team_id: str,
        channel_id: str = "",
        urgency: Urgency = "final",
        since: float | None = None,
        unless: asyncio.Future[Any] | None = None,
        permit: Reservation | None = None,
    ) -> dict[str, Any] | None:
        """Call `method` with what `arguments()` gives in the very loop step in which the call leaves.

        So that a text composed late holds all that is known by then, and a guard in it sees the newest state: what
        it raises goes to the caller, and nothing is sent. None, and nothing sent, where `unless` is done first.
        A `permit` taken before is used instead of waiting for one.
        """
        while True:
            if permit is None or not permit.use():
                turn = self.budget.acquire(method, team_id=team_id, channel_id=channel_id, urgency=urgency, since=since)
                if unless is None:
                    await turn
                elif not await _before(turn, unless):
                    return None
            try:
                return await self._send(method, arguments())
            except SlackRateLimited as limited:
                self.budget.refused(method, team_id=team_id, retry_after_s=limited.retry_after_s)

    async def reserved(self, method: str, reservation: Reservation, args: Args, *, team_id: str) -> dict[str, Any]:
        """Call `method` on a permit taken just now; raises SlackRateLimited instead of waiting."""
        reservation.use()
        try:
            return await self._send(method, args)
        except SlackRateLimited as limited:
            self.budget.refused(method, team_id=team_id, retry_after_s=limited.retry_after_s)
            raise

    async def _read(self, method: str, team_id: str, urgency: Urgency, args: Args) -> dict[str, Any]:
        repeated = False
        while True:
            await self.budget.acquire(method, team_id=team_id, urgency=urgency)
            try:
                return await self._send(method, args)
            except SlackRateLimited as limited:
                self.budget.refused(method, team_id=team_id, retry_after_s=limited.retry_after_s)
                if limited.retry_after_s > READ_WAITS_AT_MOST_S:
                    raise
            except SlackUnavailable:
                if repeated:
                    raise
                repeated = True
                await self._pause(READ_AGAIN_AFTER_S)

    async def _send(self, method: str, args: Args) -> dict[str, Any]:
        with self._around(method):
            return await self._request(method, args)

    async def _request(self, method: str, args: Args) -> dict[str, Any]:
        body = {name: value for name, value in args.items() if value is not None}
        if method == "chat.postMessage":
            # nothing that anybody wrote is fetched, and no @name in a text becomes a mention
            body |= {"unfurl_links": False, "unfurl_media": False, "parse": "none"}
        elif method == "chat.update":
            body |= {"parse": "none"}  # its default would escape what is escaped already
        try:
            async with asyncio.timeout(self._deadline_s):
                if method in READS:
                    response = await self._client.api_call(method, http_verb="GET", params=body)
                else:
                    response = await self._client.api_call(method, json=body)
        except FOREIGN as exc:
            error = translated(method, exc)
            if isinstance(error, SlackRejected) and error.slack_code == "missing_scope":
                self._report(error.needed.split(","), method)
            raise error from exc
        if method == "auth.test":
            self._compare(response.headers)
        data = response.data
        return data if isinstance(data, dict) else {}

    def _compare(self, headers: Mapping[str, str]) -> None:
        """Say which of the manifest's scopes the token lacks, where Slack names those that it has."""
        named = ",".join(value for name, value in headers.items() if name.lower() == "x-oauth-scopes")
        granted = {scope.strip() for scope in named.split(",")}
        if named:
            self._report((scope for scope in bot_scopes() if scope not in granted), "auth.test")

    def _report(self, scopes: Iterable[str], method: str) -> None:
        """Tell operators, once for each scope; what needs it goes on failing by itself."""
        for scope in scopes:
            if scope not in self._lacking:
                self._lacking.add(scope)
                log.error(missing_scope(scope), extra={"scope": scope, "method": method})


async def _before(permit: Coroutine[Any, Any, None], end: asyncio.Future[Any]) -> bool:
    """Wait for the permit, or give it up where `end` is done first; whether there is a permit."""
    if end.done():
        permit.close()
        return False
    task = asyncio.ensure_future(permit)
    try:
        await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
        return task.done()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
