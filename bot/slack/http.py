"""Signed requests from Slack in, Bolt's answers out: the Events API over HTTP, with commands and clicks."""

import asyncio
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable

from aiohttp import web
from multidict import CIMultiDictProxy
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp

from bot.slack.dispatch import dispatch

log = logging.getLogger("tandem.slack.http")

MAX_BODY_BYTES = 1024 * 1024
BODY_WITHIN_S = 5.0
# https://docs.slack.dev/authentication/verifying-requests-from-slack
_FRESH_S = 300
OLD_SECRET_S = 600.0  # how long a secret that was replaced still counts: requests signed with it are on their way
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class HttpEvents:
    """The handler of POST /slack/events."""

    def __init__(self, app: AsyncApp, signing_secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._app = app
        self._secret = signing_secret.encode()
        self._old_secret = (b"", 0.0)  # and until when it counts
        self._now = now

    async def renew(self, signing_secret: str) -> None:
        """Take a new secret; the one before it counts for ten minutes more."""
        self._old_secret = (self._secret, self._now() + OLD_SECRET_S)
        self._secret = signing_secret.encode()

    async def __call__(self, request: web.Request) -> web.Response:
        """413 for what is too large, 401 for what Slack did not sign just now, 400 for what is not text."""
        body = await _body(request)
        if not self.is_signed(body, request.headers):
            log.warning("refused: not signed by Slack", extra={"remote": request.remote, "bytes": len(body)})
            return web.json_response({"error": "invalid request"}, status=401)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return web.json_response({"error": "not UTF-8"}, status=400)
        headers = dict(request.headers.items())
        answer = await dispatch(self._app, text, headers, query=request.query_string, mode="http")
        return await to_aiohttp_response(answer)

    def is_signed(self, body: bytes, headers: CIMultiDictProxy[str]) -> bool:
        """Whether Slack signed this body within the last five minutes. Never raises, whatever the headers hold."""
        timestamps = headers.getall("X-Slack-Request-Timestamp", [])
        signatures = headers.getall("X-Slack-Signature", [])
        if len(timestamps) != 1 or len(signatures) != 1:
            return False
        if not _TIMESTAMP.fullmatch(timestamps[0]) or not _SIGNATURE.fullmatch(signatures[0]):
            return False
        if abs(self._now() - int(timestamps[0])) > _FRESH_S:
            return False
        signed = b"v0:" + timestamps[0].encode() + b":" + body
        return any(_matches(secret, signed, signatures[0]) for secret in self._secrets())

    def _secrets(self) -> list[bytes]:
        old, until = self._old_secret
        return [self._secret, old] if self._now() < until else [self._secret]


def _matches(secret: bytes, signed: bytes, signature: str) -> bool:
    return hmac.compare_digest("v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest(), signature)


async def _body(request: web.Request) -> bytes:
    """The whole body; raises what aiohttp turns into 413 or 408."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > MAX_BODY_BYTES:
                    raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return bytes(body)
