"""What the core needs of the world but the store: models, replies, who people are. Adapters match by shape."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.conversation.arrival import Arrival
from bot.conversation.models import Chunk, ModelEntry, Prompt
from bot.conversation.thread import Channel, Message, Person, Thread
from bot.conversation.turn import Part, ReplyMode, Turn


class Model(Protocol):
    """Somebody who answers prompts."""

    @property
    def entry(self) -> ModelEntry:
        """Its place in the catalogue."""
        ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """The answer, piece by piece; the last chunk carries `finish`.

        Closing the generator, or cancelling who reads it, closes the request at once. Keeps the entry's first-token,
        stall and total deadlines itself. Raises ModelError: ModelUnavailable, ModelMisconfigured or PromptTooLong only
        before the first chunk with text; StreamBroken only after it (an end without a finish is broken).
        """
        ...

    async def check(self) -> str:
        """One line on who would answer (for `tandem doctor`); raises ModelError where nobody would."""
        ...

    async def close(self) -> None:
        """Free its connections."""
        ...


class Journal(Protocol):
    """How a reply tells the store what it is about to do and has done. On LeaseLost nothing may be sent any more."""

    @property
    def turn(self) -> Turn:
        """The turn as last saved, with its parts."""
        ...

    def assert_ours(self) -> None:
        """Raise LeaseLost where the last renewal is too old. To be called in the same loop step that sends to Slack."""
        ...

    async def opening(self) -> None:
        """Store that a new Slack message is about to be posted."""
        ...

    async def opened(self, part: Part) -> None:
        """Note the message that was posted; it is stored soon."""
        ...


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One line of the menu under an answer."""

    id: str
    label: str


EndingKind = Literal["answered", "refused", "stopped", "failed", "cut", "withdrawn", "told"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ends, for the reply's last update.

    `error_code` is BotError.code for failed and cut endings; `reference` the id that logs and people share. `notes` are
    facts said under the answer: "history_cut", "stood_in:<label of the model that could not answer>", "length",
    "gone:<id of a chosen model that no longer exists>", "overruled:<label of one that the channel's policy forbids>".
    `withdrawn`: the question or the growing answer was deleted, so what is left of the answer goes too. `told`: it is
    the bot itself that answers, with the sentence for `error_code` and `facts`.
    """

    kind: EndingKind
    model_id: str = ""
    model_label: str = ""
    seconds: float = 0.0
    error_code: str = ""
    reference: str = ""
    user_id: str = ""  # who stopped it
    limit: int = 0  # for prompt_too_long: how many characters a message may have, about
    notes: tuple[str, ...] = ()
    choices: tuple[ModelChoice, ...] = ()  # the menu; empty = none
    retry: int = 0  # the number that the retry button carries; 0 = no button
    facts: Mapping[str, str] = field(default_factory=dict)


class Reply(Protocol):
    """One answer growing in Slack."""

    @property
    def lost(self) -> "asyncio.Future[None]":
        """Done, with an exception, once the reply cannot go on: LeaseLost, or SlackRejected as of "stopped_by_user"."""
        ...

    def push(self, text: str) -> None:
        """Add the model's next raw text. Never waits; what is shown, and when, is the reply's affair."""
        ...

    async def open(self, ending: Ending | None = None) -> None:
        """See to it that a Slack message of this turn exists (needs pushed text); returns once its part is stored.

        Whoever gives the `ending` has pushed all: where Slack's limits are tight, one call then shows everything.
        """
        ...

    async def end(self, ending: Ending) -> None:
        """Show all that was pushed, then how it ended; clear the status. Always ends the status, whatever it raises.

        On a taken-over turn (journal.turn.parts not empty) its own messages are rewritten. Raises SlackError when
        the last update could not be made, LeaseLost when it may not be made.
        """
        ...

    def abandon(self) -> None:
        """Stop writing at once and leave all as it is: the turn is somebody else's, or will be taken up again."""
        ...


class Replies(Protocol):
    """Where answers are shown."""

    async def begin(self, journal: Journal, mode: ReplyMode) -> Reply:
        """Start the turn's reply: its status shows at once, its text when there is some.

        For a turn with parts, stops a live stream and keeps what is shown until the new text is as long.
        For a turn in state `opening` without a part it first looks in the thread for its marker, and adopts it.
        """
        ...

    async def notice(self, turn: Turn, code: str, **facts: str) -> None:
        """A short sentence in the thread that is no answer (see slack/apologies.py for the codes)."""
        ...


class Directory(Protocol):
    """Who people are and what channels are, from the store's cache or from Slack once a day."""

    async def person(self, team_id: str, user_id: str) -> Person:
        """Raises SlackError only where nothing at all is known."""
        ...

    async def channel(self, team_id: str, channel_id: str) -> Channel:
        """Raises SlackError only where nothing at all is known."""
        ...

    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """Whether they are in the channel now; asks Slack, raises SlackError."""
        ...


class Archive(Protocol):
    """Slack's own record of a thread."""

    async def history(self, thread: Thread, *, before_ts: str, newest: int) -> Sequence[Message]:
        """What was said before `before_ts`, at most the `newest` so many, oldest first; raises SlackError."""
        ...

    async def since(self, thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        """All that stands in the thread from `oldest_ts` on, by ts, oldest first; None for what cannot be read.

        Raises SlackError.
        """
        ...

    async def roots(self, thread: Thread, oldest_ts: str) -> Mapping[str, Arrival | None]:
        """The same of all that stands outside threads, or begins one, in the thread's channel."""
        ...
