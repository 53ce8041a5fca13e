"""A Model that says what a test tells it to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from bot.conversation.models import Chunk, ModelEntry, Prompt
from tests.doubles.sayings import entry

Line = str | Chunk | Exception | float  # text, a whole chunk, an error to raise, or seconds to wait


@dataclass
class ScriptedModel:
    """One script an answer, the last one for all that follow; a script without a finish gets `stop`."""

    scripts: list[list[Line]] = field(default_factory=lambda: [["Hello."]])
    entry: ModelEntry = field(default_factory=entry)
    prompts: list[Prompt] = field(default_factory=list)
    closed: int = 0  # streams left before their end

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """The next script."""
        self.prompts.append(prompt)
        script = self.scripts[0] if len(self.scripts) == 1 else self.scripts.pop(0)
        finished = False
        try:
            for line in script:
                if isinstance(line, float):
                    await asyncio.sleep(line)
                elif isinstance(line, Exception):
                    finished = True
                    raise line
                elif isinstance(line, Chunk):
                    finished = line.finish is not None
                    yield line
                else:
                    yield Chunk(line)
            if not finished:
                finished = True
                yield Chunk(finish="stop")
        finally:
            self.closed += not finished

    async def check(self) -> str:
        """Always there."""
        return "scripted"

    async def close(self) -> None:
        """Nothing to free."""
