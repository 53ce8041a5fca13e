"""A message's text in, the control word it is out: stop, model, help, or none.

Control words are spoken to the bot itself and are never part of a prompt. Slash commands do not work inside Slack's
threads, which is why `model` has a spoken form.
"""

import re
from dataclasses import dataclass
from typing import Literal

from bot.conversation.thread import Message

_STOP = re.compile(r"[!/]?stop[.!]*", re.IGNORECASE)
_HELP = re.compile(r"(?P<mark>[!/]?)help[.!?]*", re.IGNORECASE)
_MODEL = re.compile(r"(?P<mark>[!/]?)model(?:\s+(?P<name>.+))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class ControlWord:
    """`argument` is the model's name as typed, or ""."""

    kind: Literal["stop", "model", "help"]
    argument: str = ""


def control_word(text: str, *, addressed: bool) -> ControlWord | None:
    """The control word that a whole message is, or None.

    `addressed` means that it was said to the bot (a mention, or a DM). Without that, only the marked forms `!model x`,
    `!help` and `!stop`, and the bare `stop`, count. With it, a bare `help` or `model gemini` counts too, the latter
    only as long as what follows could be a name: "model a supply chain for me" is a question.
    """
    words = text.strip()
    if not words:
        return ControlWord("help") if addressed else None
    if _STOP.fullmatch(words):
        return ControlWord("stop")
    match = _HELP.fullmatch(words)
    if match and (match["mark"] or addressed):
        return ControlWord("help")
    match = _MODEL.fullmatch(words)
    if match is None:
        return None
    name = (match["name"] or "").strip()
    if match["mark"] or (addressed and len(name.split()) <= _LONGEST_NAME):
        return ControlWord("model", name)
    return None


def spoken_to_us(question: Message) -> ControlWord | None:
    """The control word that a question is, or None; what comes with a file is a question."""
    return None if question.files else control_word(question.text, addressed=not question.in_passing)


def quoted(text: str) -> str:
    """The beginning of a message, on a line of its own."""
    line = " ".join(text.split())
    return f"> {line[:_LONGEST_QUOTE]}…" if len(line) > _LONGEST_QUOTE else f"> {line}"


_LONGEST_QUOTE = 150  # characters
_LONGEST_NAME = 3  # words: "Gemma 3 12B" is a label that people may type
