"""A taken turn in, the messages its prompt is made of out: from the mirror, backfilled once, its speakers named."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.conversation.hold import Hold
from bot.conversation.mirror import ThreadStore
from bot.conversation.models import ModelEntry
from bot.conversation.ports import Archive, Directory
from bot.conversation.prompt import Reach
from bot.conversation.thread import Message
from bot.conversation.turn import Turn
from bot.errors import SlackError

log = logging.getLogger("tandem.recall")


@dataclass(frozen=True, slots=True)
class Span:
    """Which of a thread's messages a model's prompt needs."""

    since_ts: str
    limit: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """Messages asked for before it was known which are needed."""

    span: Span
    messages: asyncio.Task[Sequence[Message]]


class Recall:
    """What the bot remembers of a thread."""

    def __init__(self, threads: ThreadStore, archive: Archive, directory: Directory) -> None:
        self._threads = threads
        self._archive = archive
        self._directory = directory

    @contextmanager
    def ahead(self, hold: Hold, entry: ModelEntry) -> Iterator[Ahead | None]:
        """Ask for the messages that this model would need, while the store is asked who shall answer.

        None where they are not all in the mirror yet, or the answer is there already.
        """
        if not hold.thread.backfilled or hold.turn.state == "delivering":
            yield None
            return
        span = _span(hold, entry)

        async def read() -> Sequence[Message]:
            await asyncio.sleep(0)  # who shall answer is asked first: people wait for a sign
            return await self._read(hold, span)

        reading = asyncio.create_task(read(), name=f"ahead {hold.turn.id}")
        try:
            yield Ahead(span, reading)
        finally:
            reading.cancel()
            reading.add_done_callback(_heard)

    async def messages(
        self, hold: Hold, entry: ModelEntry, ahead: Ahead | None = None
    ) -> tuple[Sequence[Message], Reach]:
        """The messages from the model's last cut on, oldest first, and how far back they reach.

        One more than the budget and the question is read, to know. The question is among them however old it is, unless
        it was deleted. Names that were looked up go into the mirror with the next save.
        """
        if not hold.thread.backfilled:
            await self._backfill(hold, entry.history_messages)
        span = _span(hold, entry)
        messages = await (ahead.messages if ahead and ahead.span == span else self._read(hold, span))
        reach: Reach = "part" if len(messages) == span.limit else "cut" if span.since_ts else "all"
        if reach != "all" and not any(message.ts == hold.turn.question_ts for message in messages):
            asked = await self._threads.message(hold.thread.key, hold.turn.question_ts)
            messages = [asked, *messages] if asked else messages
        if hold.turn.place == "channel":
            messages = await self._named(hold, messages)
        return messages, reach

    async def message(self, turn: Turn, ts: str) -> Message | None:
        """What was said then in the turn's thread, if it still stands there."""
        return await self._threads.message(turn.thread, ts)

    async def answer_of(self, turn: Turn) -> Message | None:
        """The answer that the mirror holds for this turn."""
        return await self._threads.message(turn.thread, turn.parts[0].ts) if turn.parts else None

    async def _read(self, hold: Hold, span: Span) -> Sequence[Message]:
        return await self._threads.messages(hold.thread.key, since_ts=span.since_ts, limit=span.limit)

    async def _backfill(self, hold: Hold, newest: int) -> None:
        """What was said before the bot joined. Slack's refusal costs the model that knowledge, not the answer."""
        try:
            said = await self._archive.history(hold.thread, before_ts=hold.turn.question_ts, newest=newest)
        except SlackError as error:
            log.warning("backfill failed", extra={"thread_key": str(hold.thread.key), "code": error.code})
            return
        await self._threads.backfill(hold.thread.key, said)

    async def _named(self, hold: Hold, messages: Sequence[Message]) -> Sequence[Message]:
        nameless = {m.user_id for m in messages if m.role == "user" and not m.name and m.user_id}
        if not nameless:
            return messages
        names = {user_id: await self._name(hold.turn.team_id, user_id) for user_id in sorted(nameless)}
        named = [replace(m, name=names[m.user_id]) if m.role == "user" and not m.name else m for m in messages]
        hold.note(names={new.ts: new.name for old, new in zip(messages, named, strict=True) if new.name != old.name})
        return named

    async def _name(self, team_id: str, user_id: str) -> str:
        try:
            return (await self._directory.person(team_id, user_id)).name
        except SlackError as error:
            log.warning("no name", extra={"user": user_id, "code": error.code})
            return ""


def _span(hold: Hold, entry: ModelEntry) -> Span:
    return Span(hold.thread.cuts.get(entry.id, ""), entry.history_messages + 2)


def _heard(reading: asyncio.Task[Sequence[Message]]) -> None:
    """Whoever wanted the messages has met the error; where nobody did, it is none."""
    if not reading.cancelled():
        reading.exception()
