"""A thread in, what Slack remembers of it out: when the bot joined late, or may have missed something."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.conversation.arrival import Arrival
from bot.conversation.thread import Message, Thread
from bot.slack.calls import SlackCalls
from bot.slack.events import EventReader, Malformed
from bot.slack.marks import TURN_EVENT

_PER_PAGE = 200  # "recommended: no more than 200", https://docs.slack.dev/apis/web-api/pagination


class SlackArchive:
    """The core's Archive: conversations.replies, read to its end, because Slack gives the oldest first."""

    def __init__(
        self,
        calls: SlackCalls,
        reader: EventReader,
        *,
        outsiders: bool = False,
    ) -> None:
        self._calls = calls
        self._reader = reader
        self._outsiders = outsiders

    async def history(self, thread: Thread, *, before_ts: str, newest: int) -> Sequence[Message]:
        """What people and the bot itself said before `before_ts`; raises SlackError.

        SlackRateLimited where Slack wants a pause of more than a minute: apps that are distributed outside its
        Marketplace get little more than one page a minute.
        """
        found: OrderedDict[str, Message] = OrderedDict()  # each page begins with the thread's root
        if newest > 0:
            async for raw in self._listed(thread, "conversations.replies", ts=thread.key.thread_ts, latest=before_ts):
                self._add(found, self._message(thread, raw), before_ts)
                while len(found) > newest:
                    found.popitem(last=False)
        return sorted(found.values(), key=lambda message: message.ts)

    async def since(self, thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        """See `Archive.since`."""
        return await self._arrivals(thread, "conversations.replies", oldest_ts, ts=thread.key.thread_ts)

    async def roots(self, thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        """See `Archive.roots`."""
        return await self._arrivals(thread, "conversations.history", oldest_ts)

    async def _arrivals(
        self, thread: Thread, method: str, oldest_ts: str, **which: object
    ) -> Mapping[str, Arrival | None]:
        found: dict[str, Arrival | None] = {}
        async for raw in self._listed(thread, method, oldest=oldest_ts, inclusive=True, **which):
            ts = str(raw.get("ts"))
            if ts >= oldest_ts:  # a thread's list begins with its root, whatever was asked for
                found[ts] = self._arrival(thread, raw)
        return dict(sorted(found.items()))

    async def _listed(self, thread: Thread, method: str, **which: object) -> AsyncIterator[Mapping[str, Any]]:
        """All messages of the thread, or of its channel, within the bounds."""
        cursor = ""
        while True:
            page = await self._calls.call(
                method,
                team_id=thread.team_id,
                urgency="read",
                channel=thread.key.channel_id,
                limit=_PER_PAGE,
                cursor=cursor or None,
                include_all_metadata=True,
                **which,
            )
            for raw in page.get("messages") or ():
                if isinstance(raw, dict):
                    yield raw
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    def _add(self, found: OrderedDict[str, Message], message: Message | None, before_ts: str) -> None:
        """Keep a message once; a long answer's further parts go into its first."""
        if message is None or message.ts >= before_ts or message.ts in found:
            return
        last = next(reversed(found.values()), None)
        if last is not None and message.role == "model" and message.turn_id == last.turn_id:
            found[last.ts] = replace(last, text=f"{last.text}\n\n{message.text}")
        else:
            found[message.ts] = message

    def _arrival(self, thread: Thread, raw: Mapping[str, Any]) -> Arrival | None:
        """A message as if it arrived now, in the place that the thread is known to be."""
        try:
            return self._reader.message(raw, thread.key.channel_id, place=thread.place)
        except Malformed:
            return None

    def _message(self, thread: Thread, raw: Mapping[str, Any]) -> Message | None:
        """A message as the mirror keeps it; None for what other bots, Slack itself, and our own notices say."""
        arrival = self._arrival(thread, raw)
        if arrival is None:
            return None
        if arrival.sender == "ourselves":
            return _answer(arrival.message, _turn_id(raw))
        if arrival.sender == "person" or (arrival.sender == "outsider" and self._outsiders):
            return arrival.message
        return None


def _answer(message: Message, turn_id: str) -> Message | None:
    """A message of ours that shows an answer, or a part of one. Its text is Slack's plain one."""
    question_ts = next(iter(turn_id.split(":")[1:2]), "")
    if not question_ts or not message.text:
        return None
    return replace(message, role="model", user_id="", turn_id=turn_id, question_ts=question_ts)


def _turn_id(raw: Mapping[str, Any]) -> str:
    """The turn that a message of ours is marked with."""
    metadata = raw.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or metadata.get("event_type") != TURN_EVENT or not isinstance(payload, dict):
        return ""
    return str(payload.get("turn") or "")
