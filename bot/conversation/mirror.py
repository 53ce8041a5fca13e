"""What the core needs of the store: turns, leases, signals, threads, messages, and what teams chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.conversation.thread import Channel, Message, Person, Thread, ThreadKey
from bot.conversation.turn import Turn, TurnState


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write in one thread. `fence` rises with every change of owner; `version` is the store's own."""

    thread: ThreadKey
    owner: str
    nonce: str
    fence: int
    version: object = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A thread that is ours to work in, and its oldest open turn: already `running`, or what a dead owner left.

    `turn.attempts` counts this attempt. `turn.state` is "running" for a turn that nobody had begun or shown; "opening"
    or "delivering" for one whose last owner may have shown something.
    """

    lease: Lease
    turn: Turn
    thread: Thread
    former_owner: str = ""  # who held the lease and did not give it up


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which messages may have been missed, in epoch seconds: nobody listened, or the store took nothing."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process works in the thread; its lease would expire in `for_s` seconds if it died now."""

    owner: str
    for_s: float


Acceptance = Literal["new", "known", "deleted"]


@dataclass(frozen=True, slots=True)
class Signal:
    """A word to the process that runs a turn: stop it, or its question or its growing answer was deleted.

    An edited question is no reason to begin its answer anew: the next prompt knows the edit.
    """

    kind: Literal["stop", "delete"]
    thread: ThreadKey
    ts: str  # stop: only questions older than this; delete: the message
    user_id: str = ""


class TurnStore(Protocol):
    """The turns, the leases and the signals. Every method raises StoreUnavailable within its own deadline."""

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        """Create the turn, record its question in the mirror, make the thread ours: once, in one batch.

        A thread that becomes ours by this has `starter_id` = the asker, and is `backfilled` exactly if the question is
        its root (nothing was said before); else it is ours from the question on (`since_ts`). Its root, should that
        come later, makes all of it ours.

        "known": the turn exists, or `client_msg_id` is claimed in this channel (nothing is written); also for the copy
        of a turn that is long closed. "deleted": the question's tombstone came first. An edit that came first wins
        over `question.text`. A repeated call whose first outcome was unknown answers as the first would have.
        """
        ...

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        """Lease the thread and begin its oldest open turn (by question ts), or None where none is open.

        Begun: attempts + 1, the new fence, waiting -> running; the thread's revision rises, for the answer that will be
        added. A lease is taken from another owner only when it has not
        been written for `lease_s` by the store's own clock; one's own live lease is Busy too. Never begins a turn while
        an older accepted one of the thread is open.
        """
        ...

    async def renew(self, lease: Lease) -> Lease:
        """The heartbeat; raises LeaseLost."""
        ...

    async def save(
        self,
        lease: Lease,
        turn: Turn,
        *,
        answer: Message | None = None,
        cut: tuple[str, str] | None = None,
        names: Mapping[str, str] | None = None,
        release: bool = False,
    ) -> Lease:
        """One fenced batch: the turn as it is now, and with it what else is given; raises LeaseLost, writing nothing.

        `answer` goes into the mirror, `cut` = (model id, ts) into the thread, `names` (message ts -> speaker's name)
        onto messages. `release` gives the lease up. Calls for one lease come one after another.
        """
        ...

    async def release(self, lease: Lease, turn: Turn | None = None) -> None:
        """Give the lease up without finishing; with `turn`, put its state back too. A lost lease is no error."""
        ...

    async def withdraw(self, turn_id: str, state: TurnState, answer: Message) -> bool:
        """Close a turn that is still `waiting`, without the lease; False if it was not waiting any more."""
        ...

    async def open_turns(self, thread: ThreadKey) -> Sequence[Turn]:
        """The thread's open turns, oldest question first."""
        ...

    async def open_threads(self, channel_id: str) -> Sequence[ThreadKey]:
        """The channel's threads with open turns; at most 100."""
        ...

    async def turn(self, turn_id: str) -> Turn | None:
        """The turn, or None."""
        ...

    async def overdue(self, older_than_s: float, limit: int) -> Sequence[ThreadKey]:
        """Threads with open turns that nobody has written for so long, by the store's clock; for the sweeper."""
        ...

    async def holder(self, thread: ThreadKey) -> str | None:
        """Who holds the thread's lease, dead or alive; None if nobody."""
        ...

    async def signal(self, owner: str, signal: Signal) -> None:
        """Leave a word for a process."""
        ...

    async def signals(self, owner: str, *, keep: bool = False) -> Sequence[Signal]:
        """Take all words left for a process (each is handed out once); `keep` only looks, for a process that died."""
        ...

    async def pulse(self, missed: Sequence[Outage], *, silent_s: float) -> Sequence[Outage]:
        """Say that somebody listens now, and what was `missed`; the outages of the last day, oldest first.

        The time since the last pulse of any process, if it is longer than `silent_s` by the store's clock, is one too.
        """
        ...


class ThreadStore(Protocol):
    """Threads, their messages, and what teams chose. Every method raises StoreUnavailable within its own deadline."""

    async def thread(self, key: ThreadKey) -> Thread | None:
        """The thread if it is ours, else None: one read."""
        ...

    async def messages(self, key: ThreadKey, *, since_ts: str = "", limit: int = 400) -> Sequence[Message]:
        """The newest `limit` messages with ts >= since_ts, oldest first; deleted and expired ones are left out."""
        ...

    async def message(self, key: ThreadKey, ts: str) -> Message | None:
        """One message, or None if it is unknown, deleted or expired: one read."""
        ...

    async def record(self, message: Message) -> None:
        """Mirror a person's message that asks nothing. Its tombstone or a newer edit, if already there, wins."""
        ...

    async def edit(self, key: ThreadKey, ts: str, text: str, edited_ts: str) -> None:
        """Replace a message's text, unless a newer edit or a tombstone is there; may come before the message itself."""
        ...

    async def delete(self, key: ThreadKey, ts: str) -> None:
        """Leave a tombstone without text; may come before the message itself. Also for any part of an answer."""
        ...

    async def backfill(self, key: ThreadKey, messages: Sequence[Message]) -> None:
        """Add what was said before the bot joined; what the mirror has already wins. Marks the thread as backfilled."""
        ...

    async def set_thread_model(self, key: ThreadKey, model_id: str) -> bool:
        """The thread's own choice ("" clears it); False if the thread is not ours."""
        ...

    async def person(self, team_id: str, user_id: str) -> Person | None:
        """What is stored of a person, however old."""
        ...

    async def save_person(self, person: Person) -> None:
        """Store all of it."""
        ...

    async def channel(self, team_id: str, channel_id: str) -> Channel | None:
        """What is stored of a channel, however old."""
        ...

    async def save_channel(self, channel: Channel) -> None:
        """Store all of it."""
        ...

    async def erase_person(self, team_id: str, user_id: str) -> int:
        """Delete all that this person said or chose; how many documents went."""
        ...

    async def close(self) -> None:
        """Free connections and files."""
        ...
