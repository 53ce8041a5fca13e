"""What happens in, Prometheus' metrics of it out, for whoever scrapes /metrics."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import get_args

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from bot.conversation.thread import Usage
from bot.errors import LeaseLost, SlackRateLimited, SlackRejected, SlackUnavailable, StoreUnavailable
from bot.telemetry.names import METRICS, Fate, TokenKind, TurnOutcome

NOBODY = "none"  # the model of a turn that ended before one was chosen
_OUTCOMES = {
    StoreUnavailable: "unavailable",
    LeaseLost: "lease_lost",
    SlackRateLimited: "rate_limited",
    SlackUnavailable: "unavailable",
    SlackRejected: "rejected",
    asyncio.CancelledError: "cancelled",
}


class Metrics:
    """The metrics of one process. Nothing here waits or raises.

    Series whose labels are known beforehand begin at 0: of one that begins at 1 no rate shows the first increase.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads
        ProcessCollector(registry=self.registry)
        self._turns = self._counter("tandem_turns_total")
        self._first_text = self._histogram("tandem_time_to_first_text_seconds")
        self._acknowledged = self._histogram("tandem_accept_to_ack_seconds")
        self._events = self._counter("tandem_events_total")
        self._slack_calls = self._counter("tandem_slack_calls_total")
        self._rate_limited = self._counter("tandem_slack_rate_limited_total")
        self._store_calls = self._counter("tandem_store_calls_total")
        self._store_seconds = self._histogram("tandem_store_call_seconds")
        self._tokens = self._counter("tandem_tokens_total")
        self._cost = self._counter("tandem_cost_usd_total")
        self._breaker = self._gauge("tandem_breaker_open")
        for fate in get_args(Fate):
            self._events.labels(fate)

    def begin(self, models: Collection[str]) -> None:
        """These models may answer."""
        for model_id in models:
            for kind in get_args(TokenKind):
                self._tokens.labels(model_id, kind)
            self._cost.labels(model_id)
            self._breaker.labels(model_id)
        for model_id in (*models, NOBODY):
            for outcome in get_args(TurnOutcome):
                self._turns.labels(model_id, outcome)

    def watch(self, gauge: str, read: Callable[[], float]) -> None:
        """Export a gauge whose value is read whenever somebody scrapes."""
        self._gauge(gauge).set_function(read)

    def event(self, fate: Fate, seconds: float) -> None:
        """An event's fate is known."""
        self._events.labels(fate).inc()
        if fate != "ignored":  # most are echoes of our own updates, which cost nothing and would hide the rest
            self._acknowledged.observe(seconds)

    def turn_ended(self, model_id: str, outcome: str) -> None:
        """A turn came to its end, in the store."""
        self._turns.labels(model_id or NOBODY, outcome).inc()

    def first_text(self, model_id: str, seconds: float) -> None:
        """People see something of an answer."""
        self._first_text.labels(model_id or NOBODY).observe(max(0.0, seconds))

    def used(self, model_id: str, usage: Usage, cost_usd: float) -> None:
        """A model has counted its tokens."""
        counts: dict[TokenKind, int] = {
            "prompt": usage.prompt,
            "cached": usage.cached,
            "answer": usage.answer,
            "thoughts": usage.thoughts,
        }
        for kind, count in counts.items():
            self._tokens.labels(model_id, kind).inc(count)
        self._cost.labels(model_id).inc(cost_usd)

    def breaker(self, model_id: str, is_open: bool) -> None:
        """A model is left alone from now on, or no longer."""
        self._breaker.labels(model_id).set(is_open)

    @contextmanager
    def slack_call(self, method: str) -> Iterator[None]:
        """Around one call of Slack's Web API."""
        outcome = "ok"
        try:
            yield
        except BaseException as error:
            outcome = _outcome(error)
            raise
        finally:
            self._slack_calls.labels(method, outcome).inc()
            if outcome == "rate_limited":
                self._rate_limited.labels(method).inc()

    @contextmanager
    def store_call(self, operation: str) -> Iterator[None]:
        """Around one call of a store."""
        outcome, started = "ok", time.perf_counter()
        try:
            yield
        except BaseException as error:
            outcome = _outcome(error)
            raise
        finally:
            self._store_calls.labels(operation, outcome).inc()
            self._store_seconds.labels(operation).observe(time.perf_counter() - started)

    async def show(self, _: web.Request) -> web.Response:
        """The answer to GET /metrics."""
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    def _counter(self, name: str) -> Counter:
        return Counter(name, METRICS[name].meaning, METRICS[name].labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        return Gauge(name, METRICS[name].meaning, METRICS[name].labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        metric = METRICS[name]
        return Histogram(name, metric.meaning, metric.labels, buckets=metric.buckets, registry=self.registry)


def _outcome(error: BaseException) -> str:
    return next((word for kind, word in _OUTCOMES.items() if isinstance(error, kind)), "error")
