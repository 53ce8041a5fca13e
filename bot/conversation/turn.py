"""One question and its one answer: the turn, its states, and the Slack messages that show it.

    waiting ──► running ──► opening ──► delivering ──► answered
       │           │           │            │
       └───────────┴───────────┴────────────┴────────► refused | stopped | failed | dead

`waiting` is accepted and asks for a worker; `running` is leased and nothing of it was sent; `opening` is stored before
the first call that shows it, so a Slack message may exist; `delivering` has the whole answer in the mirror and lacks
only the last update in Slack. The five others are final: answered; refused (by the model or by policy); stopped by a
person; failed with an apology; dead after too many attempts.
"""

from dataclasses import dataclass
from typing import Literal

from bot.conversation.thread import Place, ThreadKey

TurnState = Literal["waiting", "running", "opening", "delivering", "answered", "refused", "stopped", "failed", "dead"]
OPEN_STATES: frozenset[TurnState] = frozenset({"waiting", "running", "opening", "delivering"})
ReplyMode = Literal["native", "edit", "final"]
MAX_ATTEMPTS = 3  # how often a turn is begun before it is given up as poison


def turn_id(channel_id: str, ts: str, retry: int = 0) -> str:
    """The key of the turn that a message asks; a button's retry is a turn of its own."""
    return f"{channel_id}:{ts}:{retry}" if retry else f"{channel_id}:{ts}"


def retry_number(id_: str) -> int:
    """Which retry a turn is; 0 for the question itself."""
    pieces = id_.split(":")
    return int(pieces[2]) if len(pieces) > 2 else 0


@dataclass(frozen=True, slots=True)
class Part:
    """One Slack message of a reply; long answers have several."""

    ts: str
    mode: ReplyMode
    opened_at: float = 0.0  # epoch seconds


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its one answer."""

    id: str
    thread: ThreadKey
    question_ts: str
    team_id: str  # the workspace whose token answers
    asker_id: str
    asker_team_id: str  # the asker's own workspace (differs in shared channels)
    place: Place
    state: TurnState = "waiting"
    attempts: int = 0  # how often a worker has begun it
    fence: int = 0  # the lease's fence under which it was last written
    parts: tuple[Part, ...] = ()
    model_id: str = ""  # who answers, once chosen
    asked_at: float = 0.0  # epoch seconds, when the message was accepted
    missed: tuple[str, ...] = ()  # asked in an outage, too long ago: not answered but listed, these messages with it
    ending: TurnState | Literal[""] = ""  # while `delivering`: the final state that the last update will show

    @property
    def asked_ts(self) -> str:
        """When it was asked, as Slack writes it; a retry when its button was pressed."""
        return f"{self.asked_at:.6f}" if retry_number(self.id) else self.question_ts

    @property
    def open(self) -> bool:
        """Whether it still wants work."""
        return self.state in OPEN_STATES
