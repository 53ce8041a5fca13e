"""A Model that stops asking another Model while that one keeps failing."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import monotonic

from bot.conversation.models import Chunk, ModelEntry, Prompt
from bot.conversation.ports import Model
from bot.errors import ModelError, ModelMisconfigured, ModelUnavailable, PromptTooLong

WINDOW_S = 30.0
MIN_FAILURES = 5
FAILURE_SHARE = 0.5
PROBE_AFTER_S = 15.0


class CircuitOpen(ModelUnavailable):
    """The model was not asked, because it failed too often just now. Asking again at once is pointless."""


class BreakerModel:
    """Opens on 5 failures that are half of the last 30 seconds' answers; lets one probe through after 15 s.

    Failures are ModelUnavailable and StreamBroken. A prompt that is too long and a wrong key say nothing of the
    server's health, and a reader who stops says nothing either.
    """

    def __init__(
        self,
        model: Model,
        *,
        clock: Callable[[], float] = monotonic,
        on_rest: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`on_rest` hears True when the model begins to be left alone, and False when that is over."""
        self._model = model
        self._on_rest = on_rest
        self._clock = clock
        self._outcomes: deque[tuple[float, bool]] = deque()  # when, and whether it failed
        self._opened_at: float | None = None
        self._probing = False

    @property
    def entry(self) -> ModelEntry:
        """The model's own."""
        return self._model.entry

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        """See the port; raises CircuitOpen at once while the model is left alone."""
        probe = self._admit()
        try:
            async with aclosing(self._model.stream(prompt)) as chunks:
                async for chunk in chunks:
                    if chunk.text and probe:
                        probe = self._recovered()
                    yield chunk
            self._note(failed=False, probe=probe)
        except (ModelMisconfigured, PromptTooLong):
            raise
        except ModelError:
            self._note(failed=True, probe=probe)
            raise
        finally:
            if probe:
                self._probing = False

    async def check(self) -> str:
        """Ask in any case: an operator wants to know now."""
        return await self._model.check()

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()

    def _admit(self) -> bool:
        """Whether this request is the probe; raises CircuitOpen where none may be made."""
        if self._opened_at is None:
            return False
        left = self._opened_at + PROBE_AFTER_S - self._clock()
        if self._probing or left > 0:
            raise CircuitOpen(f"{self.entry.id} failed too often; it is left alone for {max(left, 0):.0f} s more")
        self._probing = True
        return True

    def _recovered(self) -> bool:
        self._rest(None)
        self._probing = False
        self._outcomes.clear()
        return False

    def _note(self, *, failed: bool, probe: bool) -> None:
        now = self._clock()
        if probe:  # a probe that succeeded without a word of text, or one that failed
            self._rest(now if failed else None)
            return
        self._outcomes.append((now, failed))
        while self._outcomes[0][0] <= now - WINDOW_S:
            self._outcomes.popleft()
        if not failed or self._opened_at is not None:
            return
        failures = sum(failed for _, failed in self._outcomes)
        if failures >= max(MIN_FAILURES, FAILURE_SHARE * len(self._outcomes)):
            self._rest(now)

    def _rest(self, since: float | None) -> None:
        if (since is None) != (self._opened_at is None):
            self._on_rest(since is not None)
        self._opened_at = since
