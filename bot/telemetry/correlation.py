"""A turn's id in, the ids of its trace out: the same in every process, so that a turn taken over stays one trace.

Nothing of a trace has to be stored for that: whoever knows the turn's id knows the ids of the trace and of its root.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b

from bot.conversation.hold import Hold
from bot.conversation.worker import Answers


@dataclass(frozen=True, slots=True)
class Point:
    """Where in a trace something happens, in hexadecimal; without a `span_id` where no spans are sent anywhere."""

    trace_id: str
    span_id: str = ""


HERE: ContextVar[Point | None] = ContextVar("tandem_trace_point", default=None)


def trace_id(turn_id: str) -> str:
    """The trace of a turn: 16 bytes."""
    return blake2b(turn_id.encode(), digest_size=16, person=b"tandem trace").hexdigest()


def root_span_id(turn_id: str) -> str:
    """The span in which the turn was accepted: 8 bytes."""
    return blake2b(turn_id.encode(), digest_size=8, person=b"tandem root").hexdigest()


class CorrelatedAnswers:
    """Whatever is logged while a turn is answered belongs to its trace."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def answer(self, hold: Hold) -> None:
        """See `Answers.answer`."""
        before = HERE.set(Point(trace_id(hold.turn.id)))
        try:
            await self._answers.answer(hold)
        finally:
            HERE.reset(before)
