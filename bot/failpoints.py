"""A point of a turn in, the death of this process out: how tests prove that nothing is lost or doubled by a crash.

The ports are wrapped only where TANDEM_FAILPOINT names a point, and nothing else knows of it:

    after_accept      the turn is stored, its event not yet acknowledged
    after_ack         acknowledged, not yet leased
    after_lease       leased, nothing of it shown
    before_opening    `opening` is stored, Slack not yet called
    after_opening     Slack has the message, its ts is not stored
    mid_stream        the model speaks
    after_delivering  the whole answer is in the mirror, the last update of Slack not made
    before_finish     the last update is made, the turn not closed
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from bot.conversation.mirror import Acceptance, Busy, Lease, Taken, TurnStore
from bot.conversation.models import Chunk, Prompt
from bot.conversation.ports import Model
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Turn
from bot.errors import ConfigError

log = logging.getLogger("tandem.failpoints")

Point = Literal[
    "after_accept",
    "after_ack",
    "after_lease",
    "before_opening",
    "after_opening",
    "mid_stream",
    "after_delivering",
    "before_finish",
]
POINTS: tuple[Point, ...] = get_args(Point)
EXIT_CODE = 137  # as of a process ended by SIGKILL
_UNTIL_ACKED_S = 0.5


def _die(code: int) -> None:
    os._exit(code)  # no cleanup whatever: that is the point


@dataclass(slots=True)
class Failpoint:
    """Ends the process the `left`-th time that it passes `point`."""

    point: Point
    left: int = 1
    die: Callable[[int], None] = _die

    @classmethod
    def parse(cls, words: str) -> "Failpoint":
        """`mid_stream` or `mid_stream:20`, the 20th time. Raises ConfigError."""
        name, colon, count = words.partition(":")
        if name not in POINTS or (colon and not (count.isdecimal() and int(count) > 0)):
            known = ", ".join(POINTS)
            raise ConfigError([f"TANDEM_FAILPOINT is {words!r} but should be one of {known}; `:n` may follow."])
        return cls(name, int(count or 1))

    def passed(self, point: Point) -> None:
        """Die here if it is time."""
        if point != self.point:
            return
        self.left -= 1
        if self.left == 0:
            log.error("failpoint", extra={"point": point})
            self.die(EXIT_CODE)


def failing_turns(turns: TurnStore, failpoint: Failpoint) -> TurnStore:
    """The store, and the failpoint between its calls."""
    return cast(TurnStore, _Turns(turns, failpoint))


def failing_models(models: Mapping[str, Model], failpoint: Failpoint) -> dict[str, Model]:
    """The models, and the failpoint at each piece of text; they share its count."""
    return {id_: cast(Model, _Speaking(model, failpoint)) for id_, model in models.items()}


class _Turns:
    def __init__(self, turns: TurnStore, failpoint: Failpoint) -> None:
        self._turns = turns
        self._failpoint = failpoint
        self._accepted: set[ThreadKey] = set()
        self._shown: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turns, name)

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        acceptance = await self._turns.accept(turn, question, client_msg_id=client_msg_id)
        if acceptance == "new":
            self._accepted.add(turn.thread)
            self._failpoint.passed("after_accept")
        return acceptance

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        if thread in self._accepted and self._failpoint.point == "after_ack":
            await asyncio.sleep(_UNTIL_ACKED_S)
            self._failpoint.passed("after_ack")
        taken = await self._turns.take(thread, owner, lease_s)
        if isinstance(taken, Taken):
            self._failpoint.passed("after_lease")
        return taken

    async def save(self, lease: Lease, turn: Turn, **more: Any) -> Lease:
        if turn.parts and turn.id not in self._shown:
            self._shown.add(turn.id)
            self._failpoint.passed("after_opening")
        if not turn.open:
            self._failpoint.passed("before_finish")
        saved = await self._turns.save(lease, turn, **more)
        if turn.state == "opening" and not turn.parts:
            self._failpoint.passed("before_opening")
        if turn.state == "delivering":
            self._failpoint.passed("after_delivering")
        return saved


class _Speaking:
    def __init__(self, model: Model, failpoint: Failpoint) -> None:
        self._model = model
        self._failpoint = failpoint

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        async with aclosing(self._model.stream(prompt)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    self._failpoint.passed("mid_stream")
                yield chunk
