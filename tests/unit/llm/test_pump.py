"""A stream that only cancelling can close is closed as soon as nobody reads it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.llm.pump import AHEAD, pumped


class Upstream:
    """Counts, and notices how it ends."""

    def __init__(self, *, error: Exception | None = None, length: int = 10**9) -> None:
        self.error = error
        self.length = length
        self.given = 0
        self.cancelled = False

    async def ask(self) -> AsyncIterator[int]:
        return self._numbers()

    async def _numbers(self) -> AsyncIterator[int]:
        try:
            while self.given < self.length:
                await asyncio.sleep(0)
                self.given += 1
                yield self.given
            if self.error:
                raise self.error
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_everything_comes_through_in_order() -> None:
    assert [number async for number in pumped(Upstream(length=200).ask)] == list(range(1, 201))


async def test_an_error_comes_through_after_what_came_before_it() -> None:
    numbers = pumped(Upstream(length=3, error=ZeroDivisionError()).ask)

    assert [await anext(numbers) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        await anext(numbers)


async def test_leaving_cancels_the_stream() -> None:
    upstream = Upstream()

    numbers = pumped(upstream.ask)
    await anext(numbers)
    await numbers.aclose()

    assert upstream.cancelled


async def test_a_slow_reader_is_not_run_ahead_of_without_end() -> None:
    upstream = Upstream()
    numbers = pumped(upstream.ask)
    await anext(numbers)

    for _ in range(10 * AHEAD):
        await asyncio.sleep(0)

    assert upstream.given <= AHEAD + 2
    await numbers.aclose()


async def test_a_reader_that_is_cancelled_before_anything_began_leaves_nothing_behind() -> None:
    reader = asyncio.create_task(anext(pumped(Upstream().ask)))
    await asyncio.sleep(0)

    reader.cancel()

    assert isinstance((await asyncio.gather(reader, return_exceptions=True))[0], asyncio.CancelledError)
