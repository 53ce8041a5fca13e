"""A taken turn in, the messages its prompt is made of out: from the mirror, backfilled once, its speakers named."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.conversation.hold import Hold
from bot.conversation.mirror import ThreadStore
from bot.conversation.models import ModelEntry
from bot.conversation.ports import Archive, Directory
from bot.conversation.prompt import Reach
from bot.conversation.thread import Message
from bot.conversation.turn import Turn
from bot.errors import SlackError

log = logging.getLogger("tandem.recall")


class Recall:
    """What the bot remembers of a thread."""

    def __init__(self, threads: ThreadStore, archive: Archive, directory: Directory) -> None:
        self._threads = threads
        self._archive = archive
        self._directory = directory

    async def messages(self, hold: Hold, entry: ModelEntry) -> tuple[Sequence[Message], Reach]:
        """The messages from the model's last cut on, oldest first, and how far back they reach.

        One more than the budget and the question is read, to know. The question is among them however old it is, unless
        it was deleted. Names that were looked up go into the mirror with the next save.
        """
        if not hold.thread.backfilled:
            await self._backfill(hold, entry.history_messages)
        since_ts = hold.thread.cuts.get(entry.id, "")
        limit = entry.history_messages + 2
        messages = await self._threads.messages(hold.thread.key, since_ts=since_ts, limit=limit)
        reach: Reach = "part" if len(messages) == limit else "cut" if since_ts else "all"
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
