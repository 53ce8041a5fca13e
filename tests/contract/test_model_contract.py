"""What every Model promises, asked of each: real llama.cpp, vLLM's and Google's wire formats, demo, wrappers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from bot.conversation.models import Chunk, Prompt, PromptTurn, Sampling
from bot.conversation.ports import Model
from bot.llm.breaker import BreakerModel
from bot.llm.catalogue import Dialect, load_catalogue
from bot.llm.demo import DemoModel
from bot.llm.gemini import GeminiAccess, GeminiModel
from bot.llm.gemma import GemmaModel
from bot.llm.retry import RetryBudget, RetryingModel
from tests.doubles import gemini_server as google
from tests.doubles import gemma_server as vllm
from tests.doubles.llama import Llama, serving
from tests.doubles.tiny_gemma import write_tiny_gemma
from tests.doubles.wire import ScriptedServer

SPECS = {spec.entry.id: spec for spec in load_catalogue()}
QUESTION = Prompt(system="Be brief.", turns=(PromptTurn("user", "Hello?"),), sampling=Sampling(temperature=0.0))
SAYS = "one two three"

GEMMA_ANSWERS: dict[Dialect, list[bytes]] = {
    "completions": [*map(vllm.text_event, ("one ", "two ", "three")), vllm.text_event("", "stop"), vllm.DONE],
    "chat": [
        vllm.delta_event({"role": "assistant", "content": ""}),
        *(vllm.delta_event({"content": word}) for word in ("one ", "two ", "three")),
        vllm.delta_event({}, "stop"),
        vllm.DONE,
    ],
    "generate": list(map(vllm.prediction, ("one ", "two ", "three"))),
}


@dataclass
class Case:
    """A model and, where there is one of ours, the server behind it."""

    model: Model
    server: ScriptedServer | None = None
    pieces: int = 2
    """So many an answer has at least: the tiny Gemma speaks faster than it is read."""


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llama]:
    with serving(write_tiny_gemma(tmp_path_factory.mktemp("gemma") / "scripted.gguf", SAYS)) as running:
        yield running


@pytest.fixture(params=["llama", "completions", "chat", "generate", "vertex", "developer", "demo", "wrapped"])
async def case(
    request: pytest.FixtureRequest, llama: Llama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Case]:
    kind = request.param
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        if kind == "demo":
            yield Case(DemoModel(SPECS["demo"].entry, sleep=lambda _: asyncio.sleep(0)))
        elif kind == "llama":
            tiny = GemmaModel(replace(SPECS["gemma"], url=llama.url), session=session, api_key=llama.key)
            yield Case(tiny, pieces=1)
        elif kind in ("vertex", "developer"):
            gemini = await stack.enter_async_context(google.gemini_server())
            gemini.standing = google.says(SAYS, pause_s=0.01)
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(gemini.write_credentials(tmp_path / "key.json")))
            access = (
                GeminiAccess(project="a-project", vertex_base_url=gemini.url)
                if kind == "vertex"
                else GeminiAccess(api_key=gemini.api_key, gemini_base_url=gemini.url)
            )
            model = GeminiModel(SPECS["gemini"], access, session=session)
            stack.push_async_callback(model.close)
            yield Case(model, gemini)
        else:
            gemma = await stack.enter_async_context(vllm.gemma_server())
            dialect: Dialect = "completions" if kind == "wrapped" else kind
            gemma.standing = vllm.stream(*GEMMA_ANSWERS[dialect], pause_s=0.01)
            bare = GemmaModel(replace(SPECS["gemma"], url=gemma.url, dialect=dialect), session=session)
            wrapped = RetryingModel(BreakerModel(bare), budget=RetryBudget())
            yield Case(wrapped if kind == "wrapped" else bare, gemma)


async def chunks_of(model: Model) -> list[Chunk]:
    return [chunk async for chunk in model.stream(QUESTION)]


async def test_an_answer_comes_in_pieces_and_only_the_last_one_says_how_it_ended(case: Case) -> None:
    chunks = await chunks_of(case.model)

    assert sum(bool(chunk.text) for chunk in chunks) >= case.pieces
    assert [chunk.finish for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]


async def test_the_pieces_are_the_whole_answer(case: Case) -> None:
    text = "".join(chunk.text for chunk in await chunks_of(case.model))

    assert text == SAYS or case.model.entry.where == "built-in"


async def test_a_model_answers_several_at_once(case: Case) -> None:
    first, second = await asyncio.gather(chunks_of(case.model), chunks_of(case.model))

    assert "".join(chunk.text for chunk in first) == "".join(chunk.text for chunk in second)


async def test_check_says_in_one_line_who_would_answer(case: Case) -> None:
    line = await case.model.check()

    assert line and "\n" not in line


async def read_one(stream: AsyncGenerator[Chunk, None]) -> None:
    async with aclosing(stream):
        async for chunk in stream:
            if chunk.text:
                return


async def leave_by_breaking(model: Model) -> None:
    async for chunk in model.stream(QUESTION):
        if chunk.text:
            break


async def leave_by_closing(model: Model) -> None:
    await read_one(model.stream(QUESTION))


async def leave_by_failing(model: Model) -> None:
    with pytest.raises(ZeroDivisionError):
        async for chunk in model.stream(QUESTION):
            if chunk.text:
                raise ZeroDivisionError


async def leave_by_being_cancelled(model: Model) -> None:
    spoke = asyncio.Event()

    async def read() -> None:
        async for chunk in model.stream(QUESTION):
            if chunk.text:
                spoke.set()

    reader = asyncio.create_task(read())
    await spoke.wait()
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


@pytest.mark.parametrize("leave", [leave_by_breaking, leave_by_closing, leave_by_failing, leave_by_being_cancelled])
async def test_who_stops_reading_closes_the_request_within_100_ms(
    case: Case, leave: Callable[[Model], Awaitable[None]]
) -> None:
    if case.server is None:
        await leave(case.model)  # no server of ours to ask: at least nothing breaks, and it answers again
        assert await chunks_of(case.model)
        return
    case.server.standing = replace(case.server.standing, ending="hang")

    await leave(case.model)

    async with asyncio.timeout(0.1):
        await case.server.hung_up.wait()


async def test_a_request_that_nobody_waits_for_before_its_first_token_is_closed_too(case: Case) -> None:
    if case.server is None:
        never_started = case.model.stream(QUESTION)
        await never_started.aclose()
        assert await chunks_of(case.model)
        return
    case.server.script(replace(case.server.standing, pieces=(), ending="hang"))
    reader = asyncio.create_task(chunks_of(case.model))
    await case.server.answering.wait()

    reader.cancel()

    async with asyncio.timeout(0.1):
        await case.server.hung_up.wait()
    assert (await asyncio.gather(reader, return_exceptions=True))[0].__class__ is asyncio.CancelledError
