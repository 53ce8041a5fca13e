"""What inference servers really stream, and what the Gemma adapter makes of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.errors import ModelUnavailable, StreamBroken
from tests.doubles.asking import answer_of, entry_with, model_at, text_until_error
from tests.doubles.gemma_server import (
    DONE,
    GemmaServer,
    error_event,
    event,
    gemma_server,
    says,
    stream,
    text_event,
    usage_event,
)

UMLAUT = 'data: {"choices": [{"text": "ü🎉"}]}\n\n'
STOPS = text_event("", "stop")
PAYLOADS = Path(__file__).parents[1] / "payloads" / "gemma"


@pytest.fixture
async def server() -> AsyncIterator[GemmaServer]:
    async with gemma_server() as running:
        yield running


ODD = {
    "empty chunks": ([text_event(""), text_event(""), text_event("Hi"), text_event("", "stop"), DONE], "Hi"),
    "text in the last chunk": ([text_event("H"), text_event("i", "stop"), DONE], "Hi"),
    "usage without choices": ([text_event("Hi", "stop"), usage_event(3, 1), DONE], "Hi"),
    "comments": ([b": ping\n\n", text_event("Hi"), b":\n", text_event("", "stop"), DONE], "Hi"),
    "CRLF": ([text_event("Hi", "stop").replace(b"\n", b"\r\n"), DONE], "Hi"),
    "other fields": ([b"event: x\nid: 1\nretry: 5\n" + text_event("Hi", "stop"), DONE], "Hi"),
    "missing keys": ([UMLAUT.encode(), event({"choices": [{"finish_reason": "stop"}]}), DONE], "ü🎉"),
    "an empty answer": ([event({"choices": [{"text": None, "finish_reason": "stop"}]}), DONE], ""),
    "one write": ([text_event("grüße 🎉", "stop") + DONE], "grüße 🎉"),
    "byte by byte": ([bytes([byte]) for byte in UMLAUT.encode()] + [STOPS, DONE], "ü🎉"),
}


@pytest.mark.parametrize(("pieces", "text"), ODD.values(), ids=ODD.keys())
async def test_a_whole_answer_is_taken_whole(
    server: GemmaServer, session: aiohttp.ClientSession, pieces: list[bytes], text: str
) -> None:
    server.script(stream(*pieces))

    assert (await answer_of(model_at(server, session)))[0] == text


@pytest.mark.parametrize("recording", ["vllm_length.txt", "llama_length.txt"])
async def test_the_recorded_streams_of_real_servers_are_understood(
    server: GemmaServer, session: aiohttp.ClientSession, recording: str
) -> None:
    server.script(stream((PAYLOADS / recording).read_bytes()))

    text, last = await answer_of(model_at(server, session))

    assert text in ("weicoitple fo", "contcontcontcontcont")
    assert last.finish == "length"
    assert last.usage is not None and (last.usage.prompt, last.usage.answer) == (14, 5)


BROKEN = {
    "aborted": [text_event("Once "), text_event("", "abort"), usage_event(3, 1), DONE],
    "an error object": [text_event("Once "), error_event("EngineCore encountered an issue."), DONE],
    "an error text": [text_event("Once "), event({"error": "engine died"}), DONE],
    "no [DONE]": [text_event("Once "), text_event("", "stop")],
    "no finish reason": [text_event("Once "), DONE],
    "half a chunk": [text_event("Once "), text_event("upon", "stop")[:40]],
    "no JSON": [text_event("Once "), b"data: <html>\n\n", DONE],
    "JSON of another kind": [text_event("Once "), b"data: [1]\n\n", DONE],
    "an unknown finish reason": [text_event("Once "), text_event("", "tired"), DONE],
    "broken UTF-8": [text_event("Once "), b'data: {"choices":[{"text":"\xff"}]}\n\n', DONE],
    "a choice of another kind": [text_event("Once "), event({"choices": [5]}), DONE],
}


@pytest.mark.parametrize("pieces", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_is_never_taken_for_a_whole_one(
    server: GemmaServer, session: aiohttp.ClientSession, pieces: list[bytes]
) -> None:
    server.script(stream(*pieces))

    text, error = await text_until_error(model_at(server, session))

    assert (text, type(error)) == ("Once ", StreamBroken)


async def test_the_recorded_death_of_an_engine_is_a_broken_answer(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream((PAYLOADS / "vllm_engine_died.txt").read_bytes()))

    text, error = await text_until_error(model_at(server, session))

    assert (text, type(error)) == (" four Gemma", StreamBroken)


async def test_an_answer_that_breaks_before_its_first_text_can_be_asked_again(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(text_event(""), error_event("EngineCore encountered an issue."), DONE), stream(), says(["Hi"]))
    model = model_at(server, session)

    for _ in range(2):
        text, error = await text_until_error(model)
        assert (text, type(error)) == ("", ModelUnavailable)
    assert (await answer_of(model))[0] == "Hi"


async def test_a_cut_connection_is_a_broken_answer(server: GemmaServer, session: aiohttp.ClientSession) -> None:
    server.script(stream(text_event("Once "), pause_s=0.02, ending="cut"))

    text, error = await text_until_error(model_at(server, session))

    assert (text, type(error)) == ("Once ", StreamBroken)


async def test_a_server_that_says_nothing_is_given_up_and_its_request_closed(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(ending="hang"))

    _, error = await text_until_error(model_at(server, session, **entry_with(first_token_s=0.2)))

    assert type(error) is ModelUnavailable
    await asyncio.wait_for(server.hung_up.wait(), 0.1)


async def test_a_server_that_stalls_in_mid_answer_is_given_up(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(text_event("Once "), ending="hang"))

    text, error = await text_until_error(model_at(server, session, **entry_with(stall_s=0.2)))

    assert (text, type(error)) == ("Once ", StreamBroken)
    await asyncio.wait_for(server.hung_up.wait(), 0.1)


async def test_a_server_that_never_ends_is_cut_at_the_total_deadline(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(*[text_event("on ")] * 1000, pause_s=0.01))

    _, error = await text_until_error(model_at(server, session, **entry_with(total_s=0.3)))

    assert type(error) is StreamBroken
    await asyncio.wait_for(server.hung_up.wait(), 0.1)
