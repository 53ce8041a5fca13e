"""How the Gemini adapter takes what Google sends, by the real google-genai against a strict stand-in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.conversation.models import PromptTurn, Sampling
from bot.conversation.thread import Usage
from bot.errors import StreamBroken
from tests.doubles.asking import QUESTION, answer_of, text_until_error
from tests.doubles.gemini_models import SPEC, by_key, by_project
from tests.doubles.gemini_server import GeminiServer, blocks, event, gemini_server, part, says, stream, withdraws
from tests.doubles.wire import Answer


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GeminiServer]:
    async with gemini_server() as running:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(running.write_credentials(tmp_path / "key.json")))
        yield running


# --- what goes out


async def test_a_project_is_asked_on_vertex_with_the_service_accounts_token(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    await answer_of(by_project(server, session))

    (asked,) = server.requests
    models = "/v1beta1/projects/a-project/locations/global/publishers/google/models"
    assert asked.path == f"{models}/gemini-3.8-flash:streamGenerateContent?alt=sse"


async def test_contents_alternate_and_the_system_text_stands_apart(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    turns = (PromptTurn("user", "a"), PromptTurn("model", "b"), PromptTurn("user", "c\U000e0041"))

    await answer_of(by_key(server, session), replace(QUESTION, turns=turns))

    (asked,) = server.requests
    assert asked.body == {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"text": "b"}]},
            {"role": "user", "parts": [{"text": "c"}]},
        ],
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "generationConfig": {"maxOutputTokens": SPEC.entry.answer_tokens},
    }


async def test_sampling_is_sent_only_where_it_is_set_and_taken(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    prompt = replace(QUESTION, system="", sampling=Sampling(temperature=0.0, top_p=0.5, max_tokens=9))
    takes_one = replace(SPEC.entry, sampling=frozenset({"temperature"}))

    await answer_of(by_key(server, session), prompt)
    await answer_of(by_key(server, session, entry=takes_one), prompt)

    assert [request.body["generationConfig"] for request in server.requests] == [
        {"temperature": 0.0, "topP": 0.5, "maxOutputTokens": 9},
        {"temperature": 0.0, "maxOutputTokens": 9},
    ]


async def test_a_refused_thinking_setting_is_left_out_from_then_on(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    server.refuses_thinking = True
    model = by_key(server, session, thinking="low")

    for _ in range(2):
        assert (await answer_of(model))[1].finish == "stop"

    sent = ["thinkingConfig" in request.body["generationConfig"] for request in server.requests]
    assert sent == [True, False, False]


# --- what comes in


async def test_thoughts_are_counted_but_not_shown(server: GeminiServer, session: aiohttp.ClientSession) -> None:
    server.script(says("Hello wörld \u2028 line", thoughts=96))

    text, last = await answer_of(by_key(server, session))

    assert text == "Hello wörld \u2028 line"
    assert last.usage == Usage(prompt=12, answer=3, thoughts=96, cached=8)


@pytest.mark.parametrize(
    ("answer", "text", "finish", "detail"),
    [
        (says("Cut off", finish="MAX_TOKENS"), "Cut off", "length", "MAX_TOKENS"),
        (says("", finish="MAX_TOKENS", thoughts=5), "", "length", "MAX_TOKENS"),
        (says("Half", finish="CONTINUATION"), "Half", "length", "CONTINUATION"),
        (blocks("PROHIBITED_CONTENT"), "", "blocked", "PROHIBITED_CONTENT"),
        (blocks("JAILBREAK"), "", "blocked", "JAILBREAK"),
        (withdraws("Once upon", "SAFETY"), "Once upon", "blocked", "SAFETY"),
        (withdraws("Once upon", "RECITATION"), "Once upon", "blocked", "RECITATION"),
        (withdraws("", "SPII"), "", "blocked", "SPII"),
        (stream({"candidates": [{"finishReason": "STOP"}]}), "", "stop", ""),
        (stream({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}), "", "stop", ""),
        (stream(part("x"), {"usageMetadata": {"trafficType": "ON_DEMAND"}}, part("", "STOP")), "x", "stop", ""),
    ],
)
async def test_every_way_to_end_is_told(
    server: GeminiServer, session: aiohttp.ClientSession, answer: Answer, text: str, finish: str, detail: str
) -> None:
    server.script(answer)

    said, last = await answer_of(by_key(server, session))

    assert (said, last.finish, last.detail) == (text, finish, detail)


ONCE = part("Once ")
BROKEN = {
    "no finish reason": stream(ONCE),
    "cut": stream(ONCE, pause_s=0.02, ending="cut"),
    "an error in mid-stream": stream(ONCE, {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}),
    "a malformed answer": stream(ONCE, part("", "MALFORMED_RESPONSE")),
    "no JSON": Answer(pieces=(event(ONCE), b"data: {oops\r\n\r\n"), content_type="text/event-stream"),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_answer_is_never_taken_for_a_whole_one(
    server: GeminiServer, session: aiohttp.ClientSession, answer: Answer
) -> None:
    server.script(answer)

    text, error = await text_until_error(by_key(server, session))

    assert (text, type(error)) == ("Once ", StreamBroken)


async def test_a_finish_reason_that_is_not_known_yet_breaks_the_answer_and_no_more(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(ONCE, part("", "BRAND_NEW_REASON")))

    with pytest.warns(UserWarning, match="BRAND_NEW_REASON"):
        text, error = await text_until_error(by_key(server, session))

    assert (text, type(error)) == ("Once ", StreamBroken)


async def test_a_stalled_answer_is_given_up_and_its_request_closed(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(ONCE, ending="hang"))

    text, error = await text_until_error(by_key(server, session, entry=replace(SPEC.entry, stall_s=0.2)))

    assert (text, type(error)) == ("Once ", StreamBroken)
    await asyncio.wait_for(server.hung_up.wait(), 0.1)


async def test_the_loop_is_not_held_up_while_the_library_loads(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.create_task(answer_of(by_project(server, session)))
    longest, last = 0.0, loop.time()
    while not asked.done():
        await asyncio.sleep(0)
        longest, last = max(longest, loop.time() - last), loop.time()

    assert longest < 0.5
    assert asked.result()[1].finish == "stop"
