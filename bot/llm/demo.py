"""Prompts in, canned Markdown out: the built-in model that says plainly that it is none, streaming like the others."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable

from bot.conversation.models import Chunk, ModelEntry, Prompt
from bot.conversation.thread import Usage
from bot.llm.deadlines import in_time

PACE_S = 0.02  # between two pieces: about 50 words a second, as a small model would
QUOTE_CHARS = 300

NO_AI = "I am Tandem's built-in demo, *not an AI*: my answers are canned. They stream as a model's would."

CONNECT = """To talk to a real model, start Tandem again with one of these set:

- `GEMINI_API_KEY`: Gemini, with a key from Google AI Studio
- `GOOGLE_CLOUD_PROJECT`: Gemini on Vertex AI
- `GEMMA_URL`: your own Gemma on vLLM or llama.cpp

```sh
GEMINI_API_KEY=… make run
```"""

OFFER = "Ask me for a *table*, for *code*, or for something *long*, to see how such answers look in Slack."

CODE = '''Here is some code, as a model would send it:

```python
def fizzbuzz(number: int) -> str:
    """Three is Fizz, five is Buzz."""
    words = {3: "Fizz", 5: "Buzz"}
    return "".join(word for divisor, word in words.items() if number % divisor == 0) or str(number)


print("\\n".join(map(fizzbuzz, range(1, 16))))
```'''

TABLE = """Here is a table:

| Model | Runs | Good for |
|---|---|---|
| Gemma | on your own GPUs | what must not leave the cluster |
| Gemini | on Vertex AI | long threads and hard questions |
| Demo | inside Tandem | a first look |"""


class DemoModel:
    """Answers the same question always in the same way."""

    def __init__(self, entry: ModelEntry, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._entry = entry
        self._sleep = sleep

    @property
    def entry(self) -> ModelEntry:
        """Its place in the catalogue; `where` is "built-in"."""
        return self._entry

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """See the port: a word at a time."""
        return in_time(self._chunks(prompt), self._entry)

    async def check(self) -> str:
        """It always answers."""
        return "the built-in demo answers; it is no AI"

    async def close(self) -> None:
        """It holds nothing."""

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        pieces = re.findall(r"\s*\S+\s*?", answer(prompt))
        limit = prompt.sampling.max_tokens or self._entry.answer_tokens
        for piece in pieces[:limit]:
            await self._sleep(PACE_S)
            yield Chunk(text=piece)
        asked = sum(len(turn.text.split()) for turn in prompt.turns)
        usage = Usage(prompt=asked, answer=min(len(pieces), limit))
        yield Chunk(finish="length" if len(pieces) > limit else "stop", usage=usage)


def answer(prompt: Prompt) -> str:
    """The whole answer, chosen by the words of the last question."""
    question = prompt.turns[-1].text.strip()
    words = set(re.findall(r"[a-z]+", question.casefold()))
    parts = [f"You said:\n\n{_quoted(question)}"]
    if len(prompt.turns) > 1:
        earlier = sum(turn.role == "user" for turn in prompt.turns) - 1
        parts.append(f"Before that you asked {earlier} more in this thread, and I remember them all.")
    if "table" in words:
        parts.append(TABLE)
    if "code" in words:
        parts.append(CODE)
    if "long" in words:
        parts += map(_paragraph, range(1, 41))
    if len(parts) == 1 or words & {"help", "connect", "model"}:
        parts.append(CONNECT)
    return "\n\n".join([NO_AI, *parts, OFFER])


def _quoted(text: str) -> str:
    cut = text if len(text) <= QUOTE_CHARS else text[:QUOTE_CHARS].rstrip() + " …"
    return "\n".join(f"> {line}" for line in cut.splitlines())


def _paragraph(number: int) -> str:
    return (
        f"**Paragraph {number}.** A long answer grows in front of the reader: Tandem sends it in steps that Slack's "
        "limits allow, and goes on in a second message before the first one becomes too long for Slack to show. "
        f"Nothing of it is lost on the way, and this is sentence {2 * number} to prove it."
    )
