"""vLLM's wire format, without a GPU: scripted answers in the shapes that real servers were seen to send.

Strict about what vLLM refuses: the key, the model's name, sizes, unknown paths. `/generate` is that of Model Garden.
The recorded streams of real servers are in tests/payloads/gemma/.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.doubles.wire import Answer, Asked, ScriptedServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DONE = b"data: [DONE]\n\n"
CHARS_PER_TOKEN = 4

# What an instance of Model Garden's `/generate` may hold: two flags, the prompt, and SamplingParams' own fields.
INSTANCE_FIELDS = {"prompt", "stream", "raw_response", "max_tokens", "temperature", "top_p", "stop", "stop_token_ids"}


def event(data: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def text_event(text: str, finish: str | None = None) -> bytes:
    """A chunk as `/v1/completions` sends it."""
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish, "stop_reason": None}
    return event({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "gemma", "choices": [choice]})


def delta_event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """A chunk as `/v1/chat/completions` sends it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gemma", "choices": [choice]})


def usage_event(prompt: int, answer: int) -> bytes:
    """The chunk without choices that carries vLLM's usage."""
    usage = {"prompt_tokens": prompt, "total_tokens": prompt + answer, "completion_tokens": answer}
    return event({"id": "cmpl-1", "object": "text_completion", "model": "gemma", "choices": [], "usage": usage})


def error_event(message: str, code: int = 500) -> bytes:
    """How vLLM reports in mid-stream, under HTTP 200, that its engine died."""
    return event({"error": {"message": message, "type": "InternalServerError", "param": None, "code": code}})


def prediction(text: str, tokens: int = 1) -> bytes:
    """A piece of Model Garden's stream."""
    piece = {"predictions": [text], "output_token_counts": [tokens], "cumulative_logprobs": [None]}
    return json.dumps(piece).encode() + b"\0"


def stream(*pieces: bytes, **how: Any) -> Answer:
    """An answer that consists of these writes."""
    return Answer(pieces=pieces, content_type="text/event-stream; charset=utf-8", **how)


def says(words: Iterable[str], **how: Any) -> Answer:
    """A whole answer of `/v1/completions`."""
    said = list(words)
    pieces = [*map(text_event, said), text_event("", "stop"), usage_event(14, len(said)), DONE]
    return stream(*pieces, **how)


def refuses(status: int, body: object, **headers: str) -> Answer:
    """An answer that is a refusal; header names are written with _ for -."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(pieces=(json.dumps(body).encode(),), status=status, headers=names)


class GemmaServer(ScriptedServer):
    """A vLLM that says what it is told to say."""

    def __init__(self, *, key: str = "", model: str = "gemma", context: int = 4096) -> None:
        super().__init__(says(["Hello ", "from ", "the ", "double."]))
        self.key = key
        self.model = model
        self.context = context
        self.lists_models = True
        self.absent: set[str] = set()  # paths that this server does not have, as a real one has but some of them

    def application(self) -> web.Application:
        """The routes of both vLLM and Model Garden's container."""
        app = web.Application(client_max_size=2**26, middlewares=[self._absent])
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._completions)
        app.router.add_post("/v1/chat/completions", self._completions)
        app.router.add_post("/generate", self._generate)
        app.router.add_route("*", "/{anything:.*}", _not_found)
        return app

    @web.middleware
    async def _absent(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return await (_not_found if request.path in self.absent else handler)(request)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        if not self.lists_models:
            return await _not_found(request)
        if refused := self._unauthorized(request):
            return refused
        entry = {"id": self.model, "object": "model", "owned_by": "vllm", "max_model_len": self.context}
        return web.json_response({"object": "list", "data": [entry]})

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        if refused := self._unauthorized(request):
            return refused
        body = await self._record(request)
        if body.get("model") != self.model:
            words = f"The model `{body.get('model')}` does not exist. Valid aliases: {self.model}."
            return _error(404, words, "NotFoundError", "model")
        if body["max_tokens"] > self.context:
            words = f"max_tokens={body['max_tokens']} cannot be greater than max_model_len={self.context}."
            return _error(400, words, "BadRequestError", "max_tokens")
        tokens = len(json.dumps(body.get("prompt") or body["messages"])) // CHARS_PER_TOKEN
        if tokens >= self.context:
            words = (
                f"This model's maximum context length is {self.context} tokens. However, your prompt contains at least "
                f"{tokens} input tokens, which exceeds this limit even without any output tokens."
            )
            return _error(400, words, "BadRequestError", "input_tokens")
        return await self.next_answer(request)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await self._record(request)
        (instance,) = body["instances"]
        if unknown := instance.keys() - INSTANCE_FIELDS:
            return web.Response(status=500, text=f"TypeError: unexpected keyword argument {min(unknown)!r}")
        return await self.next_answer(request)

    async def _record(self, request: web.Request) -> Any:
        body = await request.json()
        self.requests.append(Asked(request.path_qs, dict(request.headers), body))
        return body

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        return None


async def _not_found(_: web.Request) -> web.Response:
    return web.json_response({"detail": "Not Found"}, status=404)


def _error(status: int, message: str, kind: str, param: str) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": kind, "param": param, "code": status}}, status=status
    )


@asynccontextmanager
async def gemma_server(**settings: Any) -> AsyncIterator[GemmaServer]:
    """A running one."""
    server = GemmaServer(**settings)
    async with server.serving(server.application()):
        yield server
