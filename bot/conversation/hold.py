"""One taken turn: fenced writes in, one after another, and a clear word as soon as the thread is no longer ours."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.conversation.arrival import Deletion, Stop
from bot.conversation.mirror import Taken, TurnStore
from bot.conversation.thread import Message, Thread
from bot.conversation.turn import Part, Turn, TurnState
from bot.errors import LeaseLost, StoreUnavailable


class Hold:
    """A turn under its lease. The journal that replies write, and the heartbeat's subject.

    A fence cannot stop a call to Slack. So nothing may be sent once the last renewal is two thirds of a lease old, by
    the monotonic clock: by then no other process can have taken over. `asked_at` is when the lease was asked for: the
    store may have given it any time since.
    """

    def __init__(
        self, turns: TurnStore, taken: Taken, lease_s: float, monotonic: Callable[[], float], *, asked_at: float
    ) -> None:
        self.thread: Thread = taken.thread
        self.stopped: asyncio.Future[Stop | Deletion] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns = turns
        self._turn = taken.turn
        self._stored_parts = taken.turn.parts
        self._lease = taken.lease
        self._lease_s = lease_s
        self._monotonic = monotonic
        self._renewed_at = asked_at
        self._writing = asyncio.Lock()
        self._released = False
        self._cut: tuple[str, str] | None = None
        self._names: dict[str, str] = {}

    @property
    def turn(self) -> Turn:
        """The turn as last saved, with all parts that were posted."""
        return self._turn

    def assert_ours(self) -> None:
        """Raise LeaseLost unless this process surely still holds the thread."""
        if self.lost.done() or self._released or self._age() > self._lease_s * 2 / 3:
            self._lose()
            raise LeaseLost(f"turn {self._turn.id}: the lease was last renewed {self._age():.1f} s ago")

    def note(self, *, cut: tuple[str, str] | None = None, names: Mapping[str, str] | None = None) -> None:
        """Facts that go into the mirror with the next save."""
        self._cut = cut or self._cut
        self._names.update(names or {})

    def name_model(self, model_id: str) -> None:
        """Who answers; stored with the next save."""
        self._turn = replace(self._turn, model_id=model_id)

    async def opening(self) -> None:
        """Store that a Slack message is about to be posted."""
        await self._save(state="opening")

    async def opened(self, part: Part) -> None:
        """Note the Slack message that was posted; it is stored with the next heartbeat or write.

        Until then a taker finds it by its mark, as it does where this process dies before it hears of the message.
        """
        self._turn = replace(self._turn, parts=(*self._turn.parts, part))

    async def deliver(self, answer: Message, ending: TurnState) -> None:
        """Store the whole answer; only its last update in Slack is missing now."""
        await self._save(answer=answer, state="delivering", ending=ending)

    async def close(self, state: TurnState, answer: Message | None = None) -> None:
        """Store how the turn ended, and give the thread up."""
        await self._save(answer=answer, release=True, state=state, ending="")
        self._released = True

    async def _save(self, *, answer: Message | None = None, release: bool = False, **changes: Any) -> None:
        """One fenced write of the turn with these fields changed; raises LeaseLost and StoreUnavailable."""
        async with self._writing:
            await self._write(replace(self._turn, **changes), answer, release=release)
            self._turn = replace(self._turn, **changes)  # a part may have been posted, or a model named, meanwhile

    async def _write(self, turn: Turn, answer: Message | None = None, *, release: bool = False) -> None:
        started, cut, names = self._monotonic(), self._cut, self._names
        self._cut, self._names = None, {}  # what is noted from now on goes with the next write
        try:
            self._lease = await self._turns.save(
                self._lease, turn, answer=answer, cut=cut, names=names or None, release=release
            )
        except LeaseLost:
            self._lose()
            raise
        except BaseException:
            self._cut, self._names = self._cut or cut, names | self._names
            raise
        self._renewed_at, self._stored_parts = started, turn.parts

    async def release(self, *, unspent: bool = False) -> None:
        """Give the thread up with its turn still open; `unspent` gives the attempt back too.

        A turn of which nothing was sent waits again, so that a stop may still withdraw it.
        """
        if self._released or self.lost.done():
            return
        self._released = True
        async with self._writing:
            turn = self._turn
            state: TurnState = "waiting" if turn.state == "running" else turn.state
            left = replace(turn, state=state, attempts=turn.attempts - unspent)
            await self._turns.release(self._lease, left)

    async def beat(self) -> None:
        """Renew the lease every third of it until it is given up or lost."""
        while not self._released:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self._renew()
            except LeaseLost:
                self._lose()
                return
            except StoreUnavailable:
                if self._age() > self._lease_s * 2 / 3:
                    self._lose()
                    return

    async def _renew(self) -> None:
        async with self._writing:
            if self._released:
                return
            if self._turn.parts != self._stored_parts:
                await self._write(self._turn)
                return
            started = self._monotonic()
            self._lease = await self._turns.renew(self._lease)
            self._renewed_at = started

    def _age(self) -> float:
        return self._monotonic() - self._renewed_at

    def _lose(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
