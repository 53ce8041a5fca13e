"""The demo says that it is no AI, and answers so that one sees how answers look."""

import pytest

from bot.conversation.models import Chunk, Prompt, PromptTurn, Sampling
from bot.llm.catalogue import load_catalogue
from bot.llm.demo import NO_AI, DemoModel, answer

ENTRY = next(spec.entry for spec in load_catalogue() if spec.entry.id == "demo")


async def at_once(_: float) -> None:
    return None


def asking(*texts: str) -> Prompt:
    turns = [turn for text in texts for turn in (PromptTurn("user", text), PromptTurn("model", "Yes."))]
    return Prompt(system="", turns=tuple(turns[:-1]))


async def read(prompt: Prompt) -> list[Chunk]:
    return [chunk async for chunk in DemoModel(ENTRY, sleep=at_once).stream(prompt)]


@pytest.mark.parametrize("text", ["Hi", "a table please", "code!", "something long"])
def test_every_answer_says_first_that_it_is_no_ai(text: str) -> None:
    assert answer(asking(text)).startswith(NO_AI)


def test_an_answer_quotes_the_question_and_says_how_to_connect_a_model() -> None:
    text = answer(asking("What is\na lease?"))

    assert "> What is\n> a lease?" in text
    assert all(name in text for name in ("GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT", "GEMMA_URL"))


def test_an_answer_follows_the_question() -> None:
    assert "|---|" in answer(asking("a table?"))
    assert "```python" in answer(asking("some CODE please"))
    assert len(answer(asking("something long"))) > 10_000
    assert "you asked 2 more" in answer(asking("one", "two", "three"))


def test_the_same_question_is_answered_in_the_same_way() -> None:
    assert answer(asking("Hi")) == answer(asking("Hi"))


async def test_an_answer_streams_word_by_word_and_whole() -> None:
    chunks = await read(asking("code"))

    assert "".join(chunk.text for chunk in chunks) == answer(asking("code"))
    assert len(chunks) > 50
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["stop"] and chunks[-1].finish


async def test_an_answer_keeps_its_budget() -> None:
    prompt = Prompt(system="", turns=(PromptTurn("user", "Hi"),), sampling=Sampling(max_tokens=3))

    chunks = await read(prompt)

    assert len(chunks) == 4 and chunks[-1].finish == "length"


def test_the_demo_is_built_in() -> None:
    assert DemoModel(ENTRY).entry.where == "built-in"
