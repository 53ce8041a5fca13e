"""Replies into a list: what people would see of each turn, kept in memory and strict about the order of calls."""

import asyncio
from dataclasses import dataclass, field

from bot.conversation.ports import Ending, Journal
from bot.conversation.turn import Part, ReplyMode, Turn
from bot.errors import SlackError


@dataclass
class Shown:
    """One turn as people see it."""

    turn_id: str
    text: str = ""
    ending: Ending | None = None
    status: bool = True  # "Working…" is shown


@dataclass
class Transcript:
    """A place where answers are shown. `…_errors` are raised by the next openings and last updates."""

    shown: list[Shown] = field(default_factory=list)
    notices: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    open_errors: list[SlackError] = field(default_factory=list)
    end_errors: list[Exception] = field(default_factory=list)
    modes: list[ReplyMode] = field(default_factory=list)

    async def begin(self, journal: Journal, mode: ReplyMode) -> "TranscriptReply":
        """Start a reply; a taken-over turn goes on in its own entry."""
        self.modes.append(mode)
        known = [each for each in self.shown if each.turn_id == journal.turn.id and journal.turn.parts]
        if not known:
            known = [Shown(journal.turn.id)]
            self.shown += known
        known[0].status = True
        return TranscriptReply(self, journal, known[0])

    async def notice(self, turn: Turn, code: str, **facts: str) -> None:
        """Remember it."""
        self.notices.append((turn.id, code, facts))


class TranscriptReply:
    """One reply; it shows what was pushed when it is opened and when it ends."""

    def __init__(self, transcript: Transcript, journal: Journal, shown: Shown) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transcript = transcript
        self._journal = journal
        self._shown = shown
        self._pushed = ""

    def push(self, text: str) -> None:
        """Add text."""
        self._pushed += text

    async def open(self, ending: Ending | None = None) -> None:
        """Make the turn's message, once."""
        if not self._journal.turn.parts:
            await self._journal.opening()
            self._journal.assert_ours()
            if self._transcript.open_errors:
                raise self._transcript.open_errors.pop(0)
            ts = f"{self._journal.turn.question_ts[:-4]}{9000 + len(self._transcript.shown):04d}"
            await self._journal.opened(Part(ts, "edit"))

    async def end(self, ending: Ending) -> None:
        """Show all of it, and how it ended."""
        if ending.kind != "withdrawn":
            await self.open()
        self._journal.assert_ours()
        self._shown.status = False
        if self._transcript.end_errors:
            raise self._transcript.end_errors.pop(0)
        self._shown.text = self._pushed
        self._shown.ending = ending

    def abandon(self) -> None:
        """Nothing runs in the background."""
