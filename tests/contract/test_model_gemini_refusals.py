"""What Google refuses, and which error the Gemini adapter makes of it."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.conversation.models import PromptTurn
from bot.errors import ModelError, ModelMisconfigured, ModelOverloaded, ModelUnavailable, PromptTooLong, StreamBroken
from bot.llm.gemini import GeminiAccess, GeminiModel
from tests.doubles.asking import QUESTION, answer_of, text_until_error
from tests.doubles.gemini_models import SPEC, by_key, by_project
from tests.doubles.gemini_server import (
    BUSY,
    NOT_ENABLED,
    OVERLOADED,
    GeminiServer,
    gemini_server,
    part,
    refuses,
    stream,
)
from tests.doubles.wire import Answer


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GeminiServer]:
    async with gemini_server() as running:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(running.write_credentials(tmp_path / "key.json")))
        yield running


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (BUSY, ModelOverloaded, "busy"),
        (OVERLOADED, ModelOverloaded, "overloaded"),
        (refuses(500, "INTERNAL", "Internal error"), ModelUnavailable, "500"),
        (Answer(status=502, pieces=(b"<html>Bad gateway</html>",), content_type="text/html"), ModelUnavailable, "502"),
        (refuses(504, "DEADLINE_EXCEEDED", "Deadline"), ModelUnavailable, "504"),
        (refuses(400, "FAILED_PRECONDITION", "User location is not supported"), ModelMisconfigured, "location"),
        (refuses(403, "PERMISSION_DENIED", "No access"), ModelMisconfigured, "roles/aiplatform.user"),
        (NOT_ENABLED, ModelMisconfigured, "gcloud services enable aiplatform.googleapis.com --project a-project"),
        (Answer(status=400, pieces=(b'[{"error": {"code": 400, "message": "bad"}}]',)), ModelMisconfigured, "bad"),
        (stream(), ModelUnavailable, "finish reason"),
    ],
)
async def test_refusals_are_told_apart_by_class_and_once_only(
    server: GeminiServer, session: aiohttp.ClientSession, answer: Answer, error: type[ModelError], words: str
) -> None:
    server.script(answer)

    text, raised = await text_until_error(by_project(server, session))

    assert (text, type(raised)) == ("", error)
    assert words in str(raised)
    assert len(server.requests) == 1


async def test_googles_own_retry_after_is_kept(server: GeminiServer, session: aiohttp.ClientSession) -> None:
    server.script(BUSY)

    _, error = await text_until_error(by_key(server, session))

    assert isinstance(error, ModelOverloaded) and error.retry_after_s == 7


async def test_a_prompt_beyond_the_context_says_what_would_fit(session: aiohttp.ClientSession) -> None:
    async with gemini_server(context=1000) as small:
        model = by_key(small, session)
        with pytest.raises(PromptTooLong) as caught:
            await answer_of(model, replace(QUESTION, turns=(PromptTurn("user", "word " * 5000),)))

    assert caught.value.limit_tokens == model.entry.prompt_tokens == 750


async def test_a_wrong_key_an_unknown_model_and_a_wrong_place_are_named(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    wrong = {
        "GEMINI_API_KEY": by_key(server, session, key="guess"),
        "GEMINI_MODEL": by_key(server, session, model="gemini-2.5-flash"),
        "us-central1": by_project(server, session, location="us-central1"),
    }
    for word, model in wrong.items():
        for attempt in (model.check(), answer_of(model)):
            with pytest.raises(ModelMisconfigured, match=word):
                await attempt


async def test_missing_credentials_say_what_to_do(
    session: aiohttp.ClientSession, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))  # nobody has logged in
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # and this is no machine of Google's

    for attempt in (by_project(server, session).check(), answer_of(by_project(server, session))):
        with pytest.raises(ModelMisconfigured, match="gcloud auth application-default login"):
            await attempt


async def test_an_unreachable_google_is_unavailable_at_once(
    session: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    access = GeminiAccess(api_key="a-key", gemini_base_url=f"http://127.0.0.1:{unused_tcp_port}")
    model = GeminiModel(SPEC, access, session=session)
    await asyncio.to_thread(__import__, "google.genai")  # the import's own time is not at issue

    async with asyncio.timeout(2):
        _, error = await text_until_error(model)
    assert type(error) is ModelUnavailable


async def test_an_answer_that_cannot_be_read_is_not_quoted_in_the_log(
    server: GeminiServer, session: aiohttp.ClientSession
) -> None:
    unreadable = {"candidates": [{"content": {"role": "model", "parts": [{"text": {"Ada's secret": 1}}]}}]}
    server.script(stream(part("Hi "), unreadable))

    with pytest.raises(StreamBroken) as caught:
        await answer_of(by_key(server, session))

    assert "secret" not in "".join(traceback.format_exception(caught.value))
