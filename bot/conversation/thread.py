"""The nouns of a thread: its key, its messages, and what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["dm", "channel"]  # group DMs count as channels: several people read along
Role = Literal["user", "model"]


@dataclass(frozen=True, slots=True, order=True)
class ThreadKey:
    """One Slack thread. Channel ids are global, so the key needs no team."""

    channel_id: str
    thread_ts: str  # the root message's ts

    def __str__(self) -> str:
        return f"{self.channel_id}:{self.thread_ts}"

    @classmethod
    def parse(cls, text: str) -> "ThreadKey":
        """The key that `str()` wrote."""
        channel_id, _, thread_ts = text.partition(":")
        return cls(channel_id, thread_ts)


@dataclass(frozen=True, slots=True)
class File:
    """A file that hangs on a message: what Slack says about it, not its content."""

    id: str
    name: str
    mimetype: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer cost, in tokens, as the server counted them."""

    prompt: int = 0
    answer: int = 0
    thoughts: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What someone said in a thread, as the mirror keeps it.

    A person's message is keyed by its Slack ts. It carries `turn_id` if it is a question. A model's message is the
    whole raw answer of one turn: `ts` is that of the first Slack message that showed it (or the question's ts + "a"
    where none was ever shown), `question_ts` names the question, `text` is empty where the turn ended without an
    answer. So a question is closed exactly when a model's message names it, and answers sort in the order they were
    given.
    """

    thread: ThreadKey
    ts: str
    role: Role
    text: str  # a person's: Slack's entities decoded, the bot's own mention removed. A model's: raw Markdown
    user_id: str = ""
    name: str = ""  # the speaker's display name when it was stored; "" until somebody looked it up
    turn_id: str = ""  # the turn that this asks (user) or answers (model)
    question_ts: str = ""  # model only
    model_id: str = ""  # model only
    files: tuple[File, ...] = ()
    in_passing: bool = False  # a question that neither mentions the bot nor stands in a DM
    edited_ts: str = ""  # ts of the newest edit that is in `text`
    usage: Usage | None = None  # model only


@dataclass(frozen=True, slots=True)
class Thread:
    """What is known about a thread that is ours (the bot was mentioned in it, answered in it, or it is a DM)."""

    key: ThreadKey
    team_id: str
    starter_id: str  # who wrote the root message, or, unknown, who first addressed the bot
    place: Place
    model_id: str = ""  # the thread's own choice; "" = none
    title: str = ""
    revision: int = 0  # rises with every change of its messages or its model, a turn's answer counted when it is taken
    backfilled: bool = False  # what was said before the bot joined is in the mirror (or there was nothing)
    since_ts: str = ""  # what was said before is history and no question, though it may arrive later; "" = nothing was
    cuts: Mapping[str, str] = field(default_factory=dict)  # model id -> ts: its prompts leave out what is older


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a team as Slack describes them, with their own choice of model. Cached for a day."""

    team_id: str
    user_id: str
    name: str = ""
    is_guest: bool = False  # single- or multi-channel guest
    is_stranger: bool = False  # of another organisation
    model_id: str = ""  # their own default; "" = none
    fetched_at: float = 0.0  # epoch seconds; 0 = Slack was never asked


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as Slack describes it, with its own choice of model and its policy. Cached for a day."""

    team_id: str
    channel_id: str
    name: str = ""
    is_shared: bool = False  # with another organisation
    model_id: str = ""
    self_hosted_only: bool = False  # the policy above every choice: nothing said here leaves the cluster
    reply_mode: Literal["native", "edit", "final", ""] = ""  # "" = the workspace's
    fetched_at: float = 0.0
