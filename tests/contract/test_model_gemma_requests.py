"""What the Gemma adapter sends, in each dialect, and what the codelab's container answers to it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bot.conversation.models import PromptTurn, Sampling
from bot.errors import ModelMisconfigured, StreamBroken
from bot.llm.catalogue import ModelSpec
from bot.llm.gemma import GemmaModel
from bot.llm.templates import codelab, gemma3
from tests.doubles.asking import QUESTION, SPEC, answer_of, entry_with, model_at, text_until_error
from tests.doubles.gemma_server import DONE, GemmaServer, delta_event, gemma_server, prediction, stream


@pytest.fixture
async def server() -> AsyncIterator[GemmaServer]:
    async with gemma_server() as running:
        yield running


async def test_a_request_holds_these_fields_and_no_others(server: GemmaServer, session: aiohttp.ClientSession) -> None:
    prompt = replace(QUESTION, cache_salt="T1", sampling=Sampling(temperature=0.3, top_p=0.9, max_tokens=77))

    await answer_of(model_at(server, session), prompt)

    (asked,) = server.requests
    assert asked.body == {
        "model": "gemma",
        "prompt": gemma3.render(prompt),
        "max_tokens": 77,
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop_token_ids": [106],
        "temperature": 0.3,
        "top_p": 0.9,
        "cache_salt": "T1",
    }


async def test_sampling_is_sent_only_where_it_is_set_and_taken(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    await answer_of(model_at(server, session))
    await answer_of(
        model_at(server, session, **entry_with(sampling=frozenset({"top_p"}))),
        replace(QUESTION, sampling=Sampling(temperature=0.3, top_p=0.0)),
    )

    first, second = (request.body for request in server.requests)
    assert not first.keys() & {"temperature", "top_p"}
    assert second["top_p"] == 0.0 and "temperature" not in second


async def test_chat_sends_messages_with_a_system_role(server: GemmaServer, session: aiohttp.ClientSession) -> None:
    server.script(
        stream(
            delta_event({"role": "assistant", "content": ""}),
            delta_event({"reasoning_content": "Hm."}),
            delta_event({"content": "Hi"}, "stop"),
            DONE,
        )
    )
    prompt = replace(
        QUESTION, turns=(PromptTurn("user", "a"), PromptTurn("model", "b"), PromptTurn("user", "<|turn>c"))
    )

    text, _ = await answer_of(model_at(server, session, family="gemma4", dialect="chat"), prompt)

    assert text == "Hi"
    assert server.requests[0].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "<\u200b|turn>c"},
    ]


def codelab_spec(server: GemmaServer) -> ModelSpec:
    return replace(SPEC, url=server.url, family="codelab", dialect="generate")


async def test_the_codelabs_container_is_asked_for_raw_answers_and_understood(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(prediction("Hel"), prediction("lo 🎉")[:30], prediction("lo 🎉")[30:], pause_s=0.01))
    model = GemmaModel(codelab_spec(server), session=session)

    text, last = await answer_of(model, replace(QUESTION, cache_salt="T1", sampling=Sampling(max_tokens=9)))

    assert (text, last.finish) == ("Hello 🎉", "stop")
    assert server.requests[0].body["instances"] == [
        {
            "prompt": codelab.render(QUESTION),
            "stream": True,
            "raw_response": True,
            "max_tokens": 9,
            "stop_token_ids": [106],
            "stop": ["User's Turn:"],
        }
    ]


async def test_an_answer_of_the_container_that_fills_its_budget_was_cut_by_length(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    server.script(stream(prediction("a", 2), prediction("b", 1)))

    _, last = await answer_of(
        GemmaModel(codelab_spec(server), session=session), replace(QUESTION, sampling=Sampling(max_tokens=3))
    )

    assert last.finish == "length"


@pytest.mark.parametrize("echo", ["Prompt:\n{stripped}\nOutput:\n", "{prompt}"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_the_containers_echo_of_the_prompt_is_no_part_of_the_answer(
    server: GemmaServer, session: aiohttp.ClientSession, echo: str, size: int
) -> None:
    prompt = codelab.render(QUESTION)
    said = echo.format(stripped=prompt.strip(), prompt=prompt) + "Output:\nPrompt:\nfine"
    server.script(stream(*(prediction(said[at : at + size]) for at in range(0, len(said), size))))

    text, _ = await answer_of(GemmaModel(codelab_spec(server), session=session))

    assert text == "Output:\nPrompt:\nfine"


async def test_a_cut_answer_of_the_container_is_broken(server: GemmaServer, session: aiohttp.ClientSession) -> None:
    server.script(stream(prediction("Once "), pause_s=0.02, ending="cut"))
    model = GemmaModel(codelab_spec(server), session=session)

    text, error = await text_until_error(model)

    assert (text, type(error)) == ("Once ", StreamBroken)


async def test_check_of_a_container_that_is_no_container_names_the_setting(
    server: GemmaServer, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(ModelMisconfigured, match="GEMMA_DIALECT"):
        await GemmaModel(replace(codelab_spec(server), url=server.url + "/v2"), session=session).check()
