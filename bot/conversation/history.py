"""A thread's messages in, what a turn's prompt may know of them out: closed exchanges and bystanders, in order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.conversation.thread import Message
from bot.conversation.turn import Turn
from bot.conversation.words import ControlWord, control_word, spoken_to_us


@dataclass(frozen=True, slots=True)
class Exchange:
    """What stays or goes together when history is cut: a question with its answer, or one bystander's message."""

    messages: tuple[Message, ...]
    order: str  # ts by which exchanges sort: when it was answered, or said

    @property
    def first_ts(self) -> str:
        """The ts of its oldest message."""
        return min(message.ts for message in self.messages)


def exchanges(messages: Sequence[Message], turn: Turn) -> list[Exchange]:
    """What was said before this turn: closed exchanges in the order they were answered, bystanders by ts between them.

    Left out: the turn's own question and any earlier answer to it, questions that still wait or whose answer was
    deleted, what bystanders said after the question, and words spoken to the bot itself.
    """
    oldest_ts = next((message.ts for message in messages if message.ts != turn.question_ts), "")
    answers: dict[str, list[Message]] = defaultdict(list)
    found = []
    for message in messages:
        if message.role == "model" and message.question_ts:
            answers[message.question_ts].append(message)
        elif message.role == "model":  # from before the mirror: nobody knows which question it answered
            found.append(Exchange((message,), message.ts))
    for message in messages:
        if message.role != "user" or message.ts == turn.question_ts or _control(message) is not None:
            continue
        answer = answers.pop(message.ts, [])
        if answer:
            last = max(answer, key=lambda each: each.ts)
            found.append(Exchange((message, last), last.ts))
        elif not message.turn_id and message.ts < turn.question_ts:
            found.append(Exchange((message,), message.ts))
    answers.pop(turn.question_ts, None)
    for orphans in answers.values():  # their questions were deleted, or are older than what was read
        last = max(orphans, key=lambda each: each.ts)
        if last.text and last.question_ts >= oldest_ts:
            found.append(Exchange((last,), last.ts))
    return sorted(found, key=lambda exchange: exchange.order)


def question(messages: Sequence[Message], turn: Turn) -> Message | None:
    """The turn's own question as it reads now; None if it was deleted."""
    return next((m for m in messages if m.role == "user" and m.ts == turn.question_ts), None)


def stop_since(messages: Sequence[Message], turn: Turn) -> Message | None:
    """A stop that was said after the question."""
    later = (m for m in messages if m.role == "user" and m.ts > turn.question_ts)
    return next((m for m in later if (word := _control(m)) is not None and word.kind == "stop"), None)


def _control(message: Message) -> ControlWord | None:
    return spoken_to_us(message) if message.turn_id else control_word(message.text, addressed=False)
