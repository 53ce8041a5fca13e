"""The first text of a message in, the posted message out: exactly one, whatever becomes of the call that posts it."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.conversation.turn import Part, ReplyMode
from bot.errors import SlackError, SlackRejected, SlackUnavailable
from bot.slack.blocks import Block
from bot.slack.budget import Reservation
from bot.slack.marks import SlackMessage, is_marked, own_messages, part_of, shown_chars, turn_mark
from bot.slack.outlet import Outlet
from bot.slack.posted import Posted, Text, content
from bot.slack.refusals import BLOCKS_REFUSED, NO_SUCH_METHOD, NOWHERE

_log = logging.getLogger(__name__)
START = "chat.startStream"
STOP = "chat.stopStream"
UPDATE = "chat.update"
POST = "chat.postMessage"
STREAM_WAITS_AT_MOST_S = 3.0  # for a permit; a post shows the text sooner


class StreamlessTeams:
    """The teams whose Slack has no native streams, as learnt from its refusals."""

    def __init__(self) -> None:
        self._teams: set[str] = set()

    def __contains__(self, team_id: str) -> bool:
        return team_id in self._teams

    def add(self, team_id: str) -> None:
        """Do not ask this team's Slack again."""
        self._teams.add(team_id)


@dataclass(slots=True)
class Opening:
    """Posts a turn's messages, and finds those that may have been posted before."""

    outlet: Outlet
    bot_user_id: str
    streamless: StreamlessTeams
    settle_delays_s: Sequence[float]
    monotonic: Callable[[], float]
    epoch: Callable[[], float] = time.time
    _announced: int = field(default=-1)  # the number of the message that the journal expects

    async def begin(self, number: int, mode: ReplyMode, text: Text) -> Posted | None:
        """Post the turn's message `number` with a text that still grows, in `mode` or in the next one that Slack takes.

        None where the call that would end the message cannot be set aside now: under load answers come in one piece.
        """
        affordable, closing = self._affordable(mode)
        if affordable == "final":
            return None
        return await self._open(number, affordable, text, closing=closing)

    async def post(self, number: int, mode: ReplyMode, text: Text, under: Sequence[Block] = ()) -> Posted:
        """Post the turn's message `number` with all of its text, in `mode` or in the next one that Slack takes.

        With what stands `under` it only where no later call is set aside to show that.
        """
        affordable, closing = self._affordable(mode)
        return await self._open(number, affordable, text, under if affordable == "final" else (), closing=closing)

    async def _open(
        self,
        number: int,
        mode: ReplyMode,
        text: Text,
        under: Sequence[Block] = (),
        *,
        closing: Reservation | None,
    ) -> Posted:
        while True:
            if self._announced != number:
                await self.outlet.journal.opening()
                self._announced = number
            try:
                posted = await self._post(number, mode, text, under)
                posted.closing, closing = closing, None
                return posted
            except SlackUnavailable:
                found = await self.find(number, mode)
                if found is not None:
                    return found
            except SlackRejected as rejected:
                mode = self._next_mode(mode, rejected)
            finally:
                if closing is not None:
                    closing.give_back()
            mode, closing = self._affordable(mode)

    async def find(self, number: int, mode: ReplyMode) -> Posted | None:
        """The message that an unconfirmed call may have posted; looks for it until Slack must have it."""
        trouble: SlackError | None = None
        for delay_s in self.settle_delays_s:
            await asyncio.sleep(delay_s)
            try:
                messages = await self._own_messages()
                trouble = None
            except SlackError as error:
                trouble = error
                continue
            for message in messages:
                if self._is_unrecorded(message) and (self._may_be(message, number, mode)):
                    return await self.adopt(message, number)
        if trouble is not None:
            raise trouble
        return None

    async def adopt(self, message: SlackMessage, number: int) -> Posted:
        """Take a message of this turn, which the journal does not know, as its own."""
        native = not is_marked(message)  # a stream is marked when it stops
        posted = self._posted(number, str(message["ts"]), "native" if native else "edit", live=native)
        posted.marked = not native
        posted.least_chars, posted.inherited = shown_chars(message), message.get("blocks") or ()
        await posted.end_stream()  # what it shows is not known: it is rewritten, not appended to
        await self.outlet.journal.opened(Part(posted.ts, posted.mode, self.epoch()))
        return posted

    async def take_over(self) -> list[Posted]:
        """The messages of a turn that another process began: its streams stopped, what they show left as it is."""
        turn = self.outlet.journal.turn
        parts = [self._posted(n, part.ts, part.mode, live=part.mode == "native") for n, part in enumerate(turn.parts)]
        for part in parts:
            await part.end_stream()
        messages = await self._messages()
        for part in parts:
            known = messages.get(part.ts) if messages is not None else None
            part.least_chars = shown_chars(known) if known is not None else 1 << 30
            part.inherited = (known or {}).get("blocks") or ()
            part.marked = known is not None and is_marked(known)
        if turn.state == "opening":
            found = await self._unrecorded(messages or {}, len(parts))
            if found is None and not parts:
                found = await self.find(0, "native")
            if found is not None:
                parts.append(found)
        return parts

    async def read_back(self, parts: Sequence[Posted]) -> None:
        """Make good, once, what calls of an earlier owner did that reached Slack late. Slack's trouble is no error."""
        known = {part.ts: part for part in parts}
        try:
            for message in await self._own_messages():
                part = known.get(str(message["ts"]))
                if part is not None:
                    await part.correct(message)
                elif part_of(message, self.outlet.journal.turn.id) is not None or self._is_stray(message, parts):
                    native = not is_marked(message)
                    stray = self._posted(len(parts), str(message["ts"]), "native" if native else "edit", live=native)
                    await stray.delete()
        except SlackError as error:
            _log.warning("not read back", extra={"turn": self.outlet.journal.turn.id, "code": error.code})

    def _is_stray(self, message: SlackMessage, parts: Sequence[Posted]) -> bool:
        """A stream that shows without a mark: turns follow each other, so after our first message it is ours."""
        return bool(parts) and not is_marked(message) and str(message["ts"]) > parts[0].ts

    async def _unrecorded(self, messages: Mapping[str, SlackMessage], number: int) -> Posted | None:
        for message in messages.values():
            later = not self.outlet.journal.turn.parts or str(message["ts"]) > self.outlet.journal.turn.parts[0].ts
            if later and self._is_unrecorded(message) and self._may_be(message, number, "native"):
                return await self.adopt(message, number)
        return None

    async def _post(self, number: int, mode: ReplyMode, text: Text, under: Sequence[Block]) -> Posted:
        turn = self.outlet.journal.turn
        sent = ""

        def stream() -> dict[str, object]:
            nonlocal sent
            sent = text()
            return {
                "thread_ts": turn.thread.thread_ts,
                "recipient_user_id": turn.asker_id,
                "recipient_team_id": turn.asker_team_id or turn.team_id,
                "chunks": [{"type": "markdown_text", "text": sent}],
            }

        def post() -> dict[str, object]:
            nonlocal sent
            sent = text()
            mark = turn_mark(turn.id, number)
            body = content(sent, under, plainly=self.outlet.plain)
            return {"thread_ts": turn.thread.thread_ts, "metadata": mark, **body}

        native = mode == "native"
        answer = await self.outlet.send(START if native else POST, stream if native else post, urgency="open")
        posted = self._posted(number, str((answer or {})["ts"]), mode, live=native)
        posted.shown, posted.marked, posted.whole, posted.finished = sent, not native, bool(under), bool(under)
        await self.outlet.journal.opened(Part(posted.ts, mode, self.epoch()))
        return posted

    def _posted(self, number: int, ts: str, mode: ReplyMode, *, live: bool) -> Posted:
        now = self.monotonic()
        return Posted(self.outlet, number, ts, mode, live=live, opened_at=now, written_at=now)

    def _affordable(self, mode: ReplyMode) -> tuple[ReplyMode, Reservation | None]:
        """The mode that the budget has room for, and the permit for the call that will end the message."""
        team_id, budget = self.outlet.journal.turn.team_id, self.outlet.calls.budget
        streams = team_id not in self.streamless and budget.wait_s(START, team_id=team_id) <= STREAM_WAITS_AT_MOST_S
        if mode == "native" and streams and (permits := budget.reserve(STOP, team_id=team_id)):
            return "native", permits[0]
        if mode != "final" and (permits := budget.reserve(UPDATE, team_id=team_id)):
            return "edit", permits[0]
        return "final", None

    def _next_mode(self, mode: ReplyMode, rejected: SlackRejected) -> ReplyMode:
        """The mode to try after a refusal; raises it where there is none."""
        if rejected.slack_code in NOWHERE:
            raise rejected
        if mode == "native":
            if rejected.slack_code in NO_SUCH_METHOD:
                self.streamless.add(self.outlet.journal.turn.team_id)
            return "edit"
        if rejected.slack_code in BLOCKS_REFUSED and not self.outlet.plain:
            self.outlet.plain = True
            return mode
        raise rejected

    def _may_be(self, message: SlackMessage, number: int, mode: ReplyMode) -> bool:
        if part_of(message, self.outlet.journal.turn.id) == number:
            return True
        return mode == "native" and not is_marked(message)

    def _is_unrecorded(self, message: SlackMessage) -> bool:
        return message["ts"] not in {part.ts for part in self.outlet.journal.turn.parts}

    async def _own_messages(self) -> list[SlackMessage]:
        return await own_messages(self.outlet.calls, self.outlet.journal.turn, self.bot_user_id)

    async def _messages(self) -> dict[str, SlackMessage] | None:
        """The bot's messages by ts, None where Slack refuses to tell. Raises SlackError while Slack is in trouble.

        Without them nobody knows what would be overwritten, or posted once more.
        """
        for delay_s in (*self.settle_delays_s, None):
            try:
                return {str(message["ts"]): message for message in await self._own_messages()}
            except SlackRejected:
                return None
            except SlackError:
                if delay_s is None:
                    raise
                await asyncio.sleep(delay_s)
        return None
