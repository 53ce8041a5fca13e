"""The playground misbehaves on demand as Slack does on a bad day, and is limited as Slack documents it."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.doubles.in_process import GENERAL, InProcess, refusal
from tests.doubles.workspace import Refused


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def post(slack: InProcess, text: str = "x", channel: str = GENERAL) -> Any:
    return await slack.client.chat_postMessage(channel=channel, text=text)


async def texts(slack: InProcess) -> list[str]:
    return [message["text"] for message in await slack.messages(GENERAL)]


async def test_calls_take_as_long_as_they_are_told(slack: InProcess) -> None:
    await slack.trouble(latency_ms={"chat.postMessage": 120, "*": 0})
    started = time.monotonic()
    await slack.client.auth_test()
    await post(slack)
    assert time.monotonic() - started >= 0.12
    assert (await slack.calls("auth.test"))[0]["duration_ms"] < 120
    assert (await slack.calls("chat.postMessage"))[0]["duration_ms"] >= 120


@pytest.mark.parametrize("effect", [True, False])
async def test_a_server_error_may_have_had_its_effect(slack: InProcess, effect: bool) -> None:
    await slack.trouble(fail=[{"method": "chat.postMessage", "status": 503, "effect": effect}])
    with pytest.raises(SlackApiError) as raised:
        await post(slack, "maybe")
    assert raised.value.response.status_code == 503
    assert await texts(slack) == (["maybe"] if effect else [])
    await post(slack, "after")
    calls = await slack.calls("chat.postMessage")
    assert [(call["ok"], call["status"]) for call in calls] == [(False, 503), (True, 200)]


@pytest.mark.parametrize("effect", [True, False])
async def test_a_connection_may_break_before_or_after_the_effect(slack: InProcess, effect: bool) -> None:
    await slack.trouble(fail=[{"method": "chat.postMessage", "kind": "drop", "effect": effect}])
    with pytest.raises(aiohttp.ClientError):
        await post(slack, "maybe")
    assert await texts(slack) == (["maybe"] if effect else [])
    assert (await slack.calls("chat.postMessage"))[0]["status"] == 0


async def test_a_call_may_hang_until_its_client_gives_up(slack: InProcess) -> None:
    await slack.trouble(fail=[{"method": "*", "kind": "hang", "effect": True}])
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as http:
        headers = {"Authorization": "Bearer xoxb-playground"}
        body = {"channel": GENERAL, "text": "done"}
        with pytest.raises(TimeoutError):
            await http.post(f"{slack.api_url}chat.postMessage", json=body, headers=headers)
    assert await texts(slack) == ["done"]


async def test_a_failure_waits_for_its_turn_and_ends_after_its_times(slack: InProcess) -> None:
    failure = {"method": "chat.postMessage", "kind": "error", "error": "fatal_error", "after": 1, "times": 2}
    await slack.trouble(fail=[failure])
    await post(slack)
    assert [await refusal(post(slack)) for _ in range(2)] == ["fatal_error", "fatal_error"]
    await post(slack)


async def test_a_share_of_the_calls_fails_and_the_same_seed_repeats_it(slack: InProcess) -> None:
    async def fates() -> list[bool]:
        await slack.trouble(seed=7, fail=[{"method": "auth.test", "kind": "error", "share": 0.3, "times": 1000}])
        since = max((call["n"] for call in await slack.calls()), default=0)
        for _ in range(60):
            with suppress(SlackApiError):
                await slack.client.auth_test()
        return [call["ok"] for call in await slack.calls(since=since)]

    first = await fates()
    assert first == await fates() and 5 < first.count(False) < 35


async def test_unknown_trouble_is_refused_by_name(slack: InProcess) -> None:
    for settings in (
        {"gremlins": 1},
        {"timing": {"forever": 1}},
        {"events": 3},
        {"fail": [{"what": 1}]},
        {"fail": 7},
        {"scale": 0},
        {"seed": "x"},
        {"timing": {"ack_s": "soon"}},
        {"timing": {"ack_s": -1}},
        {"timing": {"retry_delays_s": [0, "x"]}},
        {"events": {"lose": True}},
        {"fail": [{"kind": "sulk"}]},
    ):
        with pytest.raises(Refused, match="invalid_arguments"):
            await slack.trouble(**settings)


async def test_a_reset_ends_all_trouble_and_forgets_what_was_said(slack: InProcess) -> None:
    await slack.trouble(
        rate_limits="documented", latency_ms={"*": 5_000}, timing={"ack_s": 0.01}, sockets={"silent": True}
    )
    await slack.trouble(fail=[{"times": 9}], events={"lose": 1.0})
    await slack.ask()
    await slack.reset()
    await post(slack, "only")
    assert (await slack.calls("chat.postMessage"))[0]["duration_ms"] < 5_000 and await texts(slack) == ["only"]
    assert slack.slack.timing.ack_s == 3.0 and not slack.slack.trouble.sockets.silent
    assert len(await slack.calls()) == 1


async def test_calls_are_recorded_with_their_arguments_and_numbers(slack: InProcess) -> None:
    await slack.client.auth_test()
    await post(slack, "recorded")
    first, second = await slack.calls()
    assert (first["method"], second["method"]) == ("auth.test", "chat.postMessage")
    assert second["args"] == {"channel": GENERAL, "text": "recorded"}
    assert [call["n"] for call in await slack.calls(since=first["n"])] == [second["n"]]
