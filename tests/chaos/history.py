"""What a run left behind, as plain facts: what was asked and said, what Slack and the store hold, what broke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]
Thread = tuple[str, str]  # channel, ts of its root


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. Its token is in its text, in every prompt for it, and first in every answer to it."""

    token: str
    thread: Thread
    ts: str
    acked_at: float | None  # epoch seconds of the first acknowledged delivery; None: Slack gave up

    @property
    def turn_id(self) -> str:
        """The key of the turn that it asks."""
        return f"{self.thread[0]}:{self.ts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a model was going to say when it was asked, and whether it came to the end."""

    token: str
    text: str
    at: float  # when it was asked, in epoch seconds
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A turn as the store holds it at the end."""

    state: str
    accepted_at: float  # when its acceptance began
    answer: str  # the mirror's raw text


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A process was killed or frozen while it ran these turns."""

    kind: str
    at: float
    turns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All of one run. `messages` holds each thread's messages but for people's, `calls` the Web API's record."""

    questions: Sequence[Question]
    said: Sequence[Said]
    messages: Mapping[Thread, Sequence[JSON]]
    calls: Sequence[JSON]
    turns: Mapping[str, Stored]
    closed: Sequence[str] = ()  # a turn's id each time that a process says it has ended it
    busy: Sequence[Thread] = ()  # threads that still show that somebody is at work
    losses: Sequence[Loss] = field(default=())
    outages: Sequence[tuple[float, float]] = ()  # from when to when there was no store
    exits: Sequence[int] = ()  # how processes that were asked to end did end
