"""The core's ports in, the same ports out: counted and traced as far as an operator wants, else just as they came."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from bot.conversation.intake import Intake
from bot.conversation.mirror import ThreadStore, TurnStore
from bot.conversation.ports import Model, Replies
from bot.conversation.thread import Usage
from bot.conversation.worker import Answers
from bot.telemetry.correlation import CorrelatedAnswers
from bot.telemetry.surrounding import Around, together

if TYPE_CHECKING:
    from bot.telemetry.metrics import Metrics

Cost = Callable[[str, Usage], float]  # a model's id and its tokens -> US dollars


class Instrument(Protocol):
    """Something that measures. Each method gives the port back, measured or as it came."""

    def slack_call(self, method: str) -> AbstractContextManager[None]:
        """What stands around every call of Slack's Web API."""
        ...

    def models(self, models: Mapping[str, Model], cost: Cost) -> Mapping[str, Model]:
        """The models, by id."""
        ...

    def threads(self, threads: ThreadStore) -> ThreadStore:
        """The store of threads."""
        ...

    def turns(self, turns: TurnStore) -> TurnStore:
        """The store of turns."""
        ...

    def replies(self, replies: Replies) -> Replies:
        """Where answers are shown."""
        ...

    def answers(self, answers: Answers) -> Answers:
        """Who answers."""
        ...

    def intake(self, intake: Intake) -> Intake:
        """The core's door."""
        ...

    async def close(self) -> None:
        """Send what is not sent yet."""
        ...


class Instruments:
    """All that measure this bot, one around the other; and the metrics, where there are any."""

    def __init__(self, each: Sequence[Instrument] = (), metrics: "Metrics | None" = None) -> None:
        self._each = each
        self.metrics = metrics

    def rests(self, model_id: str, resting: bool) -> None:
        """A model is left alone from now on, because it kept failing; or no longer."""
        if self.metrics is not None:
            self.metrics.breaker(model_id, resting)

    def watch(self, gauge: str, read: Callable[[], float]) -> None:
        """Export a gauge whose value is read whenever somebody scrapes."""
        if self.metrics is not None:
            self.metrics.watch(gauge, read)

    @property
    def slack_call(self) -> Around:
        """See `Instrument.slack_call`."""
        return together([each.slack_call for each in self._each])

    def models(self, models: Mapping[str, Model], cost: Cost) -> Mapping[str, Model]:
        """See `Instrument.models`."""
        for each in self._each:
            models = each.models(models, cost)
        return models

    def threads(self, threads: ThreadStore) -> ThreadStore:
        """See `Instrument.threads`."""
        for each in self._each:
            threads = each.threads(threads)
        return threads

    def turns(self, turns: TurnStore) -> TurnStore:
        """See `Instrument.turns`."""
        for each in self._each:
            turns = each.turns(turns)
        return turns

    def replies(self, replies: Replies) -> Replies:
        """See `Instrument.replies`."""
        for each in self._each:
            replies = each.replies(replies)
        return replies

    def answers(self, answers: Answers) -> Answers:
        """See `Instrument.answers`; what is logged meanwhile belongs to the turn's trace, whoever measures."""
        for each in self._each:
            answers = each.answers(answers)
        return CorrelatedAnswers(answers)

    def intake(self, intake: Intake) -> Intake:
        """See `Instrument.intake`."""
        for each in self._each:
            intake = each.intake(intake)
        return intake

    async def close(self) -> None:
        """See `Instrument.close`."""
        for each in self._each:
            await each.close()


def choose_instruments(*, metrics: bool, collector: str, instance: str) -> Instruments:
    """Metrics to be scraped, spans to be sent to a collector, both or none. What is not wanted is not loaded."""
    chosen: list[Instrument] = []
    counting = None
    if metrics:
        from bot.telemetry.counted import Counting

        counting = Counting()
        chosen.append(counting)
    if collector:
        from bot.telemetry.traced import Tracing
        from bot.telemetry.traces import Traces

        chosen.append(Tracing(Traces.to(collector, instance=instance)))
    return Instruments(chosen, counting.metrics if counting is not None else None)
