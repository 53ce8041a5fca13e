"""A model's text in, as it comes; one answer growing in Slack out, at a pace that Slack allows, ended exactly once."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.conversation.ports import Ending, Journal
from bot.conversation.turn import ReplyMode
from bot.errors import SlackError, SlackRejected, StoreError
from bot.slack.apologies import in_place_of_answer
from bot.slack.blocks import Block
from bot.slack.footing import NameOf, footing
from bot.slack.opening import Opening
from bot.slack.outlet import Outlet
from bot.slack.posted import Posted, Text
from bot.slack.refusals import NOT_EDITABLE
from bot.slack.safety import safe
from bot.slack.status import Status
from bot.slack.wording import Wording

_SOON_S = 0.001  # less is not worth waiting for


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a growing reply is written to, and when it goes on in a new message."""

    update_interval_s: float = 3.0  # https://docs.slack.dev/reference/methods/chat.update: "once every 3 seconds"
    append_interval_s: float = 0.7
    append_chars: int = 256  # so much new text is appended at once
    rollover_s: float = 270.0  # Slack ends a stream after five minutes


class SlackReply:
    """The reply of one turn. A task of its own does all the writing; `push` never waits."""

    def __init__(
        self,
        journal: Journal,
        mode: ReplyMode,
        *,
        outlet: Outlet,
        opening: Opening,
        wording: Wording,
        status: Status,
        pace: Pace,
        name_of: NameOf,
        monotonic: Callable[[], float],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._journal, self._mode = journal, mode
        self._outlet, self._opening, self._wording, self._status = outlet, opening, wording, status
        self._pace, self._name_of, self._monotonic = pace, name_of, monotonic
        self._posted: list[Posted] = []
        self._changed, self._timed = asyncio.Event(), False
        self._ending: Ending | None = None
        self._ended: asyncio.Future[None] = loop.create_future()
        self._wanted_open: asyncio.Future[None] | None = None
        self._footing: Sequence[Block] = ()  # once it is known how the answer ends
        turn = journal.turn
        self._inherited = bool(turn.parts) or turn.attempts > 1 or turn.state in ("opening", "delivering")
        if turn.state != "delivering":
            status.begin()
        self._writer = loop.create_task(self._write())
        self._writer.add_done_callback(self._written)

    def push(self, text: str) -> None:
        """See `Reply.push`."""
        if self._wording.push(text, shown=self._shown()):
            self._hurry()  # a step that waits for its turn is out of date
        if not self._timed or self._due_s() == 0:  # else the writer wakes in time by itself
            self._changed.set()

    async def open(self, ending: Ending | None = None) -> None:
        """See `Reply.open`. Returns once every page of what was pushed has its message."""
        if ending is not None:
            self._wording.end(shown=self._shown())
            self._footing = await footing(self._journal.turn, ending, self._name_of, text=True)
        if self._wanted_open is None:
            self._wanted_open = asyncio.get_running_loop().create_future()
            self._hurry()
            self._changed.set()
        await asyncio.wait({self._wanted_open, self.lost, self._writer}, return_when=asyncio.FIRST_COMPLETED)
        if not self._wanted_open.done():
            self.lost.result()

    async def end(self, ending: Ending) -> None:
        """See `Reply.end`."""
        self._wording.end(shown=self._shown())
        self._ending = ending
        self._ended.set_result(None)
        self._hurry()
        self._changed.set()
        try:
            await self._writer
        finally:
            self._release()
            streamed = any(part.mode == "native" for part in self._posted)
            ended = any(part.ended_status for part in self._posted)
            await self._status.end(shown_by_stream=streamed or self._inherited, ended_by_stream=ended)

    def abandon(self) -> None:
        """See `Reply.abandon`."""
        self._writer.cancel()
        self._status.abandon()  # nothing is left of one that has ended
        self._release()

    def _release(self) -> None:
        for part in self._posted:
            part.release()

    def _hurry(self) -> None:
        if not self._outlet.unless.done():
            self._outlet.unless.set_result(None)

    def _shown(self) -> int:
        """How much of the last page people have read."""
        number = len(self._wording.pages.texts) - 1
        return len(self._posted[number].shown) if number < len(self._posted) else 0

    async def _write(self) -> None:
        try:
            await self._take_over()
            while self._ending is None:
                if not await self._step():
                    await self._news()
        except SlackRejected as rejected:
            self._lose(rejected)
            await self._ended  # what can be shown of how it ended is shown all the same
        except (SlackError, StoreError) as error:
            self._lose(error)
            await self._ended
            raise
        await self._finish()
        if self._inherited:
            await self._opening.read_back(self._posted)

    def _written(self, writer: asyncio.Task[None]) -> None:
        if not writer.cancelled() and (error := writer.exception()) is not None:
            self._lose(error)

    def _lose(self, error: BaseException) -> None:
        if not self.lost.done():
            self.lost.set_exception(error)
            self.lost.exception()  # whoever needs to know waits for it; nobody else shall be told

    def _tell_open(self) -> None:
        if self._wanted_open is None or self._wanted_open.done():
            return
        pages = len(self._wording.pages.texts)
        if not self._text(pages - 1)().strip():
            pages -= 1  # a new page of which there is only white space: it may never be shown
        if self._posted and len(self._posted) >= pages:
            self._wanted_open.set_result(None)

    async def _news(self) -> None:
        """Wait for more text, for the end, or for the time of the next step."""
        due_s = self._due_s()
        self._timed = due_s is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(due_s):
                await self._changed.wait()
        self._changed.clear()

    async def _take_over(self) -> None:
        if self._journal.turn.parts or self._journal.turn.state == "opening":
            self._posted = await self._opening.take_over()
            if self._posted and self._mode == "native":
                self._mode = "edit"

    async def _step(self) -> bool:
        """Make the next call that is due, if any; whether there was one."""
        if self._outlet.unless.done():
            self._outlet.unless = asyncio.get_running_loop().create_future()
        self._turn_old_page()
        texts = self._wording.pages.texts
        for number, part in enumerate(self._posted[: len(texts) - 1]):
            if not part.finished and (part.streams or texts[number] != part.shown):
                await part.finish(self._text(number), (), status="processing")
                return True
        if len(self._posted) < len(texts) and await self._opened(len(self._posted)):
            return True
        self._tell_open()
        if self._due_s() != 0:
            return False
        try:
            await self._posted[len(texts) - 1].step(self._text(len(texts) - 1), now=self._monotonic())
        except SlackRejected as rejected:
            if rejected.slack_code not in NOT_EDITABLE:
                raise
            self._mode = "final"
        return True

    async def _opened(self, number: int) -> bool:
        """Post the message of page `number`, if it may be posted now."""
        text = self._text(number)
        if not text().strip() or (self._mode == "final" and not self._wanted_open):
            return False
        last = number == len(self._wording.pages.texts) - 1
        if self._wanted_open is not None or not last:
            under = self._footing if last else ()
            posted: Posted | None = await self._opening.post(number, self._mode, text, under)
        else:
            posted = await self._opening.begin(number, self._mode, text)
        if posted is not None:
            self._posted.append(posted)
        return posted is not None

    def _due_s(self) -> float | None:
        """Seconds until the growing message wants its next step; None where it wants none."""
        number = len(self._wording.pages.texts) - 1
        if self._mode == "final" or number >= len(self._posted):
            return None
        part, text = self._posted[number], self._wording.pages.last
        if part.mode == "final":
            return None
        if text == part.shown or not text.strip() or len(text) < part.least_chars:
            return None
        if part.streams and len(text) - len(part.shown) >= self._pace.append_chars:
            return 0
        interval_s = self._pace.append_interval_s if part.streams else self._pace.update_interval_s
        wait_s = part.written_at + interval_s - self._monotonic()
        return wait_s if wait_s > _SOON_S else 0

    def _text(self, number: int) -> Text:
        """What page `number` holds when it is asked."""
        pages = self._wording.pages

        def text() -> str:
            grows = number == len(pages.texts) - 1
            return self._wording.opening() if grows and not pages.texts[number].strip() else pages.texts[number]

        return text

    def _turn_old_page(self) -> None:
        """Go on in a new message before Slack ends the stream of this one."""
        pages = self._wording.pages
        if not self._posted or len(self._posted) != len(pages.texts):
            return
        part = self._posted[-1]
        if part.streams and self._monotonic() - part.opened_at >= self._pace.rollover_s and pages.last != part.shown:
            pages.turn(shown=len(part.shown))

    async def _finish(self) -> None:
        """Show all of the text and how it ended."""
        ending = self._ending
        assert ending is not None  # noqa: S101 - nobody calls this before
        if ending.kind == "withdrawn":
            await self._delete(self._posted)
            return
        texts = [text for text in self._wording.pages.texts if text.strip()]
        if await self._kept(ending, texts):
            return
        under = await footing(self._journal.turn, ending, self._name_of, text=bool(texts))
        texts = texts or [safe(in_place_of_answer(ending))]  # it may quote what somebody typed
        surplus = self._posted[len(texts) :]
        for number, text in enumerate(texts):
            last = number == len(texts) - 1
            await self._show(number, text, under if last else (), last=last)
        await self._delete(surplus)

    async def _show(self, number: int, text: str, under: Sequence[Block], *, last: bool) -> None:
        if number >= len(self._posted):
            self._posted.append(await self._opening.post(number, "final", lambda: text, under))
            return
        part = self._posted[number]
        if part.whole and text == part.shown:
            return
        if not under and (part.finished or (text == part.shown and not part.streams and not last)):
            return
        try:
            stopped = self._ending is not None and self._ending.kind == "stopped"
            await part.finish(lambda: text, under, status="active" if last else "processing", stopped=stopped)
        except SlackRejected as rejected:
            rest = text.removeprefix(part.shown)
            if rejected.slack_code not in NOT_EDITABLE or not part.shown or not rest.strip():
                raise
            part.finished = True
            self._posted.append(await self._opening.post(len(self._posted), "final", lambda: rest, under))

    async def _kept(self, ending: Ending, texts: Sequence[str]) -> bool:
        """Where less came than another attempt has shown, leave that, marked as cut; whether it is so."""
        if not self._posted or not self._posted[-1].inherited:
            return False
        longer = sum(map(len, texts)) >= sum(part.least_chars for part in self._posted if part.inherited)
        if texts and (longer or ending.kind not in ("cut", "stopped")):
            return False
        cut = await footing(self._journal.turn, ending, self._name_of, text=True)
        await self._posted[-1].keep(cut)
        return True

    async def _delete(self, parts: Sequence[Posted]) -> None:
        for part in parts:
            await part.delete()
