"""The workspace's state: what people and the app do in, messages and threads and their changes out."""

import asyncio
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from playground.entities import Entity
from playground.errors import SlackError
from playground.roster import Channel, Roster, User

JSON = dict[str, Any]
ChangeKind = Literal["posted", "changed", "deleted"]


@dataclass(slots=True, eq=False, kw_only=True)
class Message:
    """One message: Slack's own object, and what only the playground knows about it."""

    channel: str
    ts: str
    root: str
    """The ts of the thread's root; the message's own for a root."""
    data: JSON
    visible_to: str | None = None
    """The only user who sees it, for an ephemeral message."""
    streaming: bool = False
    live_for: str | None = None
    first_text: str | None = None
    """What everyone but `live_for` sees of a native stream until it stops."""
    unfurls: bool = False
    live: list[Entity] = field(default_factory=list)
    was_live: list[Entity] = field(default_factory=list)
    """Every live entity it ever showed, in any of its versions."""
    changed_at: float = 0.0

    @property
    def is_reply(self) -> bool:
        return self.root != self.ts

    @property
    def author(self) -> str:
        return str(self.data.get("user", ""))


@dataclass(slots=True)
class Thread:
    """The replies of one thread, oldest first; who replied, in order of their first reply."""

    replies: list[str] = field(default_factory=list)
    users: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Timeline:
    """One channel's messages."""

    messages: dict[str, Message] = field(default_factory=dict)
    top_level: list[str] = field(default_factory=list)
    """Roots, and replies that were also sent to the channel: what conversations.history shows."""
    threads: dict[str, Thread] = field(default_factory=dict)
    ephemeral: dict[str, Message] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a message. `previous` is its Slack object before, for changed and deleted."""

    kind: ChangeKind
    message: Message
    previous: JSON | None = None
    quiet: bool = False
    """Seen by the page, but no event for the app: a stream growing."""


class Workspace:
    """Everything people and the app have said, in memory."""

    def __init__(self, roster: Roster, *, now: Callable[[], float] = time.time) -> None:
        self.roster = roster
        self.now = now
        self.on_change: list[Callable[[Change], None]] = []
        self._last_ts = 0
        self._timelines: dict[str, Timeline] = {id: Timeline() for id in roster.channels}
        self._waiting: dict[tuple[str, str], list[asyncio.Future[None]]] = {}

    def next_ts(self) -> str:
        """A timestamp like Slack's, later than every one before it."""
        self._last_ts = max(self._last_ts + 1, int(self.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def user(self, user_id: str) -> User:
        """Raises SlackError user_not_found."""
        user = self.roster.users.get(user_id)
        if user is None:
            raise SlackError("user_not_found")
        return user

    def channel(self, channel_id: str, *, as_user: str | None = None) -> Channel:
        """A channel; with `as_user`, only one they may know of. Raises SlackError channel_not_found."""
        channel = self.roster.channels.get(channel_id)
        if channel is None or (as_user is not None and not self.may_see(channel, as_user)):
            raise SlackError("channel_not_found")
        return channel

    def may_see(self, channel: Channel, user_id: str) -> bool:
        """Public channels are seen by every full member of the workspace, others only from inside."""
        if user_id in channel.members:
            return True
        user = self.roster.users.get(user_id)
        if user is None or user.is_restricted or user.team_id != self.roster.team_id:
            return False
        return channel.type == "channel"

    def may_see_id(self, channel_id: str, user_id: str) -> bool:
        """The same by the channel's id."""
        channel = self.roster.channels.get(channel_id)
        return channel is not None and self.may_see(channel, user_id)

    def timeline(self, channel_id: str) -> Timeline:
        return self._timelines.setdefault(channel_id, Timeline())

    def message(self, channel_id: str, ts: str) -> Message:
        """Raises SlackError message_not_found."""
        message = self.timeline(channel_id).messages.get(ts)
        if message is None:
            raise SlackError("message_not_found")
        return message

    def shows_file(self, file_id: str, user_id: str) -> bool:
        """Whether a person sees a message that carries this file."""
        seen = (self.timeline(id) for id in self.roster.channels if self.may_see_id(id, user_id))
        messages = (message for timeline in seen for message in timeline.messages.values())
        return any(file["id"] == file_id for message in messages for file in message.data.get("files", ()))

    def thread(self, channel_id: str, root: str) -> list[Message]:
        """The root and its replies, oldest first; empty when there is no such message."""
        timeline = self.timeline(channel_id)
        if root not in timeline.messages:
            return []
        replies = timeline.threads[root].replies if root in timeline.threads else []
        return [timeline.messages[ts] for ts in (root, *replies)]

    def top_level(self, channel_id: str) -> Iterator[Message]:
        """What the channel itself shows, newest first."""
        timeline = self.timeline(channel_id)
        return (timeline.messages[ts] for ts in reversed(timeline.top_level))

    def post(self, message: Message, *, broadcast: bool = False) -> Message:
        """Add a message; one with a root other than itself is a reply."""
        timeline = self.timeline(message.channel)
        if message.visible_to is not None:
            timeline.ephemeral[message.ts] = message
            return self._announce(Change("posted", message))
        timeline.messages[message.ts] = message
        if message.is_reply:
            thread = timeline.threads.setdefault(message.root, Thread())
            insort(thread.replies, message.ts)
            thread.users[message.author] = thread.users.get(message.author, 0) + 1
        if broadcast or not message.is_reply:
            insort(timeline.top_level, message.ts)
        return self._announce(Change("posted", message))

    def change(self, message: Message, data: JSON, *, quiet: bool = False) -> Message:
        """Replace a message's object."""
        previous, message.data = message.data, data
        return self._announce(Change("changed", message, previous, quiet))

    def touch(self, message: Message) -> None:
        """A stream grew: the page hears of it, the app does not."""
        self._announce(Change("changed", message, quiet=True))

    def remove(self, message: Message) -> None:
        """Delete a message; a root with replies leaves a tombstone, as in Slack."""
        timeline = self.timeline(message.channel)
        message.streaming = False
        if message.visible_to is not None:
            timeline.ephemeral.pop(message.ts, None)
            self._announce(Change("deleted", message, message.data))
            return
        if timeline.threads.get(message.ts, Thread()).replies:
            self.change(message, _tombstone(message))
            return
        previous = self.presented(message)
        del timeline.messages[message.ts]
        _discard(timeline.top_level, message.ts)
        if message.is_reply:
            self._leave_thread(timeline, message)
        self._announce(Change("deleted", message, previous))

    def _leave_thread(self, timeline: Timeline, message: Message) -> None:
        thread = timeline.threads[message.root]
        _discard(thread.replies, message.ts)
        thread.users[message.author] -= 1
        if not thread.users[message.author]:
            del thread.users[message.author]
        if not thread.replies:
            del timeline.threads[message.root]

    def presented(self, message: Message) -> JSON:
        """Slack's message object, with the thread's counts when it is the root of one."""
        thread = self.timeline(message.channel).threads.get(message.ts)
        if thread is None or not thread.replies:
            return message.data
        return {
            **message.data,
            "thread_ts": message.ts,
            "reply_count": len(thread.replies),
            "reply_users_count": len(thread.users),
            "reply_users": list(thread.users)[:5],
            "latest_reply": thread.replies[-1],
            "is_locked": False,
            "subscribed": False,
        }

    def clear(self) -> None:
        """Forget all messages."""
        self._timelines = {id: Timeline() for id in self.roster.channels}

    def changed(self, channel_id: str, root: str) -> asyncio.Future[None]:
        """A future that ends with the next change in a thread."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((channel_id, root), []).append(future)
        return future

    def wake(self, channel_id: str, root: str) -> None:
        """Wake those who wait for the thread to change (its status counts)."""
        for future in self._waiting.pop((channel_id, root), ()):
            if not future.done():
                future.set_result(None)

    def _announce(self, change: Change) -> Message:
        change.message.changed_at = self.now()
        for listener in self.on_change:
            listener(change)
        self.wake(change.message.channel, change.message.root)
        return change.message


def _discard(ordered: list[str], ts: str) -> None:
    index = bisect_left(ordered, ts)
    if index < len(ordered) and ordered[index] == ts:
        del ordered[index]


def _tombstone(message: Message) -> JSON:
    return {
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "text": "This message was deleted.",
        "hidden": True,
        "ts": message.ts,
        "thread_ts": message.ts,
    }
