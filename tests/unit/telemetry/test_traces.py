"""Traces: one for each turn, whichever processes work on it, and nothing in them that anybody wrote."""

import json
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bot.conversation.turn import Turn
from bot.errors import SlackRejected
from bot.telemetry.correlation import HERE, root_span_id, trace_id
from bot.telemetry.traced import Tracing
from bot.telemetry.traces import Traces
from tests.doubles.memory_store import MemoryDatabase
from tests.doubles.replicas import asked, take


class Process:
    """One process's traces, and what it has sent."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.traces = Traces(self.exporter, instance="here")

    async def sent(self) -> dict[str, ReadableSpan]:
        """All its spans, by name; it ends with that."""
        await self.traces.close()
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def database() -> Iterator[MemoryDatabase]:
    database = MemoryDatabase()
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)


def ids(span: ReadableSpan) -> tuple[str, str]:
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


def parent(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent else ""


async def test_a_turn_that_another_process_takes_over_stays_one_trace(database: MemoryDatabase) -> None:
    first, second = Process(), Process()
    turn, question = asked(text="canary")
    theirs = Tracing(second.traces).turns(database.mirror().turns)

    await Tracing(first.traces).turns(database.mirror().turns).accept(turn, question)
    taken = await take(theirs)
    with second.traces.answering(taken.turn), second.traces.slack_call("chat.update"):
        pass

    accepted, resumed = await first.sent(), await second.sent()
    assert ids(accepted["accept"]) == (trace_id(turn.id), root_span_id(turn.id))
    assert {ids(span)[0] for span in (*accepted.values(), *resumed.values())} == {trace_id(turn.id)}
    assert parent(accepted["accept"]) == ""
    assert parent(accepted["store.accept"]) == parent(resumed["store.take"]) == parent(resumed["answer"])
    assert parent(resumed["answer"]) == root_span_id(turn.id)
    assert parent(resumed["slack.chat.update"]) == ids(resumed["answer"])[1]
    assert "canary" not in json.dumps([span.to_json() for span in (*accepted.values(), *resumed.values())])


async def test_a_copy_of_a_question_does_not_begin_its_trace_anew(database: MemoryDatabase) -> None:
    first, second = Process(), Process()
    turn, question = asked()
    for process in (first, second):
        await Tracing(process.traces).turns(database.mirror().turns).accept(turn, question)

    assert "accept" in await first.sent() and "accept" not in await second.sent()


async def test_a_retry_has_a_trace_of_its_own_that_links_to_the_first(database: MemoryDatabase) -> None:
    process = Process()
    (first, _), (retry, question) = asked(), asked(retry=1)
    await Tracing(process.traces).turns(database.mirror().turns).accept(retry, question)

    (link,) = (await process.sent())["accept"].links
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == (
        trace_id(first.id),
        root_span_id(first.id),
    )


@pytest.mark.parametrize(("share", "some"), [("0", range(1)), ("0.5", range(1, 40))])
async def test_processes_agree_on_which_turns_are_left_out(
    monkeypatch: pytest.MonkeyPatch, share: str, some: range
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    accepting, answering = Process(), Process()
    for turn, _ in map(asked, range(40)):
        with accepting.traces.accepting(turn) as root:
            root.end()
        with answering.traces.answering(turn), answering.traces.store_call("save"):
            pass
    await accepting.sent()
    await answering.sent()

    accepted = {span.context.trace_id for span in accepting.exporter.get_finished_spans()}
    answered = {span.context.trace_id for span in answering.exporter.get_finished_spans()}
    assert accepted == answered and len(accepted) in some


async def test_a_failure_is_told_by_its_code_and_never_by_its_text() -> None:
    process = Process()
    turn: Turn = asked()[0]
    with process.traces.answering(turn):
        for error in (SlackRejected("chat.update", "canary"), ValueError("canary")):
            with pytest.raises(type(error)), process.traces.slack_call(type(error).__name__):
                raise error

    sent = await process.sent()
    assert sent["slack.SlackRejected"].status.status_code is StatusCode.ERROR
    told = {name: (span.attributes or {}).get("error.type") for name, span in sent.items()}
    assert told == {"slack.SlackRejected": "slack_rejected", "slack.ValueError": "ValueError", "answer": None}
    assert "canary" not in json.dumps([span.to_json() for span in sent.values()])


async def test_calls_that_no_turn_makes_are_in_no_trace() -> None:
    process = Process()
    with process.traces.store_call("overdue"), process.traces.slack_call("auth.test"):
        assert HERE.get() is None

    assert await process.sent() == {}
