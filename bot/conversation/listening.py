"""A model's stream in, its text pushed to a reply and kept; whatever interrupts it closes the stream at once."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.conversation.arrival import Deletion, Stop
from bot.conversation.hold import Hold
from bot.conversation.models import Chunk, Prompt
from bot.conversation.ports import Model, Reply
from bot.errors import LeaseLost

T = TypeVar("T")


class Interrupted(Exception):
    """Somebody stopped the turn, or deleted its question or its growing answer."""

    def __init__(self, by: Stop | Deletion) -> None:
        super().__init__(type(by).__name__)
        self.by = by


@dataclass(slots=True)
class Heard:
    """What a model has said so far."""

    pieces: list[str] = field(default_factory=list)
    last: Chunk | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


async def listen(model: Model, prompt: Prompt, reply: Reply, heard: Heard) -> None:
    """Ask, and pass on what comes; raises the model's errors, with `heard` holding what came before them."""
    async with aclosing(model.stream(prompt)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                heard.pieces.append(chunk.text)
                reply.push(chunk.text)
            if chunk.finish:
                heard.last = chunk


async def unless_interrupted(hold: Hold, reply: Reply, work: Coroutine[None, None, T]) -> T:
    """The work's result, or as soon as something interrupts it: Interrupted, LeaseLost, or what ails the reply."""
    if hold.stopped.done():  # before it began: however quick the work is, it is not wanted
        work.close()
        raise Interrupted(hold.stopped.result())
    task = asyncio.create_task(work)
    try:
        ends: list[asyncio.Future[Any]] = [task, hold.stopped, hold.lost, reply.lost]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if hold.stopped.done():
            raise Interrupted(hold.stopped.result())
        if hold.lost.done():
            raise LeaseLost(f"turn {hold.turn.id} was taken over")
        reply.lost.result()
        raise LeaseLost(f"turn {hold.turn.id}: the reply cannot go on")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
