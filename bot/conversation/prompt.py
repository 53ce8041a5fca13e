"""A turn's history and question in, a prompt that fits the model out.

Servers keep what they computed for a prompt's beginning and reuse it for the next prompt that begins the same. So
nothing here changes between turns: no dates, no counts; and when history must be cut, at least a quarter of the budget
goes at once and the cut is remembered, so that the prompts after it begin alike again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from bot.conversation.history import Exchange
from bot.conversation.models import ModelEntry, Prompt, PromptTurn, Sampling
from bot.conversation.thread import Message, Place
from bot.errors import PromptTooLong

_BYTES_PER_TOKEN = 3  # UTF-8 bytes; English has about 4, Chinese about 3: the estimate errs on the full side
_TOKENS_PER_TURN = 8  # the template around each turn
_KEPT_AFTER_A_CUT = 3 / 4
_CUT_NOTICE = "(Earlier messages of this thread are left out.)"
_OPENING = "(The thread begins.)"
_SEVERAL_PEOPLE = (
    "Several people take part in this conversation. Each of their messages begins with the speaker's name and a colon. "
    "Never put a name in front of your own."
)


# How much of a thread was read: all of it, all since the last cut, or only the newest part
Reach = Literal["all", "cut", "part"]


@dataclass(frozen=True, slots=True)
class Budget:
    """What history may take: the model's room, and how many tokens and messages of it an operator allows."""

    prompt_tokens: int
    history_tokens: int
    history_messages: int

    @classmethod
    def of(cls, entry: ModelEntry, share: float = 1.0) -> "Budget":
        """The entry's budget, or a share of it for a model that found the whole too long."""
        return cls(int(entry.prompt_tokens * share), int(entry.history_tokens * share), entry.history_messages)


@dataclass(frozen=True, slots=True)
class Composed:
    """A prompt, and what was cut for it: `cut_ts` is where its history begins now, "" where that has not moved."""

    prompt: Prompt
    cut_ts: str = ""
    shortened: bool = False  # something older exists that the model does not see


def tokens(text: str) -> int:
    """About how many tokens a text takes; rather too many than too few."""
    return len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + 1


def characters(tokens_: int) -> int:
    """About how many characters surely fit into so many tokens; for telling people a limit."""
    return tokens_ * _BYTES_PER_TOKEN


def compose(
    history: Sequence[Exchange],
    question: Message,
    *,
    persona: str,
    place: Place,
    budget: Budget,
    sampling: Sampling,
    cache_salt: str = "",
    reach: Reach = "all",
) -> Composed:
    """The prompt for one question. Raises PromptTooLong, with the tokens it may have, if it alone is too long."""
    named = place == "channel"
    system = f"{persona}\n\n{_SEVERAL_PEOPLE}" if named else persona
    asked = _text(question, named=named)
    room = budget.prompt_tokens - tokens(system) - 4 * _TOKENS_PER_TURN - tokens(_CUT_NOTICE)
    if tokens(asked) > room:
        raise PromptTooLong(f"the question has about {tokens(asked)} tokens", limit_tokens=max(room, 0))
    kept = _newest(history, room - tokens(asked), budget, must_cut=reach == "part")
    shortened = reach != "all" or len(kept) < len(history)
    cut_ts = ""
    if len(kept) < len(history) or reach == "part":
        cut_ts = min((exchange.first_ts for exchange in kept), default=question.ts)
    said = [(m.role, _text(m, named=named)) for exchange in kept for m in exchange.messages]
    turns = _alternating([*said, ("user", asked)], _CUT_NOTICE if shortened else "")
    return Composed(Prompt(system, turns, sampling, cache_salt), cut_ts, shortened)


def _newest(history: Sequence[Exchange], room: int, budget: Budget, *, must_cut: bool) -> Sequence[Exchange]:
    """All of it if it fits; else the newest exchanges that fill three quarters of the budget.

    A part of a thread `must_cut` even where it fits: it begins with another message every time it is read.
    """
    token_limit = min(room, budget.history_tokens)
    costs = [sum(tokens(m.text) + tokens(m.name) + _TOKENS_PER_TURN for m in each.messages) for each in history]
    counts = [len(each.messages) for each in history]
    if sum(costs) <= token_limit and sum(counts) <= budget.history_messages and not must_cut:
        return history
    cost = count = 0
    for index in range(len(history) - 1, -1, -1):
        cost += costs[index]
        count += counts[index]
        if cost > token_limit * _KEPT_AFTER_A_CUT or count > budget.history_messages * _KEPT_AFTER_A_CUT:
            return history[index + 1 :]
    return history


def _text(message: Message, *, named: bool) -> str:
    text = message.text.strip()
    if message.role == "model":
        return text
    attached = "".join(f"\n[attached file, not shown: {file.name}]" for file in message.files)
    name = " ".join(message.name.split())
    said = (text + attached).strip()
    return f"{name}: {text}{attached}" if named and name and said else said


def _alternating(said: Sequence[tuple[str, str]], notice: str) -> tuple[PromptTurn, ...]:
    """Neighbours of one role merged, nothing empty, the user first."""
    parts = [("user", notice), *said]
    spoken = groupby(((role, text) for role, text in parts if text), key=lambda part: part[0])
    merged = [(role, "\n\n".join(text for _, text in each)) for role, each in spoken]
    turns = [PromptTurn("model" if role == "model" else "user", text) for role, text in merged]
    if turns and turns[0].role == "model":
        turns.insert(0, PromptTurn("user", _OPENING))
    return tuple(turns)
