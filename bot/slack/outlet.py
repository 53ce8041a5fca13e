"""One thread of Slack as a place to write: guarded, budgeted calls in, their answers out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.conversation.ports import Journal
from bot.slack.budget import Reservation, Urgency
from bot.slack.calls import SlackCalls


@dataclass(slots=True)
class Outlet:
    """The thread of a turn. Every call first sees to it that the turn is still ours, in the step in which it leaves."""

    calls: SlackCalls
    journal: Journal
    unless: asyncio.Future[None]  # once done, steps that still wait for the budget are given up
    plain: bool = False  # Slack has refused markdown blocks here

    async def send(
        self,
        method: str,
        compose: Callable[[], dict[str, Any]],
        *,
        urgency: Urgency,
        since: float | None = None,
        permit: Reservation | None = None,
    ) -> dict[str, Any] | None:
        """Call `method` in the turn's channel; None where a step was given up."""
        turn = self.journal.turn

        def arguments() -> dict[str, Any]:
            self.journal.assert_ours()
            return {"channel": turn.thread.channel_id, **compose()}

        return await self.calls.compose(
            method,
            arguments,
            team_id=turn.team_id,
            channel_id=turn.thread.channel_id,
            urgency=urgency,
            since=since,
            unless=self.unless if urgency == "step" else None,
            permit=permit,
        )
