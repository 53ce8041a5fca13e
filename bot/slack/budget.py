"""Who may call Slack next: every caller in, one permit at a time out, so that Slack's limits hold for all together."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.slack.bucket import Bucket
from bot.slack.limits import DOCUMENTED, POSTS_PER_CHANNEL_BURST, POSTS_PER_CHANNEL_PER_MINUTE

# "final": the last text of an answer; "open": its first; "step": one in between; "read": people and threads
Urgency = Literal["final", "open", "read", "step"]
_RANK: Mapping[Urgency, int] = {"final": 0, "open": 1, "read": 1, "step": 2}
_POST = "chat.postMessage"
_CHANNELS_KEPT = 1_000


@dataclass(order=True, slots=True)
class _Waiter:
    rank: int
    since: float  # among steps: when the reply was last written to, so that the longest wait goes first
    number: int
    channel_id: str = field(compare=False)
    permit: asyncio.Future[None] = field(compare=False)


@dataclass(slots=True)
class _Line:
    """The callers of one method in one team."""

    bucket: Bucket
    waiters: list[_Waiter] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Reservation:
    """The right to one later call, taken out of the budget beforehand."""

    def __init__(self, bucket: Bucket, clock: Callable[[], float]) -> None:
        self._bucket: Bucket | None = bucket
        self._clock = clock
        bucket.reserved += 1

    def give_back(self) -> None:
        """Say that the call will not be made."""
        bucket, self._bucket = self._bucket, None
        if bucket is not None:
            bucket.reserved -= 1
            bucket.give_back()

    def use(self) -> bool:
        """Make the call now; False, and the right is gone, where a 429 forbids it or it was used before."""
        bucket = self._bucket
        if bucket is None or bucket.blocked(self._clock()):
            self.give_back()
            return False
        bucket.reserved -= 1
        self._bucket = None
        return True


class Budget:
    """Permits for Slack's methods, per team.

    `per_minute` names each method's calls a minute (a method without a line is not limited); None switches all limits
    off. A 429 is obeyed in any case. `clock` is monotonic seconds; the default is the running loop's.
    """

    def __init__(
        self, per_minute: Mapping[str, float] | None = DOCUMENTED, *, clock: Callable[[], float] | None = None
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._lines: dict[tuple[str, str], _Line] = {}
        self._channels: dict[str, Bucket] = {}
        self._siblings = 1
        self._numbers = itertools.count()

    def set_siblings(self, count: int) -> None:
        """Share the limits with `count` processes, this one included."""
        self._siblings = max(1, count)
        for line in self._lines.values():
            line.bucket.siblings = self._siblings

    async def acquire(
        self, method: str, *, team_id: str, channel_id: str = "", urgency: Urgency = "final", since: float | None = None
    ) -> None:
        """Wait until `method` may be called; cancel it to give up. `since` orders callers of one urgency."""
        line = self._line(team_id, method)
        asked = self._clock() if since is None else since
        permit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(_RANK[urgency], asked, next(self._numbers), channel_id, permit)
        line.waiters.append(waiter)
        self._serve(line, method)
        try:
            await permit
        except asyncio.CancelledError:
            if waiter in line.waiters:
                line.waiters.remove(waiter)
            elif permit.done() and not permit.cancelled():
                self._hand_back(line, method, channel_id)
            raise

    def reserve(self, method: str, *, team_id: str, calls: int = 1, keep: float = 0.0) -> list[Reservation] | None:
        """Set `calls` permits aside, or none at all where that would eat into the last `keep` of the burst."""
        line = self._line(team_id, method)
        now = self._clock()
        if line.waiters or not line.bucket.may_reserve(now, calls, keep=keep):
            return None
        for _ in range(calls):
            line.bucket.take(now)
        return [Reservation(line.bucket, self._clock) for _ in range(calls)]

    def refused(self, method: str, *, team_id: str, retry_after_s: float) -> None:
        """Slack answered 429."""
        line = self._line(team_id, method)
        line.bucket.refused(self._clock(), retry_after_s)
        self._serve(line, method)

    def wait_s(self, method: str, *, team_id: str) -> float:
        """About how long a caller would wait that asks now, behind those who wait already."""
        line = self._line(team_id, method)
        return line.bucket.wait_s(self._clock()) + line.bucket.queue_s(len(line.waiters))

    def _line(self, team_id: str, method: str) -> _Line:
        line = self._lines.get((team_id, method))
        if line is None:
            rate = self._per_minute.get(method) if self._per_minute is not None else None
            line = self._lines[team_id, method] = _Line(Bucket(rate, siblings=self._siblings))
        return line

    def _channel(self, method: str, channel_id: str) -> Bucket | None:
        if self._per_minute is None or method != _POST or not channel_id or method not in self._per_minute:
            return None
        bucket = self._channels.pop(channel_id, None) or Bucket(POSTS_PER_CHANNEL_PER_MINUTE, POSTS_PER_CHANNEL_BURST)
        bucket.siblings = self._siblings
        self._channels[channel_id] = bucket  # the freshest last
        if len(self._channels) > _CHANNELS_KEPT:
            self._channels.pop(next(iter(self._channels)))
        return bucket

    def _serve(self, line: _Line, method: str) -> None:
        """Hand out what may leave now, and come back when the next may."""
        if line.timer is not None:
            line.timer.cancel()
            line.timer = None
        now = self._clock()
        line.waiters.sort()
        soonest = float("inf")
        for waiter in tuple(line.waiters):
            wait_s = self._wait_s(line, method, waiter, now)
            if wait_s <= 0:
                self._grant(line, method, waiter, now)
                continue
            soonest = min(soonest, wait_s)
            if line.bucket.spare(now) < 1:
                break  # nobody behind it may leave either
        if line.waiters and soonest < float("inf"):
            line.timer = asyncio.get_running_loop().call_later(max(soonest, 0.001), self._serve, line, method)

    def _wait_s(self, line: _Line, method: str, waiter: _Waiter, now: float) -> float:
        wait_s = line.bucket.wait_s(now, step=waiter.rank == _RANK["step"])
        channel = self._channel(method, waiter.channel_id)
        return max(wait_s, channel.wait_s(now)) if channel is not None else wait_s

    def _grant(self, line: _Line, method: str, waiter: _Waiter, now: float) -> None:
        line.waiters.remove(waiter)
        line.bucket.take(now)
        channel = self._channel(method, waiter.channel_id)
        if channel is not None:
            channel.take(now)
        if not waiter.permit.done():
            waiter.permit.set_result(None)

    def _hand_back(self, line: _Line, method: str, channel_id: str) -> None:
        line.bucket.give_back()
        channel = self._channel(method, channel_id)
        if channel is not None:
            channel.give_back()
        self._serve(line, method)
