"""The bench's stand-in for a model speaks as vLLM and Gemini do, at the pace asked for, and keeps a log of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bench import replies
from bench.completion import completion
from bench.subjects import log_of, standin
from bot.conversation.models import Prompt, PromptTurn
from bot.conversation.ports import Model
from bot.llm.catalogue import load_catalogue
from bot.llm.gemini import GeminiAccess, GeminiModel
from bot.llm.gemma import GemmaModel
from tests.doubles.asking import answer_of

SPECS = {spec.entry.id: spec for spec in load_catalogue()}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with standin(first_ms=50, token_ms=2) as running:
        yield running


def asking(name: str, tokens: int) -> Prompt:
    return Prompt(system="Be brief.", turns=(PromptTurn("user", replies.question(name, tokens)),))


@pytest.mark.parametrize("kind", ["gemma", "gemini"])
async def test_both_adapters_read_the_whole_answer_and_its_counts(
    kind: str, url: str, session: aiohttp.ClientSession
) -> None:
    access = GeminiAccess(api_key="a-key", gemini_base_url=url)
    model: Model = (
        GemmaModel(replace(SPECS["gemma"], url=url), session=session)
        if kind == "gemma"
        else GeminiModel(SPECS["gemini"], access, session=session)
    )

    text, last = await answer_of(model, asking("both", 40))
    await model.close()

    assert text == replies.text("both", 40)
    assert last.finish == "stop"
    assert last.usage is not None and last.usage.answer == 40


async def test_the_floors_client_reads_it_too(url: str, session: aiohttp.ClientSession) -> None:
    pieces = [piece async for piece in completion(session, url, replies.question("floor", 30))]

    assert "".join(pieces) == replies.text("floor", 30)


async def test_its_log_tells_when_a_question_came_and_its_tokens_left(url: str, session: aiohttp.ClientSession) -> None:
    many = [completion(session, url, replies.question(f"logged{n}", 20)) for n in range(5)]
    await asyncio.gather(*(_read(pieces) for pieces in many))
    async with log_of(url) as model, model.get("/log", params={"of": "logged3"}) as answer:
        (logged,) = await answer.json()

    assert logged["question"] == "logged3"
    assert logged["first"] - logged["arrived"] >= 0.05
    assert logged["last"] - logged["arrived"] >= 0.05 + 19 * 0.002


async def _read(pieces: AsyncIterator[str]) -> None:
    async for _ in pieces:
        pass
