"""Prompts in, Gemini's answers out, by google-genai from Vertex AI or the Gemini Developer API."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.conversation.models import Chunk, FinishReason, ModelEntry, Prompt
from bot.conversation.thread import Usage
from bot.errors import ModelUnavailable, PromptTooLong, StreamBroken
from bot.llm.catalogue import ModelSpec
from bot.llm.deadlines import in_time
from bot.llm.errors import narrowed
from bot.llm.gemini_errors import ThinkingRefused, Unreadable, from_exception
from bot.llm.pump import pumped
from bot.llm.templates.neutral import without_tags

if TYPE_CHECKING:  # half a second to import, and only who uses Gemini needs it
    from google.genai import Client, types

CHECK_S = 10.0

# https://ai.google.dev/api/generate-content#FinishReason
FINISHES: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
        "blocked",
    ),
}


@dataclass(frozen=True, slots=True)
class GeminiAccess:
    """An API key, or a Google Cloud project (which wins). `model` replaces that of the catalogue's first Gemini."""

    api_key: str = ""
    project: str = ""
    location: str = "global"
    model: str = ""
    vertex_base_url: str = ""
    gemini_base_url: str = ""


class GeminiModel:
    """One Gemini. Shares the session it is given and does not close it; connects when it is first asked."""

    def __init__(self, spec: ModelSpec, access: GeminiAccess, *, session: aiohttp.ClientSession) -> None:
        self._spec = spec
        self._entry = spec.entry
        self._access = access
        self._session = session
        self._connecting = asyncio.Lock()
        self._client: Client | None = None
        self._thinks = bool(spec.thinking)

    @property
    def entry(self) -> ModelEntry:
        """The catalogue's entry, or a narrower one where Google has said that the context is smaller."""
        return self._entry

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """See the port. Thoughts are no part of the answer; they count in its usage and as signs of life."""
        return in_time(self._chunks(prompt), self._entry)

    async def check(self) -> str:
        """Have a word counted, which costs nothing and needs the same address, credentials and model."""
        start = monotonic()
        try:
            async with asyncio.timeout(CHECK_S):
                client = await self._connected()
                await client.aio.models.count_tokens(model=self._spec.model, contents="Hi")
        except TimeoutError as exc:
            raise ModelUnavailable(f"{self._spec.model} did not answer in {CHECK_S:g} s") from exc
        except Exception as exc:
            raise from_exception(exc, self._spec.model, self._access.project, self._access.location) from exc
        where = f"project {self._access.project}, {self._access.location}" if self._access.project else "API key"
        return f"{self._spec.model} ({where}) answers in {monotonic() - start:.1f} s"

    async def close(self) -> None:
        """Close the client, not the session."""
        if self._client is not None:
            await self._client.aio.aclose()
            self._client.close()
            self._client = None

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """The answer; asked for once more without the thinking setting where the model refuses that."""
        try:
            async with aclosing(self._answer(prompt)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        except ThinkingRefused:
            if not self._thinks:
                raise
            self._thinks = False
        async with aclosing(self._answer(prompt)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _answer(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        last: Chunk | None = None
        usage: Usage | None = None
        try:
            client = await self._connected()
            ask = partial(
                client.aio.models.generate_content_stream,
                model=self._spec.model,
                contents=_contents(prompt),
                config=self._config(prompt),
            )
            async with aclosing(pumped(ask)) as responses:
                async for response in responses:
                    usage = _usage(response) or usage
                    last = _last(response) or last
                    yield Chunk(text=_text(response))
        except PromptTooLong:
            raise
        except Exception as exc:
            error = from_exception(exc, self._spec.model, self._access.project, self._access.location)
            if isinstance(error, PromptTooLong):
                self._entry = narrowed(self._entry, error.limit_tokens)
                error.limit_tokens = self._entry.prompt_tokens if error.limit_tokens else None
            raise error from (None if isinstance(error, Unreadable) else exc)
        if last is None:
            raise StreamBroken(f"{self._spec.model}: the stream ended without a finish reason")
        yield Chunk(finish=last.finish, detail=last.detail, usage=usage)

    async def _connected(self) -> "Client":
        async with self._connecting:
            if self._client is None:
                self._client = await asyncio.to_thread(_connect, self._access, self._session)
        return self._client

    def _config(self, prompt: Prompt) -> "types.GenerateContentConfig":
        from google.genai import types

        wanted, takes = prompt.sampling, self._entry.sampling
        return types.GenerateContentConfig(
            system_instruction=without_tags(prompt.system) or None,
            max_output_tokens=wanted.max_tokens or self._entry.answer_tokens,
            temperature=wanted.temperature if "temperature" in takes else None,
            top_p=wanted.top_p if "top_p" in takes else None,
            thinking_config=_thinking(self._spec.thinking) if self._thinks else None,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,  # one turn is one request: its deadlines and its cost are of that one
        )


def _connect(access: GeminiAccess, session: aiohttp.ClientSession) -> "Client":
    """The client, made in a thread: the import takes half a second. Credentials are looked for at the first request."""
    from google.genai import Client, types

    options = types.HttpOptions(
        aiohttp_client=session,
        base_url=(access.vertex_base_url if access.project else access.gemini_base_url) or None,
        retry_options=types.HttpRetryOptions(attempts=1),  # retrying is bot.llm.retry's
    )
    if access.project:
        return Client(enterprise=True, project=access.project, location=access.location, http_options=options)
    return Client(enterprise=False, api_key=access.api_key, http_options=options)


def _thinking(level: str) -> "types.ThinkingConfig":
    from google.genai import types

    return types.ThinkingConfig(thinking_level=types.ThinkingLevel(level.upper()))


def _contents(prompt: Prompt) -> "list[types.Content]":
    from google.genai import types

    return [
        types.Content(role=turn.role, parts=[types.Part.from_text(text=without_tags(turn.text))])
        for turn in prompt.turns
    ]


def _text(response: "types.GenerateContentResponse") -> str:
    content = response.candidates[0].content if response.candidates else None
    parts = (content.parts if content else None) or ()
    return "".join(part.text for part in parts if part.text and not part.thought)


def _last(response: "types.GenerateContentResponse") -> Chunk | None:
    """How the answer ended, if this response says so; raises StreamBroken for an end that is a failure."""
    feedback = response.prompt_feedback
    if feedback and feedback.block_reason:
        return Chunk(finish="blocked", detail=_word(feedback.block_reason))
    reason = response.candidates[0].finish_reason if response.candidates else None
    if reason is None or _word(reason) == "FINISH_REASON_UNSPECIFIED":
        return None
    if _word(reason) not in FINISHES:
        raise StreamBroken(f"Gemini ended the answer with {_word(reason)}")
    finish = FINISHES[_word(reason)]
    return Chunk(finish=finish, detail="" if finish == "stop" else _word(reason))


def _word(reason: Any) -> str:
    return str(getattr(reason, "value", reason))


def _usage(response: "types.GenerateContentResponse") -> Usage | None:
    counts = response.usage_metadata
    if counts is None or counts.prompt_token_count is None:
        return None
    return Usage(
        prompt=counts.prompt_token_count,
        answer=counts.candidates_token_count or 0,
        thoughts=counts.thoughts_token_count or 0,
        cached=counts.cached_content_token_count or 0,
    )
