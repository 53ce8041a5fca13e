"""What is seen of a Socket Mode connection in, what ails it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Ailment = Literal["well", "down", "mute", "stuck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long what may take, in seconds."""

    tick_s: float = 1.0  # between two looks
    ping_s: float = 10.0  # an unanswered ping closes the socket half as long after
    hello_s: float = 10.0  # from the handshake to Slack's first word
    quiet_s: float = 120.0  # without any frame: pings may be answered where events no longer come from. Slack's last
    # try of an event comes six minutes after its first, so that what went to such a connection still comes again
    stuck_s: float = 45.0  # down for so long: the client itself is wedged
    unhealthy_s: float = 120.0  # down for so long though Slack answers: the process is of no use
    unreachable_s: float = 900.0  # the same while Slack is away: a new process could not reach it either
    close_s: float = 5.0


class Health:
    """One connection's signs of life. Times by the monotonic clock."""

    def __init__(self, timing: Timing, monotonic: Callable[[], float]) -> None:
        self._timing = timing
        self._now = monotonic
        self._well_at = self._healing_since = self._quiet_since = monotonic()
        self._session: object = None
        self._greeted: object = None
        self._hello_at = 0.0  # counts until the next look: a socket that is dropped after its hello is not well

    @property
    def connected(self) -> bool:
        """Whether all was well at the last look, or Slack has said hello since."""
        well_at = max(self._well_at, self._hello_at)
        return self._greeted is not None and self._now() - well_at <= 3 * self._timing.tick_s

    def problem(self, *, slack_answers: bool = True) -> str:
        """A sentence once it has been down for too long."""
        down_s = self._now() - self._well_at
        most_s = self._timing.unhealthy_s if slack_answers else self._timing.unreachable_s
        return f"no connection to Slack for {down_s:.0f} s" if down_s > most_s else ""

    def heard(self, session: object, *, is_hello: bool) -> None:
        """A frame came."""
        self._quiet_since = self._now()
        if is_hello:
            self._greeted, self._hello_at = session, self._quiet_since

    def look(self, session: object, *, is_up: bool, is_pacing: bool = False) -> Ailment:
        """What ails the connection now. "mute" and "stuck" are said once: whoever hears it opens another.

        A client that keeps to Slack's pace before it opens one is not stuck.
        """
        now, self._hello_at = self._now(), 0.0
        if session is not self._session:
            self._session, self._quiet_since = session, now
        if is_up and session is not None:
            return self._look_at_open(session, now)
        if is_pacing:
            self._healing_since = now
        if now - max(self._well_at, self._healing_since) > self._timing.stuck_s:
            self._healing_since = now
            return "stuck"
        return "down"

    def _look_at_open(self, session: object, now: float) -> Ailment:
        greeted = session is self._greeted
        if now - self._quiet_since > (self._timing.quiet_s if greeted else self._timing.hello_s):
            self._quiet_since = now
            return "mute"
        if greeted:
            self._well_at = now
        return "well"
