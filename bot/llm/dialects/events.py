"""The event stream of the OpenAI-compatible endpoints in, chunks out: every oddity of vLLM's and llama.cpp's."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any

from bot.conversation.models import Chunk, FinishReason
from bot.conversation.thread import Usage
from bot.errors import StreamBroken
from bot.llm.errors import error_words
from bot.llm.sse import EventStream

DONE = "[DONE]"
FINISHES: dict[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "blocked"}


async def chunks(data: AsyncIterator[bytes], text_of: Callable[[Any], object]) -> AsyncGenerator[Chunk, None]:
    """Text as it arrives, then one last chunk with finish and usage, once the stream has said that it is whole.

    `text_of` takes the text out of a choice; what arrives together is one chunk. An answer is whole only with a finish
    reason *and* `[DONE]`: a server that is shut down says `abort`, one whose engine dies sends an error and then
    `[DONE]`, one that is cut sends neither.
    """
    stream, answer = EventStream(), _Answer(text_of)
    async for piece in data:
        broken: StreamBroken | None = None
        try:
            answer.take(stream.feed(piece))
        except StreamBroken as exc:
            broken = exc
        if (text := answer.said()) is not None:
            yield Chunk(text=text)
        if broken is not None:
            raise broken
        if answer.done:
            break
    if not answer.done:
        raise StreamBroken("the stream ended without [DONE]")
    if answer.finish is None:
        raise StreamBroken("the stream ended without a finish reason")
    yield Chunk(finish=answer.finish, usage=answer.usage)


class _Answer:
    """What a stream's events have said so far."""

    def __init__(self, text_of: Callable[[Any], object]) -> None:
        self.finish: FinishReason | None = None
        self.usage: Usage | None = None
        self.done = False
        self._text_of = text_of
        self._texts: list[str] = []

    def take(self, events: list[str]) -> None:
        """Read what arrived together; raises StreamBroken, after what came before the broken event was read."""
        if DONE in events:
            events = events[: events.index(DONE)]
            self.done = True
        for message in _together(events):
            self._read(message)

    def _read(self, message: dict[str, Any]) -> None:
        self.usage = read_usage(message.get("usage")) or self.usage
        for choice in message.get("choices") or ():
            self.finish = _finish(choice) or self.finish
            text = self._text_of(choice)
            self._texts.append(text if isinstance(text, str) else "")

    def said(self) -> str | None:
        """The text since this was asked last; None where no choice came, "" where one came without text."""
        texts, self._texts = self._texts, []
        return "".join(texts) if texts else None


def _together(events: list[str]) -> Iterator[dict[str, Any]]:
    """Each event's JSON object; raises StreamBroken at the first that is none.

    To parse them as one list costs half as much. Where that fails, one after another tells which of them is broken.
    """
    try:
        messages = json.loads(f"[{','.join(events)}]")
    except ValueError:
        messages = []
    if len(messages) != len(events):
        yield from map(parse, events)
    else:
        yield from map(_checked, messages)


def parse(text: str) -> dict[str, Any]:
    """One JSON object of a stream; raises StreamBroken where it is none, or reports an error under HTTP 200."""
    try:
        message = json.loads(text)
    except ValueError as exc:
        raise StreamBroken("the answer holds something that is not JSON; check GEMMA_URL and GEMMA_DIALECT") from exc
    return _checked(message)


def _checked(message: Any) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise StreamBroken("the stream holds JSON that is no object")
    if message.get("error") is not None:
        raise StreamBroken(f"the server reports in mid-stream: {error_words(message['error'])}")
    return message


def _finish(choice: Any) -> FinishReason | None:
    if not isinstance(choice, dict):
        raise StreamBroken("the stream holds a choice that is no object")
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    if reason not in FINISHES:
        raise StreamBroken(f"the server ended the answer with {reason!r}")
    return FINISHES[reason]


def read_usage(usage: Any) -> Usage | None:
    """What the server counted; None where it did not."""
    if not isinstance(usage, dict):
        return None
    thoughts = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    return Usage(
        prompt=_count(usage, "prompt_tokens"),
        answer=max(0, _count(usage, "completion_tokens") - thoughts),
        thoughts=thoughts,
        cached=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
    )


def _count(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) else 0
