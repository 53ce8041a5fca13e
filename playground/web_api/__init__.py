"""A call of Slack's Web API in, Slack's answer out: token, scope, limits and trouble before the method itself."""

import asyncio
import hmac
import logging
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.arguments import Arguments, read_arguments
from playground.errors import SlackError
from playground.json_text import encoded
from playground.local_slack import LocalSlack
from playground.trouble import Failure
from playground.web_api import agents, auth, chat, conversations, files, reactions, scheduled, streams, users, views
from playground.web_api.method import Method, missing_scope

JSON = dict[str, Any]

METHODS: Mapping[str, Method] = {
    **agents.METHODS,
    **auth.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **scheduled.METHODS,
    **streams.METHODS,
    **users.METHODS,
    **views.METHODS,
}


async def answer(slack: LocalSlack, request: web.Request) -> web.StreamResponse:
    """One call, recorded with how it went."""
    started, name = time.monotonic(), request.match_info["method"]
    values: JSON = {}
    body: JSON = {}
    response: web.StreamResponse | None = None
    try:
        args = await read_arguments(request)
        token = _token(request, args)
        values = args.values
        await slack.trouble.delay(name)
        failure = slack.trouble.failure(name)
        if failure is not None and not failure.effect:
            response, body = await _fail(request, failure)
        else:
            body = _call(slack, name, token, args)
            if failure is not None:
                response, body = await _fail(request, failure)
    except SlackError as error:
        body = {"ok": False, "error": error.code, **error.details}
    except Exception:
        # A malformed structure that no rule above foresaw: Slack, too, says this rather than answering 500.
        logging.getLogger(__name__).exception("%s failed", name)
        body = {"ok": False, "error": "internal_error"}
    finally:
        status = response.status if response is not None else _status(body)
        slack.record.add(
            body,
            at=time.time(),
            method=name,
            args=values,
            ok=bool(body.get("ok")),
            error=str(body.get("error", "")),
            status=status if body else 0,
            duration_ms=round((time.monotonic() - started) * 1000, 3),
        )
    return response if response is not None else _response(slack, name, body)


def _call(slack: LocalSlack, name: str, token: str, args: Arguments) -> JSON:
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    _authorize(slack, method, token)
    channel = str(args.values.get("channel") or args.values.get("channel_id"))
    direct = slack.roster.direct_message(channel) if channel.startswith(("U", "W")) else None
    retry_after = slack.limits.retry_after(name, method.tier, direct.id if direct else channel)
    if retry_after:
        raise SlackError("ratelimited", retry_after=retry_after)
    return {"ok": True, **method.run(slack, args)}


def _token(request: web.Request, args: Arguments) -> str:
    """The token of a call, from its header or its arguments; it is not kept among them."""
    given = str(args.values.pop("token", ""))
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else given


def _authorize(slack: LocalSlack, method: Method, token: str) -> None:
    if not token:
        raise SlackError("not_authed")
    is_bot = _same(token, slack.credentials.bot_token)
    if not is_bot and not _same(token, slack.credentials.app_token):
        raise SlackError("invalid_auth")
    if is_bot == method.app_token:
        raise SlackError("not_allowed_token_type")
    if not method.app_token and method.scopes and not slack.manifest.scopes.intersection(method.scopes):
        raise missing_scope(slack, ",".join(method.scopes))


def _same(token: str, expected: str) -> bool:
    return hmac.compare_digest(token.encode(), expected.encode())


async def _fail(request: web.Request, failure: Failure) -> tuple[web.StreamResponse | None, JSON]:
    """The failure that was asked for: a status, an error code, a cut connection, or silence until the client goes."""
    if failure.kind == "hang":
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.05)
    if failure.kind in ("drop", "hang"):
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500), {}
    if failure.kind == "error":
        body: JSON = {"ok": False, "error": failure.error}
        return (None, {**body, "retry_after": failure.retry_after}) if failure.retry_after else (None, body)
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return web.Response(status=failure.status, text="upstream failure", headers=headers), {"error": "http"}


def _status(body: JSON) -> int:
    return 429 if body.get("error") == "ratelimited" else 200


def _response(slack: LocalSlack, name: str, body: JSON) -> web.Response:
    headers = {"X-Slack-Req-Id": f"{time.monotonic_ns():x}", "X-OAuth-Scopes": ",".join(sorted(slack.manifest.scopes))}
    method = METHODS.get(name)
    if method is not None and method.scopes:
        headers["X-Accepted-OAuth-Scopes"] = ",".join(method.scopes)
    if "retry_after" in body:
        headers["Retry-After"] = str(body["retry_after"])
    if body.get("error") == "ratelimited":
        body = {"ok": False, "error": "ratelimited"}
    return web.Response(text=encoded(body), status=_status(body), content_type="application/json", headers=headers)
