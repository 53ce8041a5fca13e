"""What a reply is about to do and has done in, the turn as a store would hold it out."""

from dataclasses import replace

from bot.conversation.turn import Part, Turn
from bot.errors import LeaseLost


class MemoryJournal:
    """A Journal in memory. `lost` takes the lease away; `notes` tells what was stored in which order."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.lost = False
        self.notes: list[str] = []

    @property
    def turn(self) -> Turn:
        """The turn as last saved."""
        return self._turn

    def assert_ours(self) -> None:
        """Raise LeaseLost once the lease was taken away."""
        if self.lost:
            raise LeaseLost(self._turn.id)

    async def opening(self) -> None:
        """Store that a message is about to be posted."""
        self.assert_ours()
        self.notes.append("opening")
        self._turn = replace(self._turn, state="opening")

    async def opened(self, part: Part) -> None:
        """Store the message that was posted."""
        self.assert_ours()
        self.notes.append(f"opened {part.mode}")
        self._turn = replace(self._turn, parts=(*self._turn.parts, part))
