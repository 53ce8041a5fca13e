"""An app behind an HTTP URL proves itself, gets signed requests, and gets them again until it acknowledges."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.doubles.in_process import GENERAL, InProcess
from tests.doubles.workspace import SIGNING_SECRET

JSON = dict[str, Any]

FAST = {"ack_s": 0.1, "retry_delays_s": [0, 0.05, 0.1]}


async def settled(slack: InProcess, count: int) -> list[JSON]:
    """The deliveries, once each is acknowledged or lost."""
    async with asyncio.timeout(10):
        while True:
            sent = await slack.deliveries()
            if len(sent) >= count and all(delivery["acked"] or delivery["lost"] for delivery in sent):
                return sent
            await asyncio.sleep(0.02)


async def connection(slack: InProcess, expected: bool) -> None:
    """Wait until the playground says that the app is (not) there."""
    async with asyncio.timeout(5):
        while (await slack.get("workspace", **{"as": "U0ADA"}))["app"]["connected"] is not expected:
            await asyncio.sleep(0.02)


class HttpApp:
    """An app behind an HTTP URL that proves itself, then answers with the given statuses, then 200."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self._statuses = list(statuses)
        self._headers = headers or {}
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.challenged = 0

    async def serve(self, request: web.Request) -> web.Response:
        body = await request.read()
        if json.loads(body)["type"] == "url_verification":
            self.challenged += 1
            return web.json_response({"challenge": json.loads(body)["challenge"]})
        self.requests.append((dict(request.headers), body))
        status = self._statuses.pop(0) if self._statuses else 200
        return web.Response(status=status, headers=self._headers)


async def serving(handler: Any, port: int = 0) -> tuple[web.AppRunner, str]:
    """A handler behind a port, a free one if none is given."""
    app = web.Application()
    app.router.add_post("/slack/events", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
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


async def test_a_url_is_verified_before_anything_is_sent_to_it() -> None:
    app = HttpApp()
    runner, url = await serving(app.serve)
    async with InProcess(events_url=url) as slack:
        await connection(slack, True)
        assert app.challenged == 1 and app.requests == []
        await slack.ask("hello")
        await settled(slack, 1)
    await runner.cleanup()
    assert (app.challenged, len(app.requests)) == (1, 1)


@pytest.mark.parametrize("answer", ["", '{"challenge":"another"}', "{"])
async def test_a_url_that_does_not_give_the_challenge_back_gets_nothing(answer: str) -> None:
    requests: list[JSON] = []

    async def stranger(request: web.Request) -> web.Response:
        requests.append(json.loads(await request.text()))
        return web.Response(text=answer, content_type="application/json")

    runner, url = await serving(stranger)
    async with InProcess(events_url=url) as slack:
        await slack.trouble(timing=FAST)
        await slack.ask("hello")
        sent = (await settled(slack, 1))[0]
        await connection(slack, False)
    await runner.cleanup()
    assert sent["lost"] and {attempt["reason"] for attempt in sent["attempts"]} == {"http_error"}
    assert {request["type"] for request in requests} == {"url_verification"}


async def test_an_app_that_goes_is_missed_and_its_return_is_noticed() -> None:
    app = HttpApp()
    runner, url = await serving(app.serve)
    port = int(url.split(":")[2].partition("/")[0])
    async with InProcess(events_url=url) as slack:
        await slack.trouble(timing={"verify_s": 0.05, "retry_delays_s": [0, 0.2, 0.4, 0.8]})
        await connection(slack, True)
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{slack.url}/_/live?as=U0ADA") as page:
            assert (await page.receive_json())["bot_connected"] is True
            await runner.cleanup()
            await connection(slack, False)
            assert (await page.receive_json())["bot_connected"] is False
            await slack.say("U0ADA", GENERAL, "said while it was away")
            runner, _ = await serving(app.serve, port)
            await connection(slack, True)
        sent = (await settled(slack, 1))[0]
    await runner.cleanup()
    assert sent["acked"] and sent["attempts"][0]["reason"] == "connection_failed"
    assert app.requests[0][0]["X-Slack-Retry-Reason"] == "connection_failed"


async def test_a_redirect_is_no_ack() -> None:
    app = HttpApp(302, headers={"Location": "http://127.0.0.1:1/"})
    runner, url = await serving(app.serve)
    async with InProcess(events_url=url) as slack:
        await slack.trouble(timing=FAST)
        await slack.ask("hello")
        sent = (await settled(slack, 1))[0]
    await runner.cleanup()
    assert [attempt["reason"] for attempt in sent["attempts"]] == ["http_error", ""]
