"""Every metric that Tandem exports, by name: its kind, its labels, its meaning. Nothing is exported that is not here.

A label's values are few and known: no id of anybody or anything is among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["counter", "gauge", "histogram"]
TurnOutcome = Literal["answered", "refused", "stopped", "failed", "dead"]
Fate = Literal["accepted", "mirrored", "held", "stopped", "ignored", "not_taken"]
TokenKind = Literal["prompt", "cached", "answer", "thoughts"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table."""

    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def _words(of: object) -> str:
    return ", ".join(f"`{word}`" for word in get_args(of))


_OF_A_CALL = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 10.0)
_OF_AN_ANSWER = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0)

METRICS: Mapping[str, Metric] = {
    "tandem_turns_total": Metric(
        "counter", f"Turns that ended, by outcome: {_words(TurnOutcome)}.", ("model", "outcome")
    ),
    "tandem_turns_in_flight": Metric("gauge", "Turns that this process answers now."),
    "tandem_turns_waiting": Metric("gauge", "Turns that this process accepted and nobody has begun."),
    "tandem_time_to_first_text_seconds": Metric(
        "histogram", "From a question's acceptance to the first text of its answer in Slack.", ("model",), _OF_AN_ANSWER
    ),
    "tandem_accept_to_ack_seconds": Metric(
        "histogram",
        "From an event's arrival in the core until Slack may be told its fate; ignored ones are left out.",
        (),
        _OF_A_CALL,
    ),
    "tandem_events_total": Metric("counter", f"Events that concern the core, by fate: {_words(Fate)}.", ("fate",)),
    "tandem_slack_calls_total": Metric(
        "counter",
        "Calls of Slack's Web API, by outcome: `ok`, `rate_limited`, `rejected`, `unavailable`, `cancelled`, `error`.",
        ("method", "outcome"),
    ),
    "tandem_slack_rate_limited_total": Metric("counter", "Calls that Slack answered with 429.", ("method",)),
    "tandem_store_calls_total": Metric(
        "counter",
        "Calls of the store, by outcome: `ok`, `lease_lost`, `unavailable`, `cancelled`, `error`.",
        ("operation", "outcome"),
    ),
    "tandem_store_call_seconds": Metric("histogram", "How long the store took.", ("operation",), _OF_A_CALL),
    "tandem_tokens_total": Metric(
        "counter",
        f"Tokens as the models' servers counted them, by kind: {_words(TokenKind)}; `cached` is a part of `prompt`.",
        ("model", "kind"),
    ),
    "tandem_cost_usd_total": Metric(
        "counter", "What these tokens cost by the catalogue's prices, in US dollars.", ("model",)
    ),
    "tandem_breaker_open": Metric(
        "gauge", "1 while a model is left alone because it kept failing, else 0.", ("model",)
    ),
    "tandem_sockets_connected": Metric(
        "gauge", "1 while Slack reaches this process by Socket Mode, else 0; not there over HTTP."
    ),
}
