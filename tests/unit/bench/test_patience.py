"""Whether a bot bore with Slack's limits is read from the calls that Slack saw."""

from typing import Any

import pytest

from bench.loop import Asked
from bench.patience import impatient, judged, overtaken_by

GENERAL = "C0GENERAL"


def call(method: str, at: float, *, http: int = 200, retry_after: int = 0, **args: Any) -> dict[str, Any]:
    common = {"ok": http == 200, "status": http, "retry_after": retry_after, "duration_ms": 50.0}
    return {"method": method, "at": at, "args": {"channel": GENERAL, **args}, **common}


@pytest.mark.parametrize(("left_after_s", "impatience"), [(0.05, 0), (1.0, 1), (3.1, 0)])
def test_a_call_inside_a_retry_after_is_impatient_unless_it_was_already_on_its_way(
    left_after_s: float, impatience: int
) -> None:
    refused = call("chat.update", 10.0, http=429, retry_after=3)

    assert impatient([refused, call("chat.update", 10.05 + left_after_s)]) == impatience
    assert impatient([refused, call("chat.postMessage", 10.05 + left_after_s)]) == 0


def test_an_answer_is_overtaken_by_those_whose_models_ended_clearly_later() -> None:
    ended = {"a": 1.0, "b": 1.05, "c": 2.0, "d": 3.0}

    assert overtaken_by(ended, {"a": 1.1, "b": 1.2, "c": 2.1, "d": 3.1}) == 0
    assert overtaken_by(ended, {"a": 1.2, "b": 1.1, "c": 2.1, "d": 3.1}) == 0
    assert overtaken_by(ended, {"a": 4.0, "b": 1.1, "c": 2.1, "d": 3.1}) == 2


def test_each_turn_is_known_by_its_thread_and_by_its_messages() -> None:
    asked = [
        Asked("streamed", GENERAL, "1.0", "1.0", exact=True, parts=["1.5"]),
        Asked("edited", GENERAL, "2.0", "2.0", exact=True, parts=["2.5"]),
        Asked("posted", GENERAL, "3.0", "3.0", exact=True, parts=["3.5"]),
    ]
    calls = [
        call("chat.startStream", 10.0, thread_ts="1.0"),
        call("chat.stopStream", 12.5, ts="1.5", session_status="active"),
        call("chat.postMessage", 10.0, thread_ts="2.0"),
        call("chat.update", 12.2, ts="2.5"),
        call("agents.sessions.setStatus", 12.3, thread_ts="2.0", status="active"),
        call("chat.update", 12.0, http=429, retry_after=1, ts="2.5"),
        call("chat.postMessage", 13.0, thread_ts="3.0"),
    ]
    log = {name: {"last": 12.0} for name in ("streamed", "edited", "posted")}

    judgement = judged(asked, calls, log, refused_after=0)

    assert judgement["modes"] == {"native": 1, "edit": 1, "final": 1}
    assert judgement["final_s"] == {"p50": 0.5, "p95": 1.0, "most": 1.0}
    assert judgement["refused"] == 1
    assert judgement["wrong"] == []
