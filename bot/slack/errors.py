"""Exceptions of slack_sdk and aiohttp in, SlackErrors out."""

import json

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError, SlackObjectFormationError, SlackRequestError

from bot.errors import SlackError, SlackRateLimited, SlackRejected, SlackUnavailable

DEFAULT_RETRY_AFTER_S = 30.0  # Slack always says; a proxy that answers 429 may not

# What a call may raise that is Slack's or the wire's doing. All else is a bug, and stays what it is.
FOREIGN: tuple[type[BaseException], ...] = (
    SlackClientError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)
# Slack's words for trouble of its own: whether the call was done is unknown.
TROUBLE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})


def translated(method: str, exc: BaseException) -> SlackError:
    """The node of our own tree for what a call to `method` raised."""
    if isinstance(exc, SlackApiError):
        return _answered(method, exc)
    if isinstance(exc, SlackRequestError | SlackObjectFormationError):
        return SlackRejected(method, "invalid_request")
    return SlackUnavailable(f"{method}: {type(exc).__name__}")


def _answered(method: str, exc: SlackApiError) -> SlackError:
    response = exc.response
    # slack_sdk hands over aiohttp's own response where the body was not JSON
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    body = data if isinstance(data, dict) else {}
    code = str(body.get("error") or "")
    if status == 429 or code in RATE_LIMITED:
        return SlackRateLimited(method, _retry_after_s(getattr(response, "headers", None) or {}))
    if not code or status >= 500 or code in TROUBLE:
        return SlackUnavailable(f"{method}: HTTP {status} {code}".rstrip())
    return SlackRejected(method, code, needed=str(body.get("needed") or ""))


def _retry_after_s(headers: object) -> float:
    get = getattr(headers, "get", None)
    given = (get("Retry-After") or get("retry-after")) if callable(get) else None
    try:
        return max(0.0, float(given)) if given is not None else DEFAULT_RETRY_AFTER_S
    except (TypeError, ValueError):
        return DEFAULT_RETRY_AFTER_S
