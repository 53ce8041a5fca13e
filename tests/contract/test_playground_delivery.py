"""Deliveries are acknowledged or come again: over Socket Mode, and over signed HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from tests.doubles.in_process import ADA, GENERAL, InProcess, refusal
from tests.doubles.socket_app import SocketApp
from tests.doubles.workspace import SIGNING_SECRET, Refused

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


class HttpApp:
    """An app behind an HTTP URL that proves itself, then answers with the given statuses, then 200."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self._statuses = list(statuses)
        self._headers = headers or {}
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        if json.loads(body)["type"] == "url_verification":
            return web.json_response({"challenge": json.loads(body)["challenge"]})
        self.requests.append((dict(request.headers), body))
        status = self._statuses.pop(0) if self._statuses else 200
        return web.Response(status=status, headers=self._headers)


async def serving(handler: Any) -> tuple[web.AppRunner, str]:
    """A handler behind a free port."""
    app = web.Application()
    app.router.add_post("/slack/events", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"


async def test_http_events_are_signed_and_come_again_with_slacks_headers() -> None:
    app = HttpApp(500, 503)
    runner, url = await serving(app.serve)
    async with InProcess(events_url=url) as slack:
        await slack.trouble(timing=FAST)
        await slack.ask("hello")
        sent = (await settled(slack, 1))[0]
    await runner.cleanup()
    assert [attempt["acked"] for attempt in sent["attempts"]] == [False, False, True]
    retries = [(h.get("X-Slack-Retry-Num"), h.get("X-Slack-Retry-Reason")) for h, _ in app.requests]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    verifier = SignatureVerifier(SIGNING_SECRET)
    assert all(verifier.is_valid_request(body, headers) for headers, body in app.requests)


async def test_an_app_may_refuse_redelivery() -> None:
    app = HttpApp(500, headers={"X-Slack-No-Retry": "1"})
    runner, url = await serving(app.serve)
    async with InProcess(events_url=url) as slack:
        await slack.trouble(timing=FAST)
        await slack.ask("hello")
        assert len((await settled(slack, 1))[0]["attempts"]) == 1
    await runner.cleanup()


async def test_a_slow_app_has_not_acknowledged() -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return web.Response()

    runner, url = await serving(slow)
    async with InProcess(events_url=url) as slack:
        await slack.trouble(timing={**FAST, "retry_delays_s": []})
        await slack.ask("hello")
        sent = (await settled(slack, 1))[0]
    await runner.cleanup()
    assert sent["lost"] and sent["attempts"][0]["reason"] == "http_timeout"


async def test_bolts_aiohttp_adapter_takes_events_and_commands_over_http() -> None:
    app: AsyncApp
    heard: list[str] = []

    async def dispatch(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    runner, url = await serving(dispatch)
    async with InProcess(events_url=url) as slack:
        app = AsyncApp(client=slack.client, signing_secret=SIGNING_SECRET)

        @app.event("message")
        async def message(event: JSON) -> None:
            heard.append(event["text"])

        @app.command("/model")
        async def model(ack: Any, command: JSON) -> None:
            await ack(f"you said {command['text']}")

        await slack.say(ADA, GENERAL, "over http")
        assert (await settled(slack, 1))[0]["acked"]
        answer = await slack.command(ADA, GENERAL, "/model", "gemma")
        assert answer["answer"]["text"] == "you said gemma"
        with pytest.raises(Refused, match="dispatch_failed"):
            await slack.command(ADA, GENERAL, "/slow")
    await runner.cleanup()
    assert heard == ["over http"]
