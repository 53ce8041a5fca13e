"""A model is asked again only while that is safe, useful and affordable."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from bot.conversation.models import Chunk, ModelEntry, Prompt, PromptTurn
from bot.errors import (
    BotError,
    ModelMisconfigured,
    ModelOverloaded,
    ModelUnavailable,
    PromptTooLong,
    StreamBroken,
)
from bot.llm.breaker import CircuitOpen
from bot.llm.retry import RetryBudget, RetryingModel

QUESTION = Prompt(system="", turns=(PromptTurn("user", "Hi"),))
TEXT, END = Chunk(text="a"), Chunk(finish="stop")
Step = Chunk | BotError


class Scripted:
    """A model whose answers are scripted: chunks to give, errors to raise; the last answer is given for ever."""

    entry = ModelEntry("m", "M", "self-hosted", 100, 10, first_token_s=30.0)

    def __init__(self, *answers: Sequence[Step]) -> None:
        self._answers = answers
        self.asked = 0

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        for step in answer:
            if isinstance(step, BotError):
                raise step
            yield step

    async def check(self) -> str:
        return "scripted"

    async def close(self) -> None:
        return None


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def retrying(model: Scripted, time: Time, budget: RetryBudget | None = None) -> RetryingModel:
    return RetryingModel(
        model,
        budget=budget or RetryBudget(clock=time.clock),
        clock=time.clock,
        sleep=time.sleep,
        jitter=lambda low, high: high,
    )


async def read(model: RetryingModel) -> list[Chunk]:
    return [chunk async for chunk in model.stream(QUESTION)]


async def test_an_unavailable_model_is_asked_up_to_twice_more_with_longer_pauses() -> None:
    model, time = Scripted([ModelUnavailable("x")]), Time()

    with pytest.raises(ModelUnavailable):
        await read(retrying(model, time))

    assert (model.asked, time.slept) == (3, [0.5, 1.0])


async def test_an_answer_after_a_retry_is_whole() -> None:
    model = Scripted([Chunk(), ModelUnavailable("x")], [TEXT, END])

    assert await read(retrying(model, Time())) == [Chunk(), TEXT, END]


@pytest.mark.parametrize(
    "error", [StreamBroken("x"), ModelMisconfigured("x"), PromptTooLong("x"), CircuitOpen("x")], ids=lambda e: e.code
)
async def test_what_asking_again_cannot_mend_is_not_asked_again(error: BotError) -> None:
    model, time = Scripted([error]), Time()

    with pytest.raises(type(error)):
        await read(retrying(model, time))

    assert model.asked == 1


async def test_nothing_is_asked_again_after_the_first_text() -> None:
    model = Scripted([TEXT, StreamBroken("x")])

    with pytest.raises(StreamBroken):
        await read(retrying(model, Time()))

    assert model.asked == 1


async def test_a_server_is_given_the_time_that_it_asks_for() -> None:
    model, time = Scripted([ModelOverloaded("x", 7.0)], [TEXT, END]), Time()

    await read(retrying(model, time))

    assert time.slept == [7.0]


async def test_a_server_that_asks_for_too_much_time_is_given_up() -> None:
    model, time = Scripted([ModelOverloaded("x", 16.0)]), Time()

    with pytest.raises(ModelOverloaded):
        await read(retrying(model, time))

    assert (model.asked, time.slept) == (1, [])


async def test_waiting_twice_for_a_first_token_is_enough() -> None:
    time = Time()

    class Silent(Scripted):
        async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
            time.now += self.entry.first_token_s
            async for chunk in super().stream(prompt):
                yield chunk

    model = Silent([ModelUnavailable("no first token")])
    with pytest.raises(ModelUnavailable):
        await read(retrying(model, time))

    assert model.asked == 2
    assert time.now <= 2 * 30.0 + 5.0


async def test_all_models_together_retry_a_tenth_of_their_requests() -> None:
    time = Time()
    budget = RetryBudget(clock=time.clock)
    models = [Scripted([ModelUnavailable("x")]) for _ in range(2)]
    wrapped = [retrying(model, time, budget) for model in models]

    for number in range(500):
        time.now = number * 0.1  # all of it within a minute
        with pytest.raises(ModelUnavailable):
            await read(wrapped[number % 2])

    assert sum(model.asked for model in models) <= 1.1 * 500


async def test_the_budget_forgets_what_is_a_minute_ago() -> None:
    time = Time()
    budget = RetryBudget(clock=time.clock)
    budget.request()
    assert [budget.take() for _ in range(3)] == [True, True, False]

    time.now = 60.0

    assert budget.take()


async def test_check_asks_the_model_itself() -> None:
    assert await retrying(Scripted([TEXT]), Time()).check() == "scripted"
