"""What arrives in, a record of it out: an Intake that keeps what it accepts, once, and can lose its store."""

import asyncio
from dataclasses import dataclass, field

from bot.conversation.arrival import Arrival, Deletion, Edit, Outcome, Stop
from bot.conversation.turn import turn_id
from bot.errors import StoreUnavailable


@dataclass
class RecordingIntake:
    """Keeps turns by their key, as the core does. `failures` calls fail first; each takes `takes_s`."""

    failures: int = 0
    takes_s: float = 0.0
    arrivals: list[Arrival] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    retries: list[tuple[str, int, str]] = field(default_factory=list)
    turns: dict[str, str] = field(default_factory=dict)  # turn id -> text
    lost: list[str] = field(default_factory=list)  # the ts of what could not be stored
    calls: int = 0

    def missed(self, ts: str) -> None:
        """Kept."""
        self.lost.append(ts)

    async def message(self, arrival: Arrival) -> Outcome:
        """Turns for what is addressed to the bot."""
        await self._store()
        self.arrivals.append(arrival)
        if arrival.sender != "person" or not (arrival.place == "dm" or arrival.mentions_us):
            return Outcome("ignored", arrival.sender)
        key = turn_id(arrival.message.thread.channel_id, arrival.message.ts)
        known = key in self.turns
        self.turns.setdefault(key, arrival.message.text)
        return Outcome("accepted", "known" if known else "new", key)

    async def edited(self, edit: Edit) -> Outcome:
        """Kept."""
        await self._store()
        self.edits.append(edit)
        return Outcome("mirrored", "edit")

    async def deleted(self, deletion: Deletion) -> Outcome:
        """Kept."""
        await self._store()
        self.deletions.append(deletion)
        return Outcome("mirrored", "deletion")

    async def stop(self, stop: Stop) -> Outcome:
        """Kept."""
        await self._store()
        self.stops.append(stop)
        return Outcome("stopped", stopped=1)

    async def again(self, question_turn_id: str, retry: int, user_id: str) -> Outcome:
        """Kept, if the question is known."""
        await self._store()
        self.retries.append((question_turn_id, retry, user_id))
        if question_turn_id not in self.turns:
            return Outcome("ignored", "vanished_thread")
        return Outcome("accepted", "new", f"{question_turn_id}:{retry}")

    async def _store(self) -> None:
        self.calls += 1
        if self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable("the store is away")
        await asyncio.sleep(self.takes_s)
