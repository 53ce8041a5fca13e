"""The core's ports in, the same ports out, with what passes them traced."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing
from typing import Any, cast

from bot.conversation.hold import Hold
from bot.conversation.intake import Intake
from bot.conversation.mirror import Acceptance, Busy, Taken, ThreadStore, TurnStore
from bot.conversation.models import Chunk, Prompt
from bot.conversation.ports import Model, Replies
from bot.conversation.thread import Message, ThreadKey
from bot.conversation.turn import Turn
from bot.conversation.worker import Answers
from bot.telemetry.instruments import Cost
from bot.telemetry.surrounding import surrounded
from bot.telemetry.traces import Traces


class Tracing:
    """The instrument that traces."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces

    def slack_call(self, method: str) -> AbstractContextManager[None]:
        """One span for each that a turn makes."""
        return self._traces.slack_call(method)

    def models(self, models: Mapping[str, Model], _: Cost) -> Mapping[str, Model]:
        """One span for each answer, its retries included."""
        return {id_: cast(Model, _Model(model, self._traces)) for id_, model in models.items()}

    def threads(self, threads: ThreadStore) -> ThreadStore:
        """One span for each call that a turn makes."""
        return surrounded(threads, self._traces.store_call)

    def turns(self, turns: TurnStore) -> TurnStore:
        """The same; and here traces begin."""
        return cast(TurnStore, _Turns(surrounded(turns, self._traces.store_call), self._traces))

    def replies(self, replies: Replies) -> Replies:
        """Nothing that their calls of Slack do not tell."""
        return replies

    def answers(self, answers: Answers) -> Answers:
        """One span for each attempt at a turn."""
        return _Answers(answers, self._traces)

    def intake(self, intake: Intake) -> Intake:
        """When an event came."""
        return surrounded(intake, self._traces.arriving)

    async def close(self) -> None:
        """Send what is not sent yet, if that can be done soon."""
        await self._traces.close()


class _Turns:
    def __init__(self, turns: TurnStore, traces: Traces) -> None:
        self._turns = turns
        self._traces = traces

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turns, name)

    async def accept(self, turn: Turn, question: Message, *, client_msg_id: str = "") -> Acceptance:
        with self._traces.accepting(turn) as root:
            acceptance = await self._turns.accept(turn, question, client_msg_id=client_msg_id)
            if acceptance == "new":
                root.end()
            return acceptance

    async def take(self, thread: ThreadKey, owner: str, lease_s: float) -> Taken | Busy | None:
        started_ns = time.time_ns()
        taken = await self._turns.take(thread, owner, lease_s)
        if isinstance(taken, Taken):
            self._traces.taken(taken.turn, started_ns=started_ns)
        return taken


class _Answers:
    def __init__(self, answers: Answers, traces: Traces) -> None:
        self._answers = answers
        self._traces = traces

    async def answer(self, hold: Hold) -> None:
        with self._traces.answering(hold.turn) as span:
            try:
                await self._answers.answer(hold)
            finally:
                span.set_attributes({"tandem.state": hold.turn.state, "tandem.model": hold.turn.model_id})


class _Model:
    def __init__(self, model: Model, traces: Traces) -> None:
        self._model = model
        self._traces = traces

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Chunk, None]:
        id_ = self._model.entry.id
        with self._traces.call(f"model.{id_}", **{"gen_ai.request.model": id_}) as span:
            spoke = False
            async with aclosing(self._model.stream(prompt)) as chunks:
                async for chunk in chunks:
                    if chunk.text and not spoke:
                        spoke = True
                        span.add_event("first text")
                    if chunk.finish:
                        span.set_attribute("gen_ai.response.finish_reasons", [chunk.finish])
                    if chunk.finish and chunk.usage:
                        usage = chunk.usage
                        span.set_attribute("gen_ai.usage.input_tokens", usage.prompt)
                        span.set_attribute("gen_ai.usage.output_tokens", usage.answer + usage.thoughts)
                    yield chunk
