"""Prompts in, known answers out at a set pace: a model's stand-in that speaks vLLM's completions and Gemini's REST.

`python -m bench.standin` prints its address. A question that the prompt asks last (bench/replies.py) is answered token
by token: the first after `--first-ms`, each next one after `--token-ms`. `GET /log` tells when each question
whose name begins with `of` came, and when the first and last token left, in seconds since the epoch; `POST /pace` sets
another pace and forgets the log.
"""

import argparse
import asyncio
import contextlib
import heapq
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import ClientConnectionResetError, web

from bench.replies import answer, asked

NAME = "gemma-stand-in"
CONTEXT_TOKENS = 32_768
TICK_S = 0.001  # whatever is due within it leaves together


@dataclass(slots=True)
class Asked:
    """One request, and when what happened to it; 0 = not yet."""

    question: str
    prompt_chars: int
    arrived: float
    first: float = 0.0
    last: float = 0.0


@dataclass(slots=True)
class Stream:
    """An answer on its way: the bytes of each token, and where they go."""

    log: Asked
    pieces: Iterator[bytes]
    transport: asyncio.Transport
    done: asyncio.Future[None]


@dataclass(slots=True)
class StandIn:
    """All streams on one clock: a task and a timer for each token would cost more than the tokens."""

    first_s: float
    token_s: float
    log: list[Asked] = field(default_factory=list)
    _due: list[tuple[float, int, Stream]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def application(self) -> web.Application:
        """Its routes; the tokens' clock runs as long as it serves."""
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._completions)
        app.router.add_post("/{version:v1|v1beta}/models/{call}", self._gemini)
        app.router.add_get("/log", self._told)
        app.router.add_post("/pace", self._paced)
        app.cleanup_ctx.append(self._running)
        return app

    async def _models(self, _: web.Request) -> web.Response:
        served = {"id": NAME, "object": "model", "max_model_len": CONTEXT_TOKENS}
        return web.json_response({"object": "list", "data": [served]})

    async def _told(self, request: web.Request) -> web.Response:
        wanted = request.query.get("of", "")
        return web.json_response([asdict(asked) for asked in self.log if asked.question.startswith(wanted)])

    async def _paced(self, request: web.Request) -> web.Response:
        pace = await request.json()
        self.first_s, self.token_s = pace["first_ms"] / 1000, pace["token_ms"] / 1000
        self.log.clear()
        return web.json_response({"ok": True})

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        prompt = (await request.json())["prompt"]
        return await self._stream(request, prompt, _vllm)

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        contents = (await request.json())["contents"]
        return await self._stream(request, contents[-1]["parts"][-1]["text"], _google)

    async def _stream(
        self, request: web.Request, prompt: str, encode: Callable[[list[str], int], Iterator[bytes]]
    ) -> web.StreamResponse:
        name, tokens = asked(prompt)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        log = Asked(name, len(prompt), time.time())
        self.log.append(log)
        assert request.transport is not None  # noqa: S101 - it was there a moment ago
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stream = Stream(log, encode(answer(name, tokens), len(prompt) // 4), request.transport, done)
        self._push(asyncio.get_running_loop().time() + self.first_s, stream)
        self._news.set()
        await done
        with contextlib.suppress(ClientConnectionResetError):  # whoever has heard [DONE] may be gone
            await response.write_eof()
        return response

    def _push(self, due: float, stream: Stream) -> None:
        heapq.heappush(self._due, (due, next(self._numbers), stream))

    async def _running(self, _: web.Application) -> Any:
        clock = asyncio.create_task(self._run())
        yield
        clock.cancel()

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            if not self._due:
                self._news.clear()
                await self._news.wait()
            await asyncio.sleep(max(TICK_S, self._due[0][0] - now()))
            while self._due and self._due[0][0] <= now():
                due, _, stream = heapq.heappop(self._due)
                if self._send(stream):
                    self._push(due + self.token_s, stream)

    def _send(self, stream: Stream) -> bool:
        """Write the next token past aiohttp, whose writer costs several times as much; whether another follows."""
        piece = next(stream.pieces, None)
        if piece is None or stream.transport.is_closing():
            if not stream.done.done():
                stream.done.set_result(None)
            return False
        stream.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        stream.log.last = time.time()
        stream.log.first = stream.log.first or stream.log.last
        return True


def _vllm(tokens: list[str], prompt_tokens: int) -> Iterator[bytes]:
    """As vLLM: an event a token, the last one with the finish reason; with it leave the usage and [DONE]."""
    head = '"id":"cmpl-0f1e2d3c4b5a69788796a5b4c3d2e1f0","object":"text_completion","created":1763740000'
    begin, end = f'data: {{{head},"model":"{NAME}","choices":[', "]}\n\n"
    for token in tokens[:-1]:
        choice = f'{{"index":0,"text":{json.dumps(token)},"logprobs":null,"finish_reason":null,"stop_reason":null}}'
        yield f"{begin}{choice}{end}".encode()
    choice = f'{{"index":0,"text":{json.dumps(tokens[-1])},"logprobs":null,"finish_reason":"stop","stop_reason":null}}'
    counts = f'"prompt_tokens":{prompt_tokens},"total_tokens":{prompt_tokens + len(tokens)}'
    usage = f'],"usage":{{{counts},"completion_tokens":{len(tokens)}}}}}\n\ndata: [DONE]\n\n'
    yield f"{begin}{choice}{end}{begin}{usage}".encode()


def _google(tokens: list[str], prompt_tokens: int) -> Iterator[bytes]:
    """As Gemini's streamGenerateContent: a response a token, the last one with finish reason and usage."""
    for n, token in enumerate(tokens, start=1):
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": token}]}, "index": 0}
        response: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-stand-in"}
        if n == len(tokens):
            candidate["finishReason"] = "STOP"
            total = {"totalTokenCount": prompt_tokens + n}
            response["usageMetadata"] = {"promptTokenCount": prompt_tokens, "candidatesTokenCount": n, **total}
        yield b"data: " + json.dumps(response, separators=(",", ":")).encode() + b"\r\n\r\n"


async def _serve(first_ms: float, token_ms: float) -> None:
    runner = web.AppRunner(StandIn(first_ms / 1000, token_ms / 1000).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"stand-in ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m bench.standin")
    parser.add_argument("--first-ms", type=float, default=200, help="until the first token")
    parser.add_argument("--token-ms", type=float, default=10, help="between two tokens")
    options = parser.parse_args()
    asyncio.run(_serve(options.first_ms, options.token_ms))


if __name__ == "__main__":
    main()
