"""A Model that asks another Model again, as long as nothing of its answer was seen."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from time import monotonic

from bot.conversation.models import Chunk, ModelEntry, Prompt
from bot.conversation.ports import Model
from bot.errors import ModelOverloaded, ModelUnavailable
from bot.llm.breaker import CircuitOpen

RETRIES = 2
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
LONGEST_WAIT_S = 15.0  # a server that asks for more patience than this is left to the stand-in


class RetryBudget:
    """Lets all models together retry a tenth of their requests, so that retries never become the outage."""

    SHARE = 0.1
    WINDOW_S = 60.0
    SPARE = 2  # retries in a window that need no requests: a quiet bot retries too

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._requests: deque[float] = deque()
        self._retries: deque[float] = deque()

    def request(self) -> None:
        """Count a request that is no retry."""
        self._forget(self._requests)
        self._requests.append(self._clock())

    def take(self) -> bool:
        """Whether one more retry may be made now; if so, it is counted."""
        self._forget(self._requests)
        self._forget(self._retries)
        if len(self._retries) + 1 > max(self.SPARE, self.SHARE * len(self._requests)):
            return False
        self._retries.append(self._clock())
        return True

    def _forget(self, times: deque[float]) -> None:
        while times and times[0] <= self._clock() - self.WINDOW_S:
            times.popleft()


class RetryingModel:
    """Retries ModelUnavailable with full jitter, honours a server's Retry-After, and leaves all else alone."""

    def __init__(
        self,
        model: Model,
        *,
        budget: RetryBudget,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._model = model
        self._budget = budget
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter

    @property
    def entry(self) -> ModelEntry:
        """The model's own."""
        return self._model.entry

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """See the port. Each attempt has the entry's deadlines to itself; none begins after twice the first token's."""
        self._budget.request()
        last_start = self._clock() + 2 * self.entry.first_token_s
        for attempt in range(RETRIES + 1):
            try:
                async with aclosing(self._model.stream(prompt)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except CircuitOpen:
                raise
            except ModelUnavailable as exc:
                pause = self._pause(attempt, exc)
                late = self._clock() + pause >= last_start
                if attempt == RETRIES or late or not self._budget.take():
                    raise
            await self._sleep(pause)

    async def check(self) -> str:
        """One try: an operator wants to see it fail."""
        return await self._model.check()

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()

    def _pause(self, attempt: int, exc: ModelUnavailable) -> float:
        """Seconds to wait before the next attempt; infinite where the server asks for too many."""
        asked = exc.retry_after_s if isinstance(exc, ModelOverloaded) else None
        if asked is not None and asked > LONGEST_WAIT_S:
            return float("inf")
        jittered = self._jitter(0.0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt))
        return max(asked or 0.0, jittered)
