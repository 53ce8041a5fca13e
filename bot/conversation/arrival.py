"""What can arrive from Slack, already read: messages, edits, deletions, stops, and what became of them."""

from dataclasses import dataclass
from typing import Literal

from bot.conversation.thread import Message, Place, ThreadKey

Sender = Literal["person", "outsider", "bot", "ourselves", "slack"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it arrived, by any of the events that may announce it.

    `outsider` is a person of another organisation; `slack` is Slack itself (joins, topics, reminders and the like).
    """

    message: Message  # `turn_id` and `name` still empty
    team_id: str  # the workspace whose bot was addressed
    sender_team_id: str  # the sender's own
    sender: Sender
    place: Place
    mentions_us: bool = False
    mentions_others: bool = False
    subtype: str = ""
    client_msg_id: str = ""

    @property
    def is_root(self) -> bool:
        """Whether it begins a thread rather than replies in one."""
        return self.message.ts == self.message.thread.thread_ts


@dataclass(frozen=True, slots=True)
class Edit:
    """A message's text as it is now."""

    thread: ThreadKey
    ts: str
    text: str
    edited_ts: str
    by_us: bool = False  # an update of our own answer: no news
    addressed: bool = False  # said to the bot: a mention, or in a DM


@dataclass(frozen=True, slots=True)
class Deletion:
    """A message that is gone."""

    thread: ThreadKey
    ts: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody wants the answers of a thread (or, at a DM's root, of that whole DM) to end.

    Only questions older than `ts` are meant, so that a redelivered stop does nothing.
    """

    thread: ThreadKey
    ts: str
    user_id: str
    whole_dm: bool = False


Fate = Literal["accepted", "mirrored", "held", "stopped", "ignored"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an arrival. `reason` is a stable word or two, for logs: "ourselves", "not_our_thread", "known"."""

    fate: Fate
    reason: str = ""
    turn_id: str = ""
    stopped: int = 0  # how many questions a stop ended
