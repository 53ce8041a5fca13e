"""A turn's beginning and end in, Slack's "Working…" out: begun only where the call that ends it is sure to be made."""

import asyncio
import logging
from typing import Any

from bot.conversation.ports import Journal
from bot.errors import LeaseLost, SlackError, SlackRejected
from bot.slack.budget import Reservation
from bot.slack.calls import SlackCalls

_log = logging.getLogger(__name__)
SESSIONS = "agents.sessions.setStatus"
ASSISTANT = "assistant.threads.setStatus"
# For these the app, not this one thread, lacks what agent sessions need.
_NO_SESSIONS = frozenset(
    {
        "feature_disabled",
        "feature_not_enabled",
        "method_deprecated",
        "missing_scope",
        "not_agent_app",
        "not_authorized",
        "unknown_method",
    }
)
_KEPT_SHARE = 0.3  # of the burst: statuses are the first thing to be left out
_ENDING_AGAIN_S = (1.0, 5.0)


class StatusMethods:
    """Which status method each team's Slack takes, as learnt from its refusals."""

    def __init__(self) -> None:
        self._refused: dict[str, set[str]] = {}

    def of(self, team_id: str) -> str | None:
        """The method to use, or None where Slack has refused both."""
        refused = self._refused.get(team_id, set())
        return next((method for method in (SESSIONS, ASSISTANT) if method not in refused), None)

    def refuse(self, team_id: str, rejected: SlackRejected) -> bool:
        """Remember a refusal that will not change; whether it is one."""
        if rejected.slack_code in _NO_SESSIONS:
            self._refused.setdefault(team_id, set()).add(rejected.method)
            return True
        return False


class Status:
    """The status of one turn: `begin` shows it, `end` clears it, once each; neither raises SlackErrors."""

    def __init__(self, calls: SlackCalls, methods: StatusMethods, journal: Journal) -> None:
        self._calls = calls
        self._methods = methods
        self._journal = journal
        self._begun: asyncio.Task[None] | None = None
        self._method: str | None = None  # the method whose status shows, or may show
        self._reservation: Reservation | None = None

    def begin(self) -> None:
        """Show it without making anybody wait; leave it out where the budget is short."""
        self._begun = asyncio.get_running_loop().create_task(self._begin())

    def abandon(self) -> None:
        """Leave it as it is: whoever takes the turn up ends it."""
        if self._begun is not None:
            self._begun.cancel()
        if self._reservation is not None:
            self._reservation.give_back()
        self._method = self._reservation = None

    async def end(self, *, shown_by_stream: bool = False, ended_by_stream: bool = False) -> None:
        """Clear it. A native stream shows a status of its own; its stop may have ended that, and ours with it."""
        if self._begun is not None:
            await asyncio.wait({self._begun})
        method, self._method = self._method, None
        reservation, self._reservation = self._reservation, None
        if method is None and shown_by_stream:
            method = SESSIONS
        if method is None or (ended_by_stream and method == SESSIONS):
            if reservation is not None:
                reservation.give_back()
            return
        await self._clear(method, reservation)

    async def _begin(self) -> None:
        team_id = self._journal.turn.team_id
        while (method := self._methods.of(team_id)) is not None:
            permits = self._calls.budget.reserve(method, team_id=team_id, calls=2, keep=_KEPT_SHARE)
            if permits is None:
                return
            try:
                self._journal.assert_ours()
                self._method = method  # whatever comes of the call, the status may show
                await self._calls.reserved(method, permits[0], self._args(method, shows=True), team_id=team_id)
                self._reservation = permits[1]
                return
            except SlackRejected as rejected:
                self._method = None
                permits[1].give_back()
                if not self._methods.refuse(team_id, rejected):
                    return
            except SlackError as error:
                permits[1].give_back()
                _log.info("the status could not be shown", extra={"turn": self._journal.turn.id, "code": error.code})
                return
            except LeaseLost:
                self._method = None
                return

    async def _clear(self, method: str, reservation: Reservation | None) -> None:
        team_id = self._journal.turn.team_id

        def args() -> dict[str, Any]:
            self._journal.assert_ours()  # whoever has taken the thread over ends its status
            return self._args(method, shows=False)

        for pause_s in (*_ENDING_AGAIN_S, None):
            try:
                permit, reservation = reservation, None
                await self._calls.compose(method, args, team_id=team_id, permit=permit)
                return
            except (SlackRejected, LeaseLost):
                return
            except SlackError as error:
                if pause_s is None:
                    _log.warning("a status may stay", extra={"turn": self._journal.turn.id, "code": error.code})
                    return
                await asyncio.sleep(pause_s)

    def _args(self, method: str, *, shows: bool) -> dict[str, Any]:
        thread = self._journal.turn.thread
        status = {SESSIONS: ("active", "processing"), ASSISTANT: ("", "is working…")}[method][shows]
        return {"channel_id": thread.channel_id, "thread_ts": thread.thread_ts, "status": status}
