"""What inference servers refuse, and which error the Gemma adapter makes of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bot.conversation.models import PromptTurn, Sampling
from bot.errors import ModelError, ModelMisconfigured, ModelOverloaded, ModelUnavailable, PromptTooLong
from bot.llm.errors import from_refusal
from bot.llm.gemma import GemmaModel
from tests.doubles.asking import QUESTION, SPEC, answer_of, model_at, text_until_error
from tests.doubles.gemma_server import GemmaServer, gemma_server, refuses
from tests.doubles.wire import Answer


@pytest.fixture
async def server() -> AsyncIterator[GemmaServer]:
    async with gemma_server() as running:
        yield running


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refuses(503, {"error": {"message": "The engine is currently busy"}}, Retry_After="3"), ModelOverloaded),
        (refuses(429, {"error": {"message": "slow down"}}, Retry_After="3"), ModelOverloaded),
        (refuses(503, {"error": {"message": "Loading model", "type": "unavailable_error"}}), ModelUnavailable),
        (refuses(500, {"error": {"message": "EngineDeadError"}}), ModelUnavailable),
        (Answer(status=502, pieces=(b"<html>Bad gateway</html>",), content_type="text/html"), ModelUnavailable),
        (refuses(504, {}), ModelUnavailable),
        (refuses(400, {"error": {"message": "top_p must be in (0, 1]"}}), ModelMisconfigured),
        (refuses(400, {"error": {"message": "max_tokens must be at least 1, got 0"}}), ModelMisconfigured),
        (refuses(400, {"error": {"message": "max_tokens=9 cannot be greater than max_model_len=8."}}), PromptTooLong),
        (
            refuses(400, {"error": {"message": "'max_tokens' or 'max_completion_tokens' is too large: 9"}}),
            PromptTooLong,
        ),
        (refuses(400, {"error": {"message": "x", "type": "exceed_context_size_error", "n_ctx": 8}}), PromptTooLong),
        (refuses(403, {"error": "Forbidden"}), ModelMisconfigured),
        (refuses(302, {}, Location="http://127.0.0.1:1/"), ModelMisconfigured),
        (Answer(pieces=(b"<html>Sign in</html>",), content_type="text/html"), ModelMisconfigured),
        (refuses(413, {"detail": "Payload Too Large"}), PromptTooLong),
    ],
    ids=lambda value: getattr(value, "status", None) or value.__name__,
)
async def test_refusals_are_told_apart_by_class(
    server: GemmaServer, session: aiohttp.ClientSession, answer: Answer, error: type[ModelError]
) -> None:
    server.script(answer)

    _, raised = await text_until_error(model_at(server, session))

    assert type(raised) is error
    assert not isinstance(raised, ModelOverloaded) or raised.retry_after_s == 3


async def test_an_unreachable_server_is_unavailable_at_once(
    session: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    model = GemmaModel(replace(SPEC, url=f"http://127.0.0.1:{unused_tcp_port}"), session=session)

    async with asyncio.timeout(1):
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await model.check()


async def test_a_prompt_beyond_the_context_says_what_would_fit_and_narrows_the_entry(
    session: aiohttp.ClientSession,
) -> None:
    async with gemma_server(context=512) as small:
        small.lists_models = False  # so that only the refusal tells
        model = model_at(small, session, model="gemma")
        long = replace(QUESTION, turns=(PromptTurn("user", "word " * 2000),), sampling=Sampling(max_tokens=100))

        with pytest.raises(PromptTooLong) as caught:
            await answer_of(model, long)

        assert model.entry.context_tokens == 512
        assert caught.value.limit_tokens == model.entry.prompt_tokens == 384


async def test_an_answer_budget_beyond_the_servers_context_mends_itself(session: aiohttp.ClientSession) -> None:
    async with gemma_server(context=2048) as small:
        small.lists_models = False
        small.model = ""
        model = model_at(small, session)

        with pytest.raises(PromptTooLong):
            await answer_of(model)

        assert (await answer_of(model))[0]


async def test_the_servers_context_narrows_the_entry_before_the_first_question_is_sent(
    session: aiohttp.ClientSession,
) -> None:
    async with gemma_server(context=2048) as small:
        model = model_at(small, session)

        await answer_of(model)

        assert (model.entry.context_tokens, model.entry.answer_tokens) == (2048, 512)
        assert small.requests[0].body["max_tokens"] == 512


async def test_a_server_that_serves_another_model_is_named_with_both(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    model = model_at(server, session, model="google/gemma-3-27b-it")

    for attempt in (model.check(), answer_of(model)):
        with pytest.raises(ModelMisconfigured, match=r"'gemma'.*'google/gemma-3-27b-it'"):
            await attempt


async def test_a_wrong_key_is_said_to_be_wrong(session: aiohttp.ClientSession) -> None:
    async with gemma_server(key="secret") as locked:
        for key in ("", "guess"):
            model = model_at(locked, session, key=key)
            for attempt in (model.check(), answer_of(model)):
                with pytest.raises(ModelMisconfigured, match="key"):
                    await attempt
        assert "secret" in locked.key
        assert (await answer_of(model_at(locked, session, key="secret")))[0]


async def test_a_server_without_a_list_of_models_is_told_to_be_another_dialect_by_check(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.lists_models = False

    with pytest.raises(ModelMisconfigured, match="GEMMA_DIALECT=generate"):
        await model_at(server, session).check()


async def test_an_unknown_endpoint_is_a_matter_of_the_dialect(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(ModelMisconfigured, match="GEMMA_DIALECT"):
        await answer_of(model_at(server, session, url=server.url + "/elsewhere"))


async def test_what_is_served_is_asked_once_and_again_after_an_error(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    model = model_at(server, session)
    await answer_of(model)
    server.model = "renamed"

    with pytest.raises(ModelMisconfigured, match="does not serve"):
        await answer_of(model)

    assert (await answer_of(model))[0]
    assert server.requests[-1].body["model"] == "renamed"


def test_what_a_server_quotes_of_a_question_stays_out_of_the_logs() -> None:
    fastapi = json.dumps({"detail": [{"type": "missing", "loc": ["body"], "input": {"prompt": "Ada's secret"}}]})
    vllm = json.dumps(
        {"error": {"message": "1 error: extra fields [type=extra, input_value={'prompt': \"Ada's secret"}}
    )
    for body in (fastapi, vllm):
        error = from_refusal(422, {}, body, "http://gemma/v1/completions")

        assert type(error) is ModelMisconfigured and "refuses the request" in str(error) and "secret" not in str(error)
