"""What the core knows of a model: its catalogue entry, the prompt it takes, the chunks it gives."""

from dataclasses import dataclass, field
from typing import Literal

from bot.conversation.thread import Role, Usage

Where = Literal["self-hosted", "managed", "built-in"]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue, as far as the core cares. Times in seconds, sizes in tokens."""

    id: str  # what people type: "gemma"
    label: str  # what people read: "Gemma 3 12B"
    where: Where
    context_tokens: int
    answer_tokens: int  # the budget of one answer, thoughts included
    history_tokens: int = 32_000
    history_messages: int = 400
    first_token_s: float = 30.0
    stall_s: float = 20.0
    total_s: float = 180.0
    stand_in: str = ""  # id of the model that may answer while this one cannot
    sampling: frozenset[str] = frozenset()  # which of "temperature", "top_p" it takes

    @property
    def prompt_tokens(self) -> int:
        """How much of a prompt fits beside the answer."""
        return max(256, self.context_tokens - self.answer_tokens)


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """One turn of a prompt; neighbours never share a role."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """What an operator set; None is not sent, so that the model's own default holds."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. `turns` alternate, begin and end with the user, and none is empty."""

    system: str
    turns: tuple[PromptTurn, ...]
    sampling: Sampling = field(default_factory=Sampling)
    cache_salt: str = ""  # keeps one team's prefix cache from another's, where the server can


FinishReason = Literal["stop", "length", "blocked"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer. Exactly the last one carries `finish`; its text may be empty or not."""

    text: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    detail: str = ""  # why it was blocked, in the vendor's word, for logs
