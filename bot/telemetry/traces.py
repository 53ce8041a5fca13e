"""What happens in, spans out by OTLP over HTTP: one trace for each turn, from its acceptance to its last update.

A trace's ids follow from the turn's (see correlation.py). So whichever process takes a turn over goes on with its
trace, and samples it as the one before did. A span holds ids, words and numbers; nothing that anybody wrote.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from bot.conversation.turn import Turn, retry_number, turn_id
from bot.errors import BotError
from bot.telemetry.correlation import HERE, Point, root_span_id, trace_id

EXPORT_S = 3.0  # for each batch; and as much again for what is not sent yet when the bot ends

_arrived_ns: ContextVar[list[int]] = ContextVar("tandem_arrived_ns")


class Traces:
    """The traces of one process. Nothing here waits for a collector; what none takes is dropped."""

    def __init__(self, exporter: SpanExporter, *, instance: str) -> None:
        service = Resource.create({"service.name": "tandem", "service.instance.id": instance})
        self._exporter = exporter
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=service.merge(OTELResourceDetector().detect()), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("tandem")

    @classmethod
    def to(cls, collector: str, *, instance: str) -> "Traces":
        """Sent to the collector at this address. The SDK's own OTEL_… variables say how, and how many."""
        return cls(OTLPSpanExporter(endpoint=f"{collector}/v1/traces", timeout=EXPORT_S), instance=instance)

    async def close(self) -> None:
        """Send what is left, if that can be done soon."""
        ended = asyncio.create_task(asyncio.to_thread(self._provider.shutdown))
        await asyncio.wait({ended}, timeout=EXPORT_S)
        self._exporter.shutdown()
        await ended

    @contextmanager
    def arriving(self, _: str) -> Iterator[None]:
        """Around an event's way into the core: the trace of the turn that it asks begins here."""
        arrived_ns = [time.time_ns()]
        before = _arrived_ns.set(arrived_ns)
        try:
            yield
        finally:
            arrived_ns.clear()  # tasks that it has started keep the variable, and may accept other turns later
            _arrived_ns.reset(before)

    @contextmanager
    def accepting(self, turn: Turn) -> Iterator[Span]:
        """Around a turn's acceptance: its trace's root. Whoever is in it ends the span if the turn is new."""
        links = []
        if retry_number(turn.id):
            links = [Link(_context_of_root(turn_id(turn.thread.channel_id, turn.question_ts)))]
        with self._ids.forced(turn.id):
            span = self._tracer.start_span(
                "accept",
                Context(),
                kind=SpanKind.SERVER,
                attributes=_facts(turn),
                links=links,
                start_time=next(iter(_arrived_ns.get(())), None),
                record_exception=False,
                set_status_on_exception=False,
            )
        with _at(span):
            yield span

    @contextmanager
    def answering(self, turn: Turn) -> Iterator[Span]:
        """Around one attempt at a turn, by whichever process."""
        facts = {"tandem.attempt": turn.attempts, "tandem.waited_s": round(max(0.0, time.time() - turn.asked_at), 3)}
        with self._span("answer", self._root(turn.id), _facts(turn) | facts) as span, _at(span):
            yield span

    def taken(self, turn: Turn, *, started_ns: int) -> None:
        """The lease of its thread was given; it was asked for at `started_ns`."""
        self._tracer.start_span("store.take", self._root(turn.id), kind=SpanKind.CLIENT, start_time=started_ns).end()

    @contextmanager
    def call(self, name: str, **attributes: str) -> Iterator[Span]:
        """Around one call to somebody else. One that no turn makes, or one of a trace that is left out, is in none."""
        context = _context_of_here()
        if not context:
            yield INVALID_SPAN
            return
        with self._span(name, context, attributes) as span:
            yield span

    @contextmanager
    def slack_call(self, method: str) -> Iterator[None]:
        """Around one call of Slack's Web API."""
        with self.call(f"slack.{method}"):
            yield

    @contextmanager
    def store_call(self, operation: str) -> Iterator[None]:
        """Around one call of a store."""
        with self.call(f"store.{operation}"):
            yield

    @contextmanager
    def _span(self, name: str, context: Context, attributes: Mapping[str, str | int | float]) -> Iterator[Span]:
        span = self._tracer.start_span(name, context, kind=SpanKind.CLIENT, attributes=attributes)
        try:
            yield span
        except (asyncio.CancelledError, GeneratorExit):
            span.set_attribute("tandem.cancelled", True)
            raise
        except Exception as error:
            code = error.code if isinstance(error, BotError) else type(error).__name__
            span.set_attribute("error.type", code)
            span.set_status(StatusCode.ERROR, code)
            raise
        finally:
            span.end()

    def _root(self, id_: str) -> Context:
        """The root span of a turn's trace, which another process may have made: sampled here as it was there."""
        found = _context_of_root(id_)
        verdict = self._provider.sampler.should_sample(Context(), found.trace_id, "accept").decision
        flags = TraceFlags.SAMPLED if verdict is Decision.RECORD_AND_SAMPLE else TraceFlags.DEFAULT
        return _within(found.trace_id, found.span_id, TraceFlags(flags))


class _Ids(RandomIdGenerator):
    """Ids by chance, but where they follow from a turn's id."""

    def __init__(self) -> None:
        self._root: SpanContext | None = None

    @contextmanager
    def forced(self, id_: str) -> Iterator[None]:
        """The next span is the root of this turn's trace."""
        self._root = _context_of_root(id_)
        try:
            yield
        finally:
            self._root = None

    def generate_trace_id(self) -> int:
        return self._root.trace_id if self._root else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self._root.span_id if self._root else super().generate_span_id()


@contextmanager
def _at(span: Span) -> Iterator[None]:
    """What happens inside belongs to the span, calls and log lines; if it is one that is sent."""
    if not span.is_recording():
        yield
        return
    context = span.get_span_context()
    before = HERE.set(Point(f"{context.trace_id:032x}", f"{context.span_id:016x}"))
    try:
        yield
    finally:
        HERE.reset(before)


def _context_of_here() -> Context:
    """The span that this task is in; empty where it is in none."""
    here = HERE.get()
    if here is None or not here.span_id:
        return Context()
    return _within(int(here.trace_id, 16), int(here.span_id, 16), TraceFlags(TraceFlags.SAMPLED))


def _context_of_root(id_: str) -> SpanContext:
    return SpanContext(int(trace_id(id_), 16), int(root_span_id(id_), 16), is_remote=True)


def _within(trace: int, span: int, flags: TraceFlags) -> Context:
    return set_span_in_context(NonRecordingSpan(SpanContext(trace, span, is_remote=True, trace_flags=flags)), Context())


def _facts(turn: Turn) -> dict[str, str | int | float]:
    return {"tandem.turn": turn.id, "tandem.team": turn.team_id, "tandem.place": turn.place}
