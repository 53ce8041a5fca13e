"""What each step of a turn took is read from what Slack and the model saw, without the model's own time."""

from typing import Any

import pytest

from bench.loop import Asked, Run
from bench.timings import timings

CHANNEL = "D0P00000"


def delivery(ts: str, at: float, ack_ms: float) -> dict[str, Any]:
    event = {"type": "message", "channel": CHANNEL, "ts": ts}
    return {"kind": "events_api", "at": at, "payload": {"event": event}, "attempts": [{"duration_ms": ack_ms}]}


def call(method: str, at: float) -> dict[str, Any]:
    return {"method": method, "at": at, "args": {"channel": CHANNEL}}


def asked(name: str, ts: str, *, exact: bool = True) -> Asked:
    return Asked(name, CHANNEL, ts, ts, exact)


LOG = [{"question": "one", "arrived": 100.02, "first": 100.22, "last": 102.22}]
CALLS = [
    call("agents.sessions.setStatus", 100.06),
    call("chat.startStream", 100.3),
    call("chat.appendStream", 101.0),
    call("chat.stopStream", 102.3),
]


def test_a_turns_steps_count_from_its_event_and_leave_the_model_out() -> None:
    (timing,) = timings(Run(1, [asked("one", "100.000000")]), [delivery("100.000000", 100.0, 4.5)], CALLS, LOG)

    found = [timing.ack_ms, timing.sign_ms, timing.request_ms, timing.first_ms, timing.final_ms]
    assert found == pytest.approx([4.5, 60, 20, 100, 100])
    assert timing.calls == 4
    assert timing.final_at == 102.3


def test_the_calls_of_the_next_turn_in_a_channel_are_not_this_ones() -> None:
    run = Run(1, [asked("one", "100.000000"), asked("two", "103.000000")])
    deliveries = [delivery("100.000000", 100.0, 4.5), delivery("103.000000", 103.0, 3.0)]
    later = [call("chat.startStream", 103.3), call("chat.stopStream", 105.3)]
    log = [*LOG, {"question": "two", "arrived": 103.02, "first": 103.22, "last": 105.22}]

    first, second = timings(run, deliveries, [*CALLS, *later], log)

    assert (first.calls, second.calls) == (4, 2)
    assert first.final_at == 102.3


def test_a_turn_without_its_exact_answer_has_no_timing() -> None:
    run = Run(1, [asked("one", "100.000000", exact=False)])

    assert timings(run, [delivery("100.000000", 100.0, 4.5)], CALLS, LOG) == []
    assert run.wrong == ["one"]
