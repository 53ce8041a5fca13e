"""A sentence in, a message to who asked out: by the URL that comes with a command or click.

It works where the bot is no member, and needs no scope: at most five times within half an hour.
https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.errors import SlackRejected, SlackUnavailable

_DEADLINE = aiohttp.ClientTimeout(total=10.0)
_METHOD = "response_url"


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """Where to answer one command or click. `thread_ts` keeps the answer in the thread of the click."""

    session: aiohttp.ClientSession
    url: str
    thread_ts: str = ""

    async def say(self, text: str, *, blocks: Sequence[dict[str, Any]] = (), to_all: bool = False) -> None:
        """Show it to who asked, or to the whole channel; raises SlackError."""
        body: dict[str, Any] = {
            "text": text,
            "response_type": "in_channel" if to_all else "ephemeral",
            "replace_original": False,
        }
        if blocks:
            body["blocks"] = list(blocks)
        if self.thread_ts:
            body["thread_ts"] = self.thread_ts
        try:
            async with self.session.post(self.url, json=body, timeout=_DEADLINE, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SlackUnavailable(f"{_METHOD}: {type(error).__name__}") from error
        if status >= 500:
            raise SlackUnavailable(f"{_METHOD}: HTTP {status}")
        if status != 200:
            raise SlackRejected(_METHOD, f"http_{status}")
