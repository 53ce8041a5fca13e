"""Prompts in, a self-hosted Gemma's answers out, over HTTP from vLLM, llama.cpp or Vertex Model Garden's container."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

from bot.conversation.models import Chunk, ModelEntry, Prompt, PromptTurn, Sampling
from bot.errors import ModelError, ModelMisconfigured, PromptTooLong
from bot.llm.catalogue import ModelSpec
from bot.llm.deadlines import in_time
from bot.llm.dialects import Dialect
from bot.llm.dialects.chat import Chat
from bot.llm.dialects.completions import Completions
from bot.llm.dialects.generate import Generate
from bot.llm.errors import from_exception, from_refusal, narrowed
from bot.llm.gathering import SHARED, Gathering
from bot.llm.templates import codelab, gemma3

CONNECT_S = 3.0
LIST_MODELS_S = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says it serves: the name to ask for, and its context in tokens, where it tells."""

    model: str
    context_tokens: int | None = None


@dataclass(slots=True)
class Key:
    """A server's key. What is put here counts from the next request on."""

    value: str = ""

    async def renew(self, value: str) -> None:
        """Put another key in its place."""
        self.value = value


class GemmaModel:
    """One Gemma on one inference server. Shares the session it is given and does not close it."""

    def __init__(
        self,
        spec: ModelSpec,
        *,
        session: aiohttp.ClientSession,
        api_key: str | Key = "",
        gathering: Gathering = SHARED,
    ) -> None:
        self._spec = spec
        self._entry = spec.entry
        self._session = session
        self._key = api_key if isinstance(api_key, Key) else Key(api_key)
        self._root = spec.url.rstrip("/").removesuffix("/v1")
        self._dialect = dialect_of(spec)
        self._gathering = gathering
        self._lists_models = spec.dialect != "generate"
        self._served: Served | None = None

    @property
    def entry(self) -> ModelEntry:
        """The catalogue's entry, or a narrower one where the server has said that its context is smaller."""
        return self._entry

    def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """See the port. The first request also asks the server what it serves; so does the next one after an error."""
        return in_time(self._chunks(prompt), self._entry)

    async def check(self) -> str:
        """Ask for what is served, then for one token: address, key, dialect and name are right where that succeeds."""
        if self._lists_models:
            self._served = await self._ask_served()
        start = monotonic()
        question = Prompt(system="", turns=(PromptTurn("user", "Hi"),), sampling=Sampling(max_tokens=1))
        async for _ in self.stream(question):
            pass
        name = (self._served.model if self._served else "") or self._spec.model or "its model"
        took = f"{monotonic() - start:.1f} s"
        return f"{name} at {self._root} answers in {took}; {self._entry.context_tokens} tokens of context"

    async def close(self) -> None:
        """Nothing of its own: the session belongs to who gave it."""

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        url = self._root + self._dialect.path
        try:
            body = await self._body(prompt)
            async with self._session.post(url, json=body, **self._options()) as response:
                await self._refuse(response, url)
                try:
                    with self._gathering.pieces(response) as pieces:
                        async for chunk in self._dialect.chunks(pieces, body):
                            yield chunk
                finally:
                    response.close()  # at once, also in the middle of an answer: that is what stops the server
        except PromptTooLong as exc:
            self._served = None
            self._entry = narrowed(self._entry, exc.limit_tokens)
            limit = self._entry.prompt_tokens if exc.limit_tokens else None
            raise PromptTooLong(str(exc), limit) from exc
        except ModelError:
            self._served = None
            raise
        except (aiohttp.ClientError, OSError) as exc:
            self._served = None
            raise from_exception(exc, url) from exc

    async def _body(self, prompt: Prompt) -> dict[str, Any]:
        served = await self._known()
        wanted = prompt.sampling.max_tokens or self._entry.answer_tokens
        chosen = {"temperature": prompt.sampling.temperature, "top_p": prompt.sampling.top_p}
        return self._dialect.body(
            prompt,
            model=served.model,
            max_tokens=min(wanted, self._entry.context_tokens - 1),  # more than the context is refused by vLLM
            sampling={
                name: value for name, value in chosen.items() if value is not None and name in self._entry.sampling
            },
        )

    async def _known(self) -> Served:
        """What is served: asked once, and again after an error. A server without the list may still answer."""
        if self._served is None:
            if not self._lists_models:
                return Served(self._spec.model)
            try:
                self._served = await self._ask_served()
            except UnlistedError:
                self._served = Served(self._spec.model)
        return self._served

    async def _ask_served(self) -> Served:
        url = self._root + "/v1/models"
        try:
            async with asyncio.timeout(LIST_MODELS_S), self._session.get(url, **self._options()) as response:
                if response.status == 404:
                    raise UnlistedError(
                        f"{url} does not exist there; check GEMMA_URL. "
                        "Model Garden's container needs GEMMA_DIALECT=generate"
                    )
                await self._refuse(response, url)
                listing = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError) as exc:
            raise from_exception(exc, url) from exc
        except ValueError as exc:
            raise ModelMisconfigured(f"{url} answers with something that is not JSON; check GEMMA_URL") from exc
        served = _pick(listing, self._spec.model, url)
        if served.context_tokens:
            self._entry = narrowed(self._spec.entry, served.context_tokens)
        return served

    def _options(self) -> dict[str, Any]:
        # A kept connection may be closed by the server just as a question is sent on it; a new one costs next to none.
        headers = {"Connection": "close"}
        if self._key.value:
            headers["Authorization"] = f"Bearer {self._key.value}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        return {"headers": headers, "timeout": timeout, "allow_redirects": False}

    @staticmethod
    async def _refuse(response: aiohttp.ClientResponse, url: str) -> None:
        if response.status != 200:
            body = (await response.content.read(64 * 1024)).decode("utf-8", "replace")
            raise from_refusal(response.status, response.headers, body, url)
        if response.content_type == "text/html":
            raise ModelMisconfigured(f"{url} answers with a web page; check GEMMA_URL")


class UnlistedError(ModelMisconfigured):
    """The server has no list of models."""


def dialect_of(spec: ModelSpec) -> Dialect:
    """How this entry's server is spoken to."""
    if spec.dialect == "chat":
        return Chat()
    template = {"gemma3": (gemma3.render, ()), "codelab": (codelab.render, codelab.STOP)}
    render, stop = template[spec.family]
    return Generate(render, stop) if spec.dialect == "generate" else Completions(render, stop)


def _pick(listing: Any, wanted: str, url: str) -> Served:
    """The model to ask for, out of `/v1/models`; raises ModelMisconfigured, naming both, if another one is served."""
    entries = listing.get("data") if isinstance(listing, dict) else None
    models = [entry for entry in entries or () if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    if not models:
        raise ModelMisconfigured(f"{url} lists no model; check GEMMA_URL")
    for entry in models:
        if wanted in ("", entry["id"]) or wanted in (entry.get("aliases") or ()):
            return Served(wanted or entry["id"], _context(entry))
    names = ", ".join(repr(entry["id"]) for entry in models)
    raise ModelMisconfigured(f"{url} serves {names}, not {wanted!r}; check GEMMA_MODEL")


def _context(entry: dict[str, Any]) -> int | None:
    meta = entry.get("meta")
    told = entry.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else None)
    return told if isinstance(told, int) and told > 0 else None
