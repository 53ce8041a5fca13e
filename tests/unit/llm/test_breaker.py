"""A model that keeps failing is left alone for a while, and asked carefully afterwards."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bot.conversation.models import Chunk, ModelEntry, Prompt, PromptTurn
from bot.errors import BotError, ModelError, ModelMisconfigured, ModelUnavailable, PromptTooLong, StreamBroken
from bot.llm.breaker import BreakerModel, CircuitOpen

QUESTION = Prompt(system="", turns=(PromptTurn("user", "Hi"),))
TEXT, END = Chunk(text="a"), Chunk(finish="stop")


class Patient:
    """A model that is well or fails, as the test says."""

    entry = ModelEntry("m", "M", "self-hosted", 100, 10)

    def __init__(self) -> None:
        self.error: BotError | None = None
        self.silent = False
        self.speak = asyncio.Event()
        self.asked = 0
        self.now = 0.0
        self.rests: list[bool] = []
        self.breaker = BreakerModel(self, clock=lambda: self.now, on_rest=self.rests.append)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        self.asked += 1
        if self.error:
            raise self.error
        if self.silent:
            await self.speak.wait()
        yield TEXT
        yield END

    async def check(self) -> str:
        return "asked"

    async def close(self) -> None:
        return None

    async def ask(self, times: int = 1) -> list[type[BaseException] | None]:
        """How each of so many questions ends."""
        ends: list[type[BaseException] | None] = []
        for _ in range(times):
            try:
                async for _chunk in self.breaker.stream(QUESTION):
                    pass
                ends.append(None)
            except ModelError as exc:
                ends.append(type(exc))
        return ends


@pytest.fixture
def model() -> Patient:
    return Patient()


@pytest.mark.parametrize("error", [ModelUnavailable("x"), StreamBroken("x")])
async def test_after_five_failures_a_model_is_not_asked_any_more(model: Patient, error: BotError) -> None:
    model.error = error

    assert await model.ask(7) == [type(error)] * 5 + [CircuitOpen] * 2
    assert model.asked == 5


@pytest.mark.parametrize("error", [ModelMisconfigured("x"), PromptTooLong("x")])
async def test_errors_that_say_nothing_of_its_health_do_not_count(model: Patient, error: BotError) -> None:
    model.error = error

    await model.ask(20)

    assert model.asked == 20


async def test_five_failures_among_many_answers_are_no_outage(model: Patient) -> None:
    await model.ask(6)
    model.error = ModelUnavailable("x")

    assert CircuitOpen not in await model.ask(5)


async def test_failures_of_half_a_minute_ago_are_forgotten(model: Patient) -> None:
    model.error = ModelUnavailable("x")
    await model.ask(4)

    model.now = 30.0

    assert CircuitOpen not in await model.ask(4)


async def open_up(model: Patient) -> None:
    model.error = ModelUnavailable("x")
    await model.ask(5)


async def test_one_question_is_let_through_after_fifteen_seconds(model: Patient) -> None:
    await open_up(model)

    for second in range(61):
        model.now = float(second)
        await model.ask(10)

    assert model.asked == 5 + 4


async def test_a_model_that_is_well_again_answers_everybody(model: Patient) -> None:
    await open_up(model)
    model.error, model.now = None, 15.0

    assert await model.ask(20) == [None] * 20


async def test_nobody_else_is_let_through_while_the_probe_waits_for_its_first_text(model: Patient) -> None:
    await open_up(model)
    model.error, model.now, model.silent = None, 15.0, True
    probe = asyncio.create_task(model.ask())
    await asyncio.sleep(0)

    assert await model.ask(3) == [CircuitOpen] * 3

    model.speak.set()
    assert await probe == [None]
    assert await model.ask() == [None]


async def test_a_probe_that_is_cancelled_makes_way_for_the_next(model: Patient) -> None:
    await open_up(model)
    model.error, model.now, model.silent = None, 15.0, True
    probe = asyncio.create_task(model.ask())
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    model.silent = False

    assert await model.ask() == [None]


async def test_a_probe_that_says_nothing_of_its_health_makes_way_for_the_next(model: Patient) -> None:
    await open_up(model)
    model.now = 15.0
    model.error = ModelMisconfigured("x")
    assert await model.ask() == [ModelMisconfigured]

    model.error = None

    assert await model.ask() == [None]


async def test_check_asks_even_a_model_that_is_left_alone(model: Patient) -> None:
    await open_up(model)

    assert await model.breaker.check() == "asked"


async def test_an_operator_hears_once_when_a_model_is_left_alone_and_once_when_that_is_over(model: Patient) -> None:
    model.error = ModelUnavailable("x")
    await model.ask(7)
    assert model.rests == [True]

    model.now += 16
    await model.ask()  # the probe fails
    model.now += 16
    model.error = None
    await model.ask(2)

    assert model.rests == [True, False]
