"""Deliveries are acknowledged or come again: over Socket Mode, and over signed HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.doubles.in_process import InProcess, refusal
from tests.doubles.socket_app import SocketApp

JSON = dict[str, Any]

FAST = {"ack_s": 0.1, "retry_delays_s": [0, 0.05, 0.1]}


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def settled(slack: InProcess, count: int) -> list[JSON]:
    """The deliveries, once each is acknowledged or lost."""
    async with asyncio.timeout(10):
        while True:
            sent = await slack.deliveries()
            if len(sent) >= count and all(delivery["acked"] or delivery["lost"] for delivery in sent):
                return sent
            await asyncio.sleep(0.02)


async def test_a_connection_is_greeted_and_its_ticket_is_good_once(slack: InProcess) -> None:
    async with SocketApp(slack) as app:
        assert app.hello["type"] == "hello" and app.hello["num_connections"] == 1
        assert app.hello["connection_info"]["app_id"] == "A0TANDEM"
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(app.url)


async def test_a_connection_needs_an_app_token(slack: InProcess) -> None:
    wrong = slack.client.apps_connections_open(app_token="xapp-wrong")
    assert await refusal(wrong) == "invalid_auth"


async def test_events_are_spread_over_the_connections(slack: InProcess) -> None:
    async with SocketApp(slack) as one, SocketApp(slack) as two:
        assert two.hello["num_connections"] == 2
        for n in range(40):
            await slack.ask(f"message {n}")
        sent = await settled(slack, 40)
        assert all(len(delivery["attempts"]) == 1 for delivery in sent)
        assert len(one.frames) + len(two.frames) == 40 and min(len(one.frames), len(two.frames)) > 3


async def test_at_most_ten_connections_are_open(slack: InProcess) -> None:
    apps = [SocketApp(slack) for _ in range(11)]
    for app in apps:
        await app.__aenter__()
    assert apps[10].hello == {"type": "disconnect", "reason": "too_many_websockets"}
    for app in apps:
        await app.__aexit__(None, None, None)


async def test_an_event_that_is_not_acknowledged_comes_again_and_says_why(slack: InProcess) -> None:
    await slack.trouble(timing=FAST)
    async with SocketApp(slack, acks=False) as app:
        await slack.ask("hello")
        frames = list(await app.got(4))
        assert [frame["retry_attempt"] for frame in frames] == [0, 1, 2, 3]
        assert [frame["retry_reason"] for frame in frames] == ["", "timeout", "timeout", "timeout"]
        assert len({frame["payload"]["event_id"] for frame in frames}) == 1
        assert len({frame["envelope_id"] for frame in frames}) == 4
        assert (await settled(slack, 1))[0]["lost"]


async def test_a_late_ack_ends_the_redelivery(slack: InProcess) -> None:
    await slack.trouble(timing=FAST)
    async with SocketApp(slack, acks=False) as app:
        await slack.ask("hello")
        await app.got(2)
        app.acks = True
        await app.got(3)
        sent = (await settled(slack, 1))[0]
        assert sent["acked"] and len(sent["attempts"]) == 3


async def test_an_ack_may_come_over_another_connection(slack: InProcess) -> None:
    async with SocketApp(slack, acks=False) as old:
        await slack.ask("hello")
        frame = (await old.got())[0]
        async with SocketApp(slack) as new:
            await new.acknowledge(frame)
            assert len((await settled(slack, 1))[0]["attempts"]) == 1


async def test_an_event_without_a_connection_waits_for_one(slack: InProcess) -> None:
    await slack.trouble(timing={"retry_delays_s": [0, 0.3]})
    await slack.ask("hello")
    async with SocketApp(slack) as app:
        frame = (await app.got())[0]
        assert (frame["retry_attempt"], frame["retry_reason"]) == (2, "connection_failed")


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
async def test_a_connection_is_told_why_it_ends(slack: InProcess, reason: str) -> None:
    await slack.trouble(timing={"disconnect_warning_s": 0.1})
    async with SocketApp(slack) as app:
        await slack.disconnect(reason)
        assert (await app.got())[0]["reason"] == reason
        async with asyncio.timeout(5):
            await app.ended.wait()


async def test_a_dropped_connection_ends_without_a_word(slack: InProcess) -> None:
    async with SocketApp(slack) as app:
        await slack.disconnect("drop")
        async with asyncio.timeout(5):
            await app.ended.wait()
        assert app.frames == []


async def test_one_connection_goes_mute_and_what_it_swallows_comes_over_another(slack: InProcess) -> None:
    async with SocketApp(slack) as one, SocketApp(slack) as two:
        await slack.trouble(timing={"ack_s": 0.1, "retry_delays_s": [0] * 20})
        await slack.disconnect("mute")
        for n in range(20):
            await slack.ask(f"message {n}")
        sent = await settled(slack, 20)
        assert all(delivery["acked"] for delivery in sent)
        assert min(len(one.frames), len(two.frames)) == 0 and any(len(each["attempts"]) > 1 for each in sent)


async def test_a_silent_connection_stays_open_and_says_nothing(slack: InProcess) -> None:
    async with SocketApp(slack) as app:
        await slack.trouble(timing=FAST, sockets={"silent": True})
        await slack.ask("hello")
        await asyncio.sleep(0.2)
        assert app.frames == [] and not app.ended.is_set()
        await slack.trouble(sockets={"silent": False})
        assert len(await app.got()) >= 1


async def test_connections_can_be_refused(slack: InProcess) -> None:
    await slack.trouble(sockets={"refuse": True})
    assert await refusal(slack.client.apps_connections_open(app_token="xapp-playground")) == "internal_error"


async def test_events_are_duplicated_lost_and_late_on_demand(slack: InProcess) -> None:
    await slack.trouble(timing=FAST, events={"duplicate": 1.0, "lose": 1.0, "delay_s": 0.01})
    async with SocketApp(slack) as app:
        await slack.ask("hello")
        sent = await settled(slack, 2)
        assert len({delivery["payload"]["event_id"] for delivery in sent}) == 1
        assert [frame["retry_attempt"] for frame in app.frames] == [1, 1]


async def test_any_envelope_can_be_sent_again(slack: InProcess) -> None:
    async with SocketApp(slack) as app:
        await slack.ask("hello")
        await slack.deliver((await settled(slack, 1))[0]["payload"])
        first, second = await app.got(2)
        assert first["payload"] == second["payload"]


async def test_a_connection_ages_is_warned_and_ends(slack: InProcess) -> None:
    await slack.trouble(timing={"connection_life_s": 0.2, "disconnect_warning_s": 0.1})
    async with SocketApp(slack) as app:
        assert app.hello["debug_info"]["approximate_connection_time"] == 0
        assert [frame["reason"] for frame in await app.got(2)] == ["warning", "refresh_requested"]
        async with asyncio.timeout(5):
            await app.ended.wait()
    await slack.trouble(timing={"connection_life_s": 18_060})
    async with SocketApp(slack) as app:
        assert app.hello["debug_info"]["approximate_connection_time"] == 18_060


async def test_between_warning_and_end_a_connection_still_serves(slack: InProcess) -> None:
    await slack.trouble(timing={"disconnect_warning_s": 0.3})
    async with SocketApp(slack) as app:
        await slack.disconnect("warning")
        await app.got(1)
        await slack.ask("hello")
        assert (await settled(slack, 1))[0]["acked"] and len(app.frames) == 2


async def test_a_late_event_is_overtaken_on_demand(slack: InProcess) -> None:
    await slack.trouble(events={"reorder": 1.0, "reorder_s": 0.1})
    async with SocketApp(slack) as app:
        for n in range(4):
            await slack.ask(f"{n}")
        frames = await app.got(4)
        assert [frame["payload"]["event"]["text"] for frame in frames] == ["1", "0", "3", "2"]
        await slack.ask("alone")
        assert (await app.got(5))[4]["payload"]["event"]["text"] == "alone", "it waits for nobody for ever"


async def test_delays_are_at_most_as_long_as_told(slack: InProcess) -> None:
    await slack.trouble(seed=7, events={"delay_s": 0.2})
    async with SocketApp(slack) as app:
        for n in range(10):
            await slack.ask(f"{n}")
        heard = [frame["payload"]["event"]["text"] for frame in await app.got(10, timeout_s=1)]
        assert sorted(heard) == [f"{n}" for n in range(10)] != heard
