"""Posts for later in, the same posts at their time out."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from playground.errors import SlackError


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """One post that waits; times are Unix seconds."""

    id: str
    channel: str
    post_at: int
    created_at: int
    text: str
    timer: asyncio.TimerHandle


class ScheduledMessages:
    """All posts that wait for their time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: dict[str, Scheduled] = {}

    def add(self, channel: str, post_at: int, text: str, ahead_s: float, post: Callable[[], None]) -> Scheduled:
        """Let `post` run after `ahead_s` seconds."""
        scheduled_id = f"Q{secrets.token_hex(5).upper()}"

        def due() -> None:
            del self._waiting[scheduled_id]
            post()

        timer = asyncio.get_running_loop().call_later(ahead_s, due)
        message = Scheduled(
            id=scheduled_id, channel=channel, post_at=post_at, created_at=int(self._now()), text=text, timer=timer
        )
        self._waiting[scheduled_id] = message
        return message

    def cancel(self, channel: str, scheduled_id: str) -> None:
        """Raises SlackError invalid_scheduled_message_id."""
        message = self._waiting.get(scheduled_id)
        if message is None or message.channel != channel:
            raise SlackError("invalid_scheduled_message_id")
        message.timer.cancel()
        del self._waiting[scheduled_id]

    def waiting(self) -> list[Scheduled]:
        """The earliest first."""
        return sorted(self._waiting.values(), key=lambda message: message.post_at)

    def close(self) -> None:
        """Forget them all."""
        for message in self._waiting.values():
            message.timer.cancel()
        self._waiting.clear()
