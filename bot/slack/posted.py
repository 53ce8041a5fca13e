"""One Slack message of a reply: the text that it should show in, the calls that make it so out.

A native message is a stream: text is only ever appended, each piece once, and when it is uncertain what it shows it is
stopped and from then on edited. An edited message is rewritten as a whole, which may be repeated without harm.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.conversation.turn import ReplyMode
from bot.errors import SlackRejected, SlackUnavailable
from bot.slack.blocks import Block, markdown, plain
from bot.slack.budget import Reservation, Urgency
from bot.slack.fallback_text import fallback_text
from bot.slack.marks import SlackMessage, turn_mark
from bot.slack.outlet import Outlet
from bot.slack.refusals import BLOCKS_REFUSED, MESSAGE_GONE, STILL_STREAMING, STOPPED_BY_USER, STREAM_OVER

_log = logging.getLogger(__name__)
AGAIN_AFTER_S = (1.0, 3.0, 10.0)  # the last update is repeated so often while Slack is in trouble

Text = Callable[[], str]


@dataclass(slots=True)
class Posted:
    """A message of the turn that exists in Slack. `number` counts the turn's messages from 0."""

    outlet: Outlet
    number: int
    ts: str
    mode: ReplyMode
    live: bool = False  # a stream that Slack still holds open, as far as is known
    shown: str = ""  # what it shows by our last confirmed call
    least_chars: int = 0  # of a message taken over: what is shown stays until the new text is as long
    inherited: Sequence[Block] = ()  # of a message taken over: its blocks
    marked: bool = False
    opened_at: float = 0.0  # monotonic
    written_at: float = 0.0  # monotonic; the last attempt
    finished: bool = False
    whole: bool = False  # it was posted with how the answer ended under it
    ended_status: bool = False  # the stop of its stream has ended the status
    end: tuple[Text, Sequence[Block]] | None = None  # what it was ended with
    left: str = ""  # its text by Slack's own account, after the last confirmed call
    closing: Reservation | None = None  # for the call that ends it in its mode

    @property
    def streams(self) -> bool:
        """Whether text is appended to it."""
        return self.mode == "native" and self.live

    async def step(self, text: Text, *, now: float) -> None:
        """Show more of the text, if the budget lets it before the reply ends. Trouble is made good by a later step."""
        since, self.written_at = self.written_at, now
        if self.streams:
            await self._append(text, since)
        else:
            try:
                await self._update(text, (), urgency="step", since=since)
            except SlackUnavailable as trouble:
                _log.info("an update is repeated later", extra={"ts": self.ts, "why": str(trouble)})

    async def finish(self, text: Text, under: Sequence[Block], *, status: str, stopped: bool = False) -> None:
        """Show all of the text and what stands under it; `status` is the session's from then on.

        `stopped`: a person stopped it, so that Slack may take no more text into a stream.
        """
        self.end = (text, under)
        if stopped and self.streams and text() != self.shown:
            await self.end_stream(status)
        if self.streams and await self._stop(text, under, status):
            self.finished = True
            return
        for pause_s in (*AGAIN_AFTER_S, None):
            try:
                await self._update(text, under, urgency="final")
                self.finished = True
                return
            except SlackUnavailable:
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)

    async def correct(self, seen: SlackMessage) -> None:
        """End it once more where something else stands there by now: a call of an earlier owner's came after ours."""
        if self.end is not None and self.left and self.left != seen.get("text"):
            _log.warning("a late write is made good", extra={"ts": self.ts})
            await self._update(*self.end, urgency="final")

    async def delete(self) -> None:
        """Take the message away, or at least what it says."""
        await self.end_stream()
        try:
            await self.outlet.send("chat.delete", lambda: {"ts": self.ts}, urgency="final")
        except SlackRejected as rejected:
            if rejected.slack_code not in MESSAGE_GONE:
                await self._update(lambda: "…", (), urgency="final")
        self.finished = True

    async def keep(self, under: Sequence[Block]) -> None:
        """Leave a message that was taken over as it is, with something new under it."""
        kept = [block for block in self.inherited if block.get("type") not in ("actions", "context")]
        mark = None if self.marked else turn_mark(self.outlet.journal.turn.id, self.number)
        args = {"ts": self.ts, "metadata": mark, "blocks": [*kept, *under]}
        await self._rewrite(lambda: args, urgency="final")
        self.finished = True

    async def end_stream(self, status: str = "processing") -> dict[str, Any] | None:
        """Stop the stream, if there may be one; whatever becomes of the call, the message is edited from now on."""
        if self.mode != "native" or not self.live:
            return None
        self.live = False
        args = {"ts": self.ts, "session_status": status}
        try:
            answer = await self.outlet.send("chat.stopStream", lambda: args, urgency="final", permit=self._permit())
        except (SlackRejected, SlackUnavailable):
            return None
        self.ended_status = status == "active"
        return answer

    def release(self) -> None:
        """Give back what was set aside for it and not used."""
        closing = self._permit()
        if closing is not None:
            closing.give_back()

    def _permit(self) -> Reservation | None:
        closing, self.closing = self.closing, None
        return closing

    async def _append(self, text: Text, since: float) -> None:
        sent = ""

        def compose() -> dict[str, Any]:
            nonlocal sent
            sent = text()
            return {"ts": self.ts, "chunks": _chunks(sent[len(self.shown) :])}

        if not text().startswith(self.shown):
            await self.end_stream()
            return
        try:
            if await self.outlet.send("chat.appendStream", compose, urgency="step", since=since) is not None:
                self.shown = sent
        except SlackUnavailable:
            await self.end_stream()  # it may hold the piece or not: never append it again
        except SlackRejected as rejected:
            if rejected.slack_code == STOPPED_BY_USER or rejected.slack_code in MESSAGE_GONE:
                raise
            self.live = rejected.slack_code not in STREAM_OVER
            await self.end_stream()

    async def _stop(self, text: Text, under: Sequence[Block], status: str) -> bool:
        """Stop the stream with the rest of the text; False where the message must be edited instead."""
        whole = text()
        if not whole.startswith(self.shown):
            await self.end_stream(status)
            return False

        def compose() -> dict[str, Any]:
            rest = whole[len(self.shown) :]
            return {
                "ts": self.ts,
                "chunks": _chunks(rest) if rest else None,
                "blocks": list(under) or None,
                "metadata": turn_mark(self.outlet.journal.turn.id, self.number),
                "session_status": status,
            }

        try:
            stopped = await self.outlet.send("chat.stopStream", compose, urgency="final", permit=self._permit())
        except SlackUnavailable:
            await self.end_stream(status)  # whatever it shows now is rewritten
            return False
        except SlackRejected as rejected:
            if rejected.slack_code in MESSAGE_GONE:
                raise
            if rejected.slack_code in STREAM_OVER:
                self.live = False
            await self.end_stream(status)
            return False
        self.live, self.shown, self.marked, self.left = False, whole, True, _left(stopped)
        self.ended_status = status == "active"
        return True

    async def _update(
        self, text: Text, under: Sequence[Block], *, urgency: Urgency, since: float | None = None
    ) -> None:
        sent = ""

        def compose() -> dict[str, Any]:
            nonlocal sent
            sent = text()
            mark = None if self.marked else turn_mark(self.outlet.journal.turn.id, self.number)
            return {"ts": self.ts, "metadata": mark, **content(sent, under, plainly=self.outlet.plain)}

        permit = self._permit() if urgency == "final" and self.mode == "edit" else None
        try:
            answer = await self._rewrite(compose, urgency=urgency, since=since, permit=permit)
        except SlackRejected as rejected:
            if rejected.slack_code not in BLOCKS_REFUSED or self.outlet.plain:
                raise
            self.outlet.plain = True
            answer = await self._rewrite(compose, urgency=urgency, since=since, permit=permit)
        if answer is not None:
            self.shown, self.marked, self.left = sent, True, _left(answer)

    async def _rewrite(self, compose: Callable[[], dict[str, Any]], **how: Any) -> dict[str, Any] | None:
        """Update the message. Raises SlackUnavailable also while its stream cannot be stopped: Slack edits none."""
        for last in (False, True):
            await self.end_stream()
            try:
                return await self.outlet.send("chat.update", compose, **how)
            except SlackRejected as rejected:
                if rejected.slack_code != STILL_STREAMING:
                    raise
                self.mode, self.live = "native", True
                if last:
                    raise SlackUnavailable(f"the stream of {self.ts} could not be stopped") from rejected
        return None


def content(text: str, under: Sequence[Block], *, plainly: bool) -> dict[str, Any]:
    """The text of a posted message and what stands under it, as `blocks` and `text`."""
    body = plain(text) if plainly else [markdown(text)]
    return {"blocks": [*body, *under], "text": fallback_text(text)}


def _left(answer: Mapping[str, Any] | None) -> str:
    message = (answer or {}).get("message")
    return str(message.get("text") or "") if isinstance(message, dict) else ""


def _chunks(text: str) -> list[dict[str, str]]:
    return [{"type": "markdown_text", "text": text}]
