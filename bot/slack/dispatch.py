"""A payload in, Bolt's answer out, for both transports; what is no payload of Slack's never reaches Bolt."""

import logging
from collections.abc import Mapping
from typing import Any, Literal

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.slack.events import is_event
from bot.slack.interactions import is_click

log = logging.getLogger("tandem.slack.events")


async def dispatch(
    app: AsyncApp,
    body: str | dict[str, Any],
    headers: Mapping[str, str],
    *,
    query: str = "",
    mode: Literal["http", "socket_mode"],
) -> BoltResponse:
    """Bolt's answer, or 400 for what has not the shape that Bolt takes for granted. Never raises."""
    try:
        request = AsyncBoltRequest(body=body, query=query, headers=dict(headers), mode=mode)
    except Exception as error:  # Bolt reads into the payload at once, and fails in as many ways as JSON can be wrong
        log.warning("unreadable payload", extra={"reason": type(error).__name__})
        return BoltResponse(status=400, body="")
    if not _has_shape(request.body):
        log.warning("unreadable payload", extra={"reason": "shape"})
        return BoltResponse(status=400, body="")
    return await app.async_dispatch(request)


def _has_shape(body: object) -> bool:
    if not isinstance(body, dict):
        return False
    if body.get("type") == "event_callback":
        return is_event(body)
    if body.get("type") == "block_actions":
        return is_click(body)
    return "command" not in body or isinstance(body["command"], str)
