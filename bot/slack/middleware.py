"""An event in, Slack's ack out: after the core has stored what arrived, or not at all, so that Slack sends it again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.conversation.arrival import Arrival, Deletion, Edit, Outcome, Stop
from bot.errors import BotError
from bot.slack.authorize import Identity
from bot.slack.events import EventReader, Reading, Unread, team_of

log = logging.getLogger("tandem.slack.events")

ACCEPT_S = 1.5  # of the 3 s after which Slack takes an event for lost
# Events with a listener of their own; all others are acknowledged here.
LISTENED = frozenset({"app_home_opened", "app_uninstalled", "tokens_revoked"})


class Intake(Protocol):
    """The core's door. Everything raises StoreError where the store cannot take it."""

    def missed(self, ts: str) -> None:
        """What was said then could not be taken, or was dropped by Slack; it may never come again."""
        ...

    async def message(self, arrival: Arrival) -> Outcome:
        """A message, by any of the events that announce it."""
        ...

    async def edited(self, edit: Edit) -> Outcome:
        """A message's new text."""
        ...

    async def deleted(self, deletion: Deletion) -> Outcome:
        """A message is gone."""
        ...

    async def stop(self, stop: Stop) -> Outcome:
        """Somebody wants answers to end."""
        ...

    async def again(self, question_turn_id: str, retry: int, user_id: str) -> Outcome:
        """The retry button; reason "vanished_thread" where the question is unknown."""
        ...


class AcceptFirst(AsyncMiddleware):
    """Bolt acknowledges events before their listeners run, and an acknowledged event never comes again.

    So this, a global middleware, hands events to the core and answers them itself: 200 once their fate is known, 503
    where the store did not take them in time (in Socket Mode that is no ack). A retry is an event like any other: the
    first delivery may never have been read.
    """

    def __init__(
        self,
        us: Identity,
        reader: EventReader,
        intake: Intake,
        *,
        accept_s: float = ACCEPT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._us = us
        self._reader = reader
        self._intake = intake
        self._accept_s = accept_s
        self._monotonic = monotonic

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """See slack_bolt's AsyncMiddleware."""
        body = req.body
        if body.get("type") == "app_rate_limited":
            log.warning("Slack drops events: too many an hour", extra={"team": body.get("team_id")})
            self._intake.missed(str(body.get("minute_rate_limited") or ""))
            return BoltResponse(status=200, body="")
        if body.get("type") != "event_callback":
            return await self._pass_interaction(body, next)
        if body["event"]["type"] in LISTENED and self._is_ours(body):
            return await next()
        return await self._accept(body, retry=req.headers.get("x-slack-retry-num", ["0"])[0])

    async def _pass_interaction(
        self, body: Mapping[str, Any], next_: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Commands and clicks go on to their listeners. There are no modals, shortcuts or the like to answer."""
        if "command" in body and not self._is_ours(body):
            log.warning("command of another team", extra={"team": body.get("team_id")})
            return BoltResponse(status=200, body="This Tandem works for another workspace.")
        if "command" in body or body.get("type") == "block_actions":
            return await next_()
        log.warning("unknown interaction", extra={"type": body.get("type")})
        return BoltResponse(status=200, body="")

    def _is_ours(self, body: Mapping[str, Any]) -> bool:
        return self._us.is_home(team_of(body))

    async def _accept(self, body: Mapping[str, Any], *, retry: str) -> BoltResponse:
        started = self._monotonic()
        reading = self._reader.read(body) if self._is_ours(body) else Unread("other_team")
        try:
            async with asyncio.timeout(self._accept_s):
                outcome = await self._hand_over(reading)
        except (BotError, TimeoutError) as error:
            code = error.code if isinstance(error, BotError) else "too_slow"
            outcome = Outcome("ignored", f"not_stored_{code}")
            self._intake.missed(str(body["event"].get("ts") or ""))
            log.warning("event not taken; Slack will send it again", extra=self._facts(body, outcome, retry, started))
            return BoltResponse(status=503, body="")
        level = logging.DEBUG if outcome.reason == "ourselves" else logging.INFO  # Slack echoes every step of an answer
        if log.isEnabledFor(level):
            log.log(level, "event", extra=self._facts(body, outcome, retry, started))
        return BoltResponse(status=200, body="")

    async def _hand_over(self, reading: Reading) -> Outcome:
        match reading:
            case Arrival():
                return await self._intake.message(reading)
            case Edit():
                return await self._intake.edited(reading)
            case Deletion():
                return await self._intake.deleted(reading)
            case Stop():
                return await self._intake.stop(reading)
            case Unread():
                return Outcome("ignored", reading.reason)

    def _facts(self, body: Mapping[str, Any], outcome: Outcome, retry: str, started: float) -> dict[str, object]:
        """What the log says of an event: ids, fate, time; never a word of its text."""
        event = body["event"]
        return {
            "event_id": body.get("event_id"),
            "event": event["type"],
            "subtype": event.get("subtype"),
            "channel": event.get("channel"),
            "ts": event.get("ts"),
            "user": event.get("user"),
            "retry": retry,
            "fate": outcome.fate,
            "reason": outcome.reason,
            "turn": outcome.turn_id,
            "ms": round((self._monotonic() - started) * 1000),
        }
