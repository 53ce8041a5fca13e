"""`/v1/completions`: a prompt string of our own rendering in, chunks out (vLLM, llama.cpp and their like)."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from bot.conversation.models import Chunk, Prompt
from bot.llm.dialects import END_OF_TURN_IDS, Body, events


@dataclass(frozen=True, slots=True)
class Completions:
    """Prompts as one string, by a template of ours."""

    render: Callable[[Prompt], str]
    stop: tuple[str, ...] = ()
    path: str = "/v1/completions"

    def body(self, prompt: Prompt, *, model: str, max_tokens: int, sampling: Mapping[str, float]) -> Body:
        """Without max_tokens vLLM would answer with 16 tokens."""
        return {
            "model": model,
            "prompt": self.render(prompt),
            "max_tokens": max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "stop_token_ids": list(END_OF_TURN_IDS),
            **({"stop": list(self.stop)} if self.stop else {}),
            **sampling,
            **({"cache_salt": prompt.cache_salt} if prompt.cache_salt else {}),
        }

    def chunks(self, data: AsyncIterator[bytes], body: Body) -> AsyncGenerator[Chunk, None]:
        """See `events.chunks`."""
        return events.chunks(data, lambda choice: choice.get("text"))
