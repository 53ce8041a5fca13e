"""Questions that say how they are to be answered in, such answers out."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable

from bot.conversation.models import Chunk, ModelEntry, Prompt
from bot.errors import ModelUnavailable, StreamBroken
from tests.doubles.sayings import entry

Tag = tuple[str, str, str, str]  # thread, question, version, how it is answered
TAG = re.compile(r"\[t(\d+) q(\d+) v(\d+) (\w+)\]")


def pieces(number: int, manner: str) -> list[str]:
    """What the model says to a question, piece by piece."""
    if manner == "quick":
        return [f"Answer to q{number}."]
    if manner == "long":
        return [f"Line {n} of the answer to q{number}, in some words.\n\n" for n in range(8)]
    return [f"Word{n}-q{number} " for n in range(6)]


class TaggedModel:
    """A model that answers as the question's tag says. `asked` is told the tags of each prompt."""

    def __init__(self, asked: Callable[[list[Tag]], None]) -> None:
        self.entry: ModelEntry = entry()
        self._asked = asked

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """The answer to the last question of the prompt."""
        tags = [tag for turn in prompt.turns for tag in TAG.findall(turn.text)]
        self._asked(tags)
        _, number, _, manner = tags[-1]
        await asyncio.sleep(0.3)
        if manner == "unavailable":
            raise ModelUnavailable("nobody there")
        said = pieces(int(number), manner)
        for n, piece in enumerate(said):
            if manner == "broken" and n == 3:
                raise StreamBroken("cut")
            yield Chunk(piece, finish="stop" if n == len(said) - 1 else None)
            await asyncio.sleep(0.0 if manner == "quick" else 1.3)

    async def check(self) -> str:
        """Always there."""
        return "scripted"

    async def close(self) -> None:
        """Nothing to free."""
