"""Payloads in, signed HTTP requests to the app out, and its answers back: Slack's Events API over HTTP."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from playground.delivery import Kind, Outcome, encoded
from playground.trouble import Timing

JSON = dict[str, Any]


class HttpEvents:
    """The app's request URL, which takes events, commands and interactions alike."""

    name = "http"

    def __init__(self, url: str, signing_secret: str, timing: Timing) -> None:
        self._url = url
        self._secret = signing_secret.encode()
        self._timing = timing
        self._session: aiohttp.ClientSession | None = None

    @property
    def is_open(self) -> bool:
        return bool(self._url)

    async def attempt(self, kind: Kind, payload: JSON, *, retry: int, reason: str) -> Outcome:
        """One signed POST; any status but 200 is no ack."""
        body, content_type = _body(kind, payload)
        headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0", **self.signature(body)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        timeout = aiohttp.ClientTimeout(total=self._timing.ack_s)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                text = await response.text()
        except TimeoutError:
            return Outcome(False, "http_timeout")
        except aiohttp.ClientError:
            return Outcome(False, "connection_failed")
        if response.status != 200:
            return Outcome(False, "http_error", no_retry=response.headers.get("X-Slack-No-Retry") == "1")
        return Outcome(True, answer=_answer(text, response.content_type))

    def signature(self, body: bytes, *, at: int | None = None) -> dict[str, str]:
        """Slack's two signature headers for a request body."""
        timestamp = str(int(time.time()) if at is None else at)
        digest = hmac.new(self._secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}

    async def close(self) -> None:
        """Close the connections to the app."""
        if self._session is not None:
            await self._session.close()


def _body(kind: Kind, payload: JSON) -> tuple[bytes, str]:
    if kind == "events_api":
        return encoded(payload).encode(), "application/json"
    form = {key: str(value) for key, value in payload.items() if value is not None}
    if kind == "interactive":
        form = {"payload": encoded(payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _answer(text: str, content_type: str) -> JSON | None:
    """What a command's or view's ack says: JSON, or plain text for a command."""
    if content_type != "application/json":
        return {"text": text} if text else None
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
