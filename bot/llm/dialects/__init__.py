"""How inference servers are spoken to: prompt in, request body out; response bytes in, chunks out."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Protocol

from bot.conversation.models import Chunk, Prompt

Body = dict[str, Any]  # a request's JSON
END_OF_TURN_IDS = (106,)  # `<end_of_turn>` in Gemma 3, `<turn|>` in Gemma 4: never shown, so no stop string finds it


class Dialect(Protocol):
    """One endpoint of an inference server."""

    @property
    def path(self) -> str:
        """Below the server's root."""
        ...

    def body(self, prompt: Prompt, *, model: str, max_tokens: int, sampling: Mapping[str, float]) -> Body:
        """The request, of a fixed set of fields: what a user writes never becomes a field."""
        ...

    def chunks(self, data: AsyncIterator[bytes], body: Body) -> AsyncGenerator[Chunk, None]:
        """The response to `body` as it arrives, the last chunk with `finish`; raises StreamBroken if not whole."""
        ...
