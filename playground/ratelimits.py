"""Calls in, Slack's 429 out: one token bucket per method, and per channel for posts."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playground.trouble import Trouble

Tier = Literal["1", "2", "3", "4", "post", "special"]

PER_MINUTE: dict[Tier, float] = {
    "1": 1,
    "2": 20,
    "3": 50,
    "4": 100,
    "special": 600,
}  # docs.slack.dev/apis/web-api/rate-limits
POST_BURST = 5  # chat.postMessage: short bursts, then one a second per channel
POST_PER_S = 1.0
_ROUNDING = 1e-9  # who waits exactly as long as they were told gets through


@dataclass(slots=True)
class Bucket:
    """A token bucket that is full at first and refills evenly."""

    capacity: float
    per_s: float
    tokens: float
    filled_at: float

    def take(self, now: float) -> float:
        """Take one token; 0.0, or the seconds until there is one."""
        self.tokens = min(self.capacity, self.tokens + (now - self.filled_at) * self.per_s)
        self.filled_at = now
        if self.tokens >= 1 - _ROUNDING:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_s


class RateLimits:
    """One app in one workspace, as limited as Slack documents it. Off unless switched on."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._buckets: dict[tuple[str, str, float], Bucket] = {}
        self.now: Callable[[], float] = time.monotonic

    def retry_after(self, method: str, tier: Tier, channel: str) -> int:
        """0 when the call may pass, else the whole seconds to wait."""
        if self._trouble.rate_limits == "off":
            return 0
        scale = self._trouble.scale.get(tier, self._trouble.scale.get("*", 1.0))
        if tier == "post":
            key, capacity, per_s = channel, POST_BURST * scale, POST_PER_S * scale
        else:
            key, capacity, per_s = "", PER_MINUTE[tier] * scale, PER_MINUTE[tier] * scale / 60
        now = self.now()
        capacity = max(1.0, capacity)
        bucket = self._buckets.setdefault((method, key, scale), Bucket(capacity, per_s, capacity, now))
        return math.ceil(bucket.take(now))

    def forget(self) -> None:
        """Fill all buckets."""
        self._buckets.clear()
