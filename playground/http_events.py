"""Payloads in, signed HTTP requests to the app out, and its answers back: Slack's Events API over HTTP."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from playground.delivery import Kind, Outcome
from playground.json_text import decoded, encoded
from playground.trouble import Timing

JSON = dict[str, Any]


class HttpEvents:
    """The app's request URL, which takes events, commands and interactions alike.

    Nothing is sent to it before it has answered Slack's `url_verification`: it proves that it has the signing secret.
    """

    name = "http"

    def __init__(self, url: str, signing_secret: str, timing: Timing) -> None:
        self._url = url
        self._secret = signing_secret.encode()
        self._timing = timing
        self._session: aiohttp.ClientSession | None = None
        self._watching: asyncio.Task[None] | None = None
        self.answers = False
        """Whether the app is there, and has proven to be the one."""
        self.on_connection: list[Callable[[], None]] = []

    @property
    def is_open(self) -> bool:
        return bool(self._url)

    def watch(self) -> None:
        """Ask in the background whether the app is there, again whenever it has gone."""
        if self._url and self._watching is None:
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def attempt(self, kind: Kind, payload: JSON, *, retry: int, reason: str) -> Outcome:
        """One signed POST; any status but 200 is no ack."""
        if not self.answers:
            verified = await self._verify()
            if not verified.acked:
                return verified
        outcome = await self._post(*_body(kind, payload), retry=retry, reason=reason)
        self._note(answers=outcome.reason != "connection_failed")
        return outcome

    async def _verify(self) -> Outcome:
        """Slack's question to a new request URL: it must give the challenge back."""
        challenge = secrets.token_hex(16)
        question = {"token": "playground", "challenge": challenge, "type": "url_verification"}
        outcome = await self._post(encoded(question).encode(), "application/json", retry=0, reason="")
        said = outcome.answer or {}
        proven = outcome.acked and challenge in (said.get("challenge"), str(said.get("text", "")).strip())
        self._note(answers=proven)
        return Outcome(proven, outcome.reason or ("" if proven else "http_error"))

    async def _watch(self) -> None:
        while True:
            if self.answers:
                self._note(answers=await self._listens())
            else:
                await self._verify()
            await asyncio.sleep(self._timing.verify_s)

    async def _listens(self) -> bool:
        """Whether anybody takes connections at the URL."""
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._timing.ack_s):
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True

    def _note(self, *, answers: bool) -> None:
        if answers != self.answers:
            self.answers = answers
            for listener in self.on_connection:
                listener()

    async def _post(self, body: bytes, content_type: str, *, retry: int, reason: str) -> Outcome:
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
                text = await response.text(errors="replace")
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
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
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
        answer = decoded(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
