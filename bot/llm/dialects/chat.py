"""`/v1/chat/completions`: messages in, chunks out; the server renders the template."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.conversation.models import Chunk, Prompt
from bot.llm.dialects import END_OF_TURN_IDS, Body, events
from bot.llm.templates.messages import messages


@dataclass(frozen=True, slots=True)
class Chat:
    """Prompts as messages."""

    path: str = "/v1/chat/completions"

    def body(self, prompt: Prompt, *, model: str, max_tokens: int, sampling: Mapping[str, float]) -> Body:
        """The same fields as for completions, but for the prompt."""
        return {
            "model": model,
            "messages": messages(prompt),
            "max_tokens": max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "stop_token_ids": list(END_OF_TURN_IDS),
            **sampling,
            **({"cache_salt": prompt.cache_salt} if prompt.cache_salt else {}),
        }

    def chunks(self, data: AsyncIterator[bytes], body: Body) -> AsyncGenerator[Chunk, None]:
        """See `events.chunks`. What a reasoning parser set apart is no part of the answer."""
        return events.chunks(data, _text)


def _text(choice: Any) -> object:
    delta = choice.get("delta")
    return delta.get("content") if isinstance(delta, dict) else None
