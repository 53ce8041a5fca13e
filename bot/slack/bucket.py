"""One of Slack's rates as a token bucket: the time in, how long to wait out."""

from dataclasses import dataclass, field

BURST_SHARE = 0.5  # of a minute's calls may leave at once; as many may be reserved beside them
STEADY_SHARE = 0.95  # of the rate after that: a little less than Slack refills, so that clocks may differ
STEPS_LEAVE = 0.3  # of the burst is not for steps: a final text must not wait for the next refill
SHRINK = 0.7  # of the rate is left after a 429
LEAST_SHARE = 0.05  # of the rate is always left
RECOVERY_PER_S = 0.1 / 60  # of the full rate: from the floor back to all in under ten minutes


@dataclass(slots=True)
class Bucket:
    """A rate in calls per minute; `None` lets everything through but the time after a 429."""

    per_minute: float | None
    burst: float | None = None  # calls at once; None = a share of the minute's
    siblings: int = 1
    reserved: int = field(init=False, default=0)  # permits taken for calls that are still to come
    _tokens: float = field(init=False, default=0.0)
    _share: float = field(init=False, default=1.0)  # what 429s have left of the rate
    _at: float | None = field(init=False, default=None)
    _blocked_until: float = field(init=False, default=0.0)

    @property
    def capacity(self) -> float:
        """How many calls may leave at once."""
        if self.per_minute is None:
            return float("inf")
        whole = self.burst if self.burst is not None else self.per_minute * BURST_SHARE
        return max(1.0, whole * self._share / self.siblings)

    @property
    def _per_s(self) -> float:
        return max((self.per_minute or 0.0) * STEADY_SHARE * self._share / self.siblings / 60, 1e-3)

    def _refill(self, now: float) -> None:
        if self._at is None:
            self._tokens, self._at = self.capacity, now
        elapsed, self._at = max(0.0, now - self._at), max(now, self._at)
        self._share = min(1.0, self._share + elapsed * RECOVERY_PER_S)
        self._tokens = min(self.capacity, self._tokens + elapsed * self._per_s)

    def wait_s(self, now: float, *, step: bool = False) -> float:
        """Seconds until a call may leave; 0 = now."""
        blocked = max(0.0, self._blocked_until - now)
        if self.per_minute is None:
            return blocked
        self._refill(now)
        wanted = 1.0 + (STEPS_LEAVE * (self.capacity - 1.0) if step else 0.0)
        missing = wanted - self._tokens
        return max(blocked, missing / self._per_s if missing > 1e-9 else 0.0)

    def blocked(self, now: float) -> bool:
        """Whether a 429 forbids every call now, reserved ones too."""
        return self._blocked_until > now

    def take(self, now: float) -> None:
        """Count a call that leaves now; a reserved one may leave the bucket in debt."""
        if self.per_minute is not None:
            self._refill(now)
            self._tokens -= 1.0

    def give_back(self) -> None:
        """Undo a `take` whose call never left."""
        if self.per_minute is not None:
            self._tokens = min(self.capacity, self._tokens + 1.0)

    def queue_s(self, waiting: int) -> float:
        """About how long `waiting` callers keep it busy."""
        return waiting / self._per_s if self.per_minute is not None else 0.0

    def spare(self, now: float) -> float:
        """How many calls could leave at once; below 0 while a 429 holds."""
        if self.blocked(now):
            return -1.0
        if self.per_minute is None:
            return float("inf")
        self._refill(now)
        return self._tokens

    def may_reserve(self, now: float, calls: int, *, keep: float) -> bool:
        """Whether `calls` permits can be set aside, with the share `keep` of the burst left for others.

        What is reserved and what may leave at once is together no more than Slack lets through at once.
        """
        if self.per_minute is None:
            return not self.blocked(now)
        beside = max(1.0, self.per_minute * self._share * (1 - BURST_SHARE) / self.siblings)
        return self.reserved + calls <= beside and self.spare(now) - calls >= keep * self.capacity

    def refused(self, now: float, retry_after_s: float) -> None:
        """Slack answered 429: nothing leaves for so long, and less than before from then on."""
        self._blocked_until = max(self._blocked_until, now + retry_after_s)
        if self.per_minute is not None:
            self._refill(now)
            self._share = max(LEAST_SHARE, self._share * SHRINK)
            self._tokens = min(self._tokens, 0.0)
