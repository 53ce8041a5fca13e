"""Metrics: every one is in the table, begins at 0 where it can, and counts what passes the ports."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.conversation.mirror import Busy
from bot.conversation.thread import Usage
from bot.errors import LeaseLost, SlackRateLimited, SlackRejected, SlackUnavailable, StoreUnavailable
from bot.telemetry.counted import Counting
from bot.telemetry.metrics import Metrics
from bot.telemetry.names import METRICS
from tests.doubles.memory_store import MemoryDatabase
from tests.doubles.replicas import LEASE_S, answered, asked, finish, take, ts


@pytest.fixture
def counting() -> Counting:
    counting = Counting()
    counting.models({}, lambda _id, _usage: 0.0)
    return counting


@pytest.fixture
def database() -> Iterator[MemoryDatabase]:
    database = MemoryDatabase()
    yield database
    database.close()


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample but histograms' buckets, as `name{labels}`."""
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }


def test_what_is_exported_is_what_the_table_says() -> None:
    metrics = Metrics()
    for gauge in ("tandem_turns_in_flight", "tandem_turns_waiting", "tandem_sockets_connected"):
        metrics.watch(gauge, lambda: 1)
    metrics.begin(["gemma"])

    text = generate_latest(metrics.registry).decode()
    exported = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in text_string_to_metric_families(text)
        if not family.name.startswith("process_")
    }

    assert exported == {name: metric.kind for name, metric in METRICS.items()}


def test_what_may_happen_first_in_an_hour_begins_at_zero_so_that_an_alert_sees_it() -> None:
    metrics = Metrics()
    metrics.begin(["gemma"])
    found = values(metrics)

    assert found["tandem_turns_total{gemma,dead}"] == found["tandem_turns_total{none,failed}"] == 0
    assert found["tandem_events_total{not_taken}"] == 0
    assert found["tandem_breaker_open{gemma}"] == found["tandem_cost_usd_total{gemma}"] == 0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (SlackRateLimited("chat.update", 3), "rate_limited"),
        (SlackUnavailable("timeout"), "unavailable"),
        (SlackRejected("chat.update", "not_in_channel"), "rejected"),
        (asyncio.CancelledError(), "cancelled"),
        (ValueError(), "error"),
    ],
)
def test_a_call_of_slack_is_counted_by_how_it_ended(error: BaseException | None, outcome: str) -> None:
    metrics = Metrics()

    try:
        with metrics.slack_call("chat.update"):
            if error is not None:
                raise error
    except BaseException as raised:
        assert raised is error

    assert values(metrics)[f"tandem_slack_calls_total{{chat.update,{outcome}}}"] == 1
    assert values(metrics).get("tandem_slack_rate_limited_total{chat.update}", 0) == (outcome == "rate_limited")


@pytest.mark.parametrize(("error", "outcome"), [(StoreUnavailable(), "unavailable"), (LeaseLost(), "lease_lost")])
def test_a_call_of_the_store_is_counted_and_timed_also_where_it_fails(error: Exception, outcome: str) -> None:
    metrics = Metrics()

    with pytest.raises(type(error)), metrics.store_call("save"):
        raise error

    found = values(metrics)
    assert found[f"tandem_store_calls_total{{save,{outcome}}}"] == found["tandem_store_call_seconds_count{save}"] == 1


def test_echoes_of_our_own_updates_do_not_hide_how_long_an_event_takes() -> None:
    metrics = Metrics()
    metrics.event("ignored", 0.0)
    metrics.event("not_taken", 1.5)

    found = values(metrics)
    assert found["tandem_events_total{ignored}"] == found["tandem_events_total{not_taken}"] == 1
    assert (found["tandem_accept_to_ack_seconds_count{}"], found["tandem_accept_to_ack_seconds_sum{}"]) == (1, 1.5)


def test_tokens_and_dollars_are_counted_by_model() -> None:
    metrics = Metrics()
    metrics.used("gemini", Usage(prompt=10, cached=4, answer=5, thoughts=7), 0.25)
    metrics.used("gemini", Usage(prompt=1), 0.5)

    found = values(metrics)
    kinds = ("prompt", "cached", "answer", "thoughts")
    assert [found[f"tandem_tokens_total{{gemini,{kind}}}"] for kind in kinds] == [11, 4, 5, 7]
    assert found["tandem_cost_usd_total{gemini}"] == 0.75


async def test_a_turn_waits_from_its_acceptance_until_somebody_begins_it(
    counting: Counting, database: MemoryDatabase
) -> None:
    turns = counting.turns(database.mirror().turns)
    (first, question), (second, another) = asked(0), asked(1)

    def waiting() -> float:
        return values(counting.metrics)["tandem_turns_waiting{}"]

    await turns.accept(first, question)
    await turns.accept(second, another)
    assert waiting() == 2

    taken = await take(turns)
    await turns.accept(first, question)  # a late copy
    assert waiting() == 1
    await finish(turns, taken, ts(2))
    await finish(turns, await take(turns), ts(3))

    assert waiting() == 0
    assert values(counting.metrics)["tandem_turns_total{none,answered}"] == 2


async def test_what_another_replica_works_on_is_not_waiting_here(counting: Counting, database: MemoryDatabase) -> None:
    ours, theirs = counting.turns(database.mirror().turns), database.mirror().turns
    turn, question = asked()
    await ours.accept(turn, question)
    await take(theirs, owner="b")

    assert isinstance(await ours.take(turn.thread, "a", LEASE_S), Busy)
    assert values(counting.metrics)["tandem_turns_waiting{}"] == 0


async def test_a_turn_that_is_withdrawn_ends_without_having_begun(counting: Counting, database: MemoryDatabase) -> None:
    turns = counting.turns(database.mirror().turns)
    turn, question = asked()
    await turns.accept(turn, question)

    assert await turns.withdraw(turn.id, "stopped", answered(turn, f"{ts(0)}a", ""))

    found = values(counting.metrics)
    assert (found["tandem_turns_total{none,stopped}"], found["tandem_turns_waiting{}"]) == (1, 0)


async def test_a_turn_that_is_closed_already_when_it_is_accepted_is_counted(
    counting: Counting, database: MemoryDatabase
) -> None:
    turns = counting.turns(database.mirror().turns)
    turn, question = asked()

    await turns.accept(replace(turn, state="stopped"), question)

    found = values(counting.metrics)
    assert (found["tandem_turns_total{none,stopped}"], found["tandem_turns_waiting{}"]) == (1, 0)


def test_what_nobody_wants_to_measure_with_is_not_loaded() -> None:
    libraries = "'prometheus_client', 'opentelemetry.sdk', 'opentelemetry.exporter'"
    program = f"import sys, bot.app; sys.exit(any(name in sys.modules for name in ({libraries})))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
