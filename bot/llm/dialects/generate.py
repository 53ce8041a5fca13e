"""`/generate` of Vertex Model Garden's vLLM container: a prompt string in, chunks out.

Its stream is JSON objects divided by NUL, each with the next piece of text. It has no finish reason and no end mark:
the HTTP body's own end is the only sign that an answer is whole, and the count of tokens the only sign of an answer
that was cut at max_tokens.
"""

import codecs
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from bot.conversation.models import Chunk, Prompt
from bot.conversation.thread import Usage
from bot.errors import StreamBroken
from bot.llm.dialects import END_OF_TURN_IDS, Body
from bot.llm.dialects.events import parse


@dataclass(frozen=True, slots=True)
class Generate:
    """Prompts as one string, by a template of ours."""

    render: Callable[[Prompt], str]
    stop: tuple[str, ...] = ()
    path: str = "/generate"

    def body(self, prompt: Prompt, *, model: str, max_tokens: int, sampling: Mapping[str, float]) -> Body:
        """Every field but the first three becomes a sampling parameter there; an unknown one would be an error 500."""
        instance = {
            "prompt": self.render(prompt),
            "stream": True,
            "raw_response": True,  # else the prompt comes back with the answer
            "max_tokens": max_tokens,
            "stop_token_ids": list(END_OF_TURN_IDS),
            **({"stop": list(self.stop)} if self.stop else {}),
            **sampling,
        }
        return {"instances": [instance]}

    async def chunks(self, data: AsyncIterator[bytes], body: Body) -> AsyncGenerator[Chunk, None]:
        """Text as it arrives, then one last chunk with finish and usage; raises StreamBroken for what is no answer."""
        asked = body["instances"][0]
        echo = Echo(asked["prompt"])
        tokens = 0
        async with aclosing(_objects(data)) as objects:
            async for message in objects:
                tokens += sum(count for count in _list(message, "output_token_counts") if isinstance(count, int))
                for text in _list(message, "predictions"):
                    if not isinstance(text, str):
                        raise StreamBroken("the stream holds a prediction that is no text")
                    yield Chunk(text=echo.strip(text))
        if rest := echo.flush():
            yield Chunk(text=rest)
        full = tokens >= asked["max_tokens"]
        yield Chunk(finish="length" if full else "stop", usage=Usage(answer=tokens) if tokens else None)


@dataclass(slots=True)
class Echo:
    """Takes the prompt off the front of an answer, where an older container repeats it; never looks further in."""

    prompt: str
    _held: str = field(default="", init=False)
    _passed: bool = field(default=False, init=False)

    def strip(self, text: str) -> str:
        """What of the answer so far can be shown; holds back what may yet turn out to be the echo."""
        if self._passed:
            return text
        self._held += text
        for echo in (f"Prompt:\n{self.prompt.strip()}\nOutput:\n", self.prompt):
            if self._held.startswith(echo):
                self._held = self._held.removeprefix(echo)
                return self.flush()
            if echo.startswith(self._held):
                return ""
        return self.flush()

    def flush(self) -> str:
        """What is still held back."""
        text, self._held, self._passed = self._held, "", True
        return text


async def _objects(data: AsyncIterator[bytes]) -> AsyncGenerator[dict[str, Any], None]:
    """The JSON objects of a stream, divided by NUL; the last may go without."""
    decode = codecs.getincrementaldecoder("utf-8")("strict").decode
    rest = ""
    try:
        async for chunk in data:
            *whole, rest = (rest + decode(chunk)).split("\0")
            for text in whole:
                yield parse(text)
        rest += decode(b"", final=True)
    except UnicodeDecodeError as exc:
        raise StreamBroken("the stream is not UTF-8") from exc
    if rest.strip():
        yield parse(rest)


def _list(message: dict[str, Any], name: str) -> list[Any]:
    """A list of the message. One without predictions is no answer; the other lists may be missing."""
    value = message.get(name, None if name == "predictions" else [])
    if not isinstance(value, list):
        raise StreamBroken(f"the stream holds an object without a list of {name}")
    return value
