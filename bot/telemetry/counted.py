"""The core's ports in, the same ports out, with what passes them counted."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, aclosing
from typing import Any, cast

from bot.conversation.arrival import Arrival, Deletion, Edit, Outcome, Stop
from bot.conversation.intake import Intake
from bot.conversation.mirror import Acceptance, Busy, Lease, Taken, ThreadStore, TurnStore
from bot.conversation.models import Chunk, Prompt
from bot.conversation.ports import Journal, Model, Replies, Reply
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Part, ReplyMode, Turn, TurnState
from bot.conversation.worker import Answers
from bot.telemetry.instruments import Cost
from bot.telemetry.metrics import Metrics
from bot.telemetry.names import Fate
from bot.telemetry.surrounding import surrounded


class Counting:
    """The instrument that counts."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        """`now` is the clock of `Turn.asked_at`."""
        self.metrics = Metrics()
        self._now = now

    def slack_call(self, method: str) -> AbstractContextManager[None]:
        """How it ends."""
        return self.metrics.slack_call(method)

    def models(self, models: Mapping[str, Model], cost: Cost) -> Mapping[str, Model]:
        """What they use."""
        self.metrics.begin(models)
        return {id_: cast(Model, _Model(model, self.metrics, cost)) for id_, model in models.items()}

    def threads(self, threads: ThreadStore) -> ThreadStore:
        """How every call ends, and when."""
        return surrounded(threads, self.metrics.store_call)

    def turns(self, turns: TurnStore) -> TurnStore:
        """The same, and how turns end, and how many wait."""
        counted = _Turns(surrounded(turns, self.metrics.store_call), self.metrics)
        self.metrics.watch("tandem_turns_waiting", counted.waiting)
        return cast(TurnStore, counted)

    def replies(self, replies: Replies) -> Replies:
        """How soon people see something."""
        return _Replies(replies, self.metrics, self._now)

    def answers(self, answers: Answers) -> Answers:
        """Nothing that the store of turns does not tell."""
        return answers

    def intake(self, intake: Intake) -> Intake:
        """What becomes of events, and how soon that is known."""
        return cast(Intake, _Intake(intake, self.metrics))

    async def close(self) -> None:
        """Nothing is sent: whoever wants to know comes and asks."""


class _Intake:
    def __init__(self, intake: Intake, metrics: Metrics) -> None:
        self._intake = intake
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._intake, name)

    async def message(self, arrival: Arrival) -> Outcome:
        return await self._counted(self._intake.message(arrival))

    async def edited(self, edit: Edit) -> Outcome:
        return await self._counted(self._intake.edited(edit))

    async def deleted(self, deletion: Deletion) -> Outcome:
        return await self._counted(self._intake.deleted(deletion))

    async def stop(self, stop: Stop) -> Outcome:
        return await self._counted(self._intake.stop(stop))

    async def _counted(self, work: Awaitable[Outcome]) -> Outcome:
        fate: Fate = "not_taken"
        started = time.perf_counter()
        try:
            outcome = await work
            fate = outcome.fate
            return outcome
        finally:
            self._metrics.event(fate, time.perf_counter() - started)


class _Turns:
    def __init__(self, turns: TurnStore, metrics: Metrics) -> None:
        self._turns = turns
        self._metrics = metrics
        self._waiting: dict[ThreadKey, set[str]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turns, name)

    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        acceptance = await self._turns.accept(turn, question, client_msg_id=client_msg_id)
        if acceptance == "new" and turn.open:
            self._waiting.setdefault(turn.thread, set()).add(turn.id)
        elif acceptance == "new":
            self._metrics.turn_ended(turn.model_id, turn.state)
        return acceptance

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        taken = await self._turns.take(thread, owner, lease_s)
        if isinstance(taken, Taken):
            self._begun(thread, taken.turn.id)
        elif taken is None or taken.owner != owner:  # whoever has the thread sees to what waits in it
            self._waiting.pop(thread, None)
        return taken

    async def save(self, lease: Lease, turn: Turn, **more: Any) -> Lease:
        saved = await self._turns.save(lease, turn, **more)
        if not turn.open:
            self._metrics.turn_ended(turn.model_id, turn.state)
        return saved

    async def withdraw(self, turn_id: str, state: TurnState, answer: Message) -> bool:
        withdrawn = await self._turns.withdraw(turn_id, state, answer)
        if withdrawn:
            self._begun(answer.thread, turn_id)
            self._metrics.turn_ended("", state)
        return withdrawn

    def _begun(self, thread: ThreadKey, turn_id: str) -> None:
        waiting = self._waiting.get(thread, set())
        waiting.discard(turn_id)
        if not waiting:
            self._waiting.pop(thread, None)


class _Model:
    def __init__(self, model: Model, metrics: Metrics, cost: Cost) -> None:
        self._model = model
        self._metrics = metrics
        self._cost = cost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        async with aclosing(self._model.stream(prompt)) as chunks:
            async for chunk in chunks:
                if chunk.finish and chunk.usage:
                    model_id = self._model.entry.id
                    self._metrics.used(model_id, chunk.usage, self._cost(model_id, chunk.usage))
                yield chunk


class _Replies:
    def __init__(self, replies: Replies, metrics: Metrics, now: Callable[[], float]) -> None:
        self._replies = replies
        self._metrics = metrics
        self._now = now

    async def begin(self, journal: Journal, mode: ReplyMode) -> Reply:
        return await self._replies.begin(_Journal(journal, self._metrics, self._now), mode)

    async def notice(self, turn: Turn, code: str, **facts: str) -> None:
        await self._replies.notice(turn, code, **facts)


class _Journal:
    """The turn's journal; its first part is the first text that people see."""

    def __init__(self, journal: Journal, metrics: Metrics, now: Callable[[], float]) -> None:
        self._journal = journal
        self._metrics = metrics
        self._now = now
        self.assert_ours = journal.assert_ours
        self.opening = journal.opening

    @property
    def turn(self) -> Turn:
        return self._journal.turn

    async def opened(self, part: Part) -> None:
        turn, shown_at = self._journal.turn, self._now()
        if not turn.parts:
            self._metrics.first_text(turn.model_id, shown_at - turn.asked_at)
        await self._journal.opened(part)
