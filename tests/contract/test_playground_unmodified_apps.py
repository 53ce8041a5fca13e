"""Apps written with Slack's own libraries run against the playground unmodified, and may come and go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from tests.doubles.in_process import ADA, DM, GENERAL, InProcess
from tests.doubles.plain_app import ANSWER, MANIFEST, PlainApp
from tests.doubles.workspace import APP_TOKEN, SIGNING_SECRET, Workspace

JSON = dict[str, Any]

BUTTON = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "Again"}}
MODAL = {"type": "modal", "callback_id": "m", "title": {"type": "plain_text", "text": "Model"}, "blocks": []}


def bolt_app(slack: InProcess) -> AsyncApp:
    """A usual Bolt app: it streams by `say_stream`, acknowledges a command, opens a modal and shows a Home."""
    app = AsyncApp(client=slack.client, signing_secret=SIGNING_SECRET)

    @app.event("app_mention")
    async def mention(say_stream: Any, set_status: Any) -> None:
        await set_status(status="is thinking…")
        stream = await say_stream(buffer_size=4)
        for word in ("Hello ", "from ", "Bolt"):
            await stream.append(markdown_text=word)
        await stream.stop(blocks=[{"type": "actions", "block_id": "footer", "elements": [BUTTON]}])

    @app.event("message")
    async def message() -> None: ...

    @app.event("app_home_opened")
    async def home(event: JSON, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})

    @app.command("/model")
    async def model(ack: Any, command: JSON, client: Any) -> None:
        await ack(f"you said {command['text']}")
        await client.views_open(trigger_id=command["trigger_id"], view=MODAL)

    @app.action("again")
    async def again(ack: Any, respond: Any) -> None:
        await ack()
        await respond("Once more", replace_original=False)

    @app.view("m")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"b": "No"})

    return app


@asynccontextmanager
async def over_socket_mode() -> AsyncIterator[InProcess]:
    async with InProcess() as slack:
        handler = AsyncSocketModeHandler(bolt_app(slack), APP_TOKEN)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        try:
            yield slack
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http() -> AsyncIterator[InProcess]:
    async def dispatch(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", dispatch)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    slack = InProcess(events_url=url)
    async with slack:
        app = bolt_app(slack)
        await slack.connected()
        yield slack
    await runner.cleanup()


@pytest.mark.parametrize("transport", [over_socket_mode, over_http])
async def test_bolt_streams_acknowledges_opens_and_responds(transport: Any) -> None:
    async with transport() as slack:
        root = await slack.ask()
        (answer,) = await slack.reply(GENERAL, root)
        assert answer["text"] == "Hello from Bolt" and answer["blocks"][-1]["block_id"] == "footer"
        assert (await slack.command(ADA, GENERAL, "/model", "gemma"))["answer"]["text"] == "you said gemma"
        (modal,) = await until(lambda: slack.slack.views.stack(ADA))
        refused = await slack.post("view_submit", **{"as": ADA, "view_id": modal["id"], "values": {}})
        assert refused["errors"] == {"b": "No"}
        await slack.open_home(ADA)
        assert (await until(lambda: slack.slack.views.home(ADA)))["blocks"][0]["type"] == "divider"
        await slack.click(ADA, GENERAL, answer["ts"], "again")
        hidden = await until(
            lambda: [m.data["text"] for m in slack.slack.workspace.timeline(GENERAL).ephemeral.values()]
        )
        assert "Once more" in hidden
        sent = await until_acked(slack)
        assert all(len(delivery["attempts"]) == 1 for delivery in sent)


async def until(found: Any, timeout_s: float = 5) -> Any:
    """What is looked for, once it is there."""
    async with asyncio.timeout(timeout_s):
        while not (value := found()):
            await asyncio.sleep(0.01)
    return value


async def until_acked(slack: Workspace) -> list[JSON]:
    """The deliveries, once all are acknowledged."""
    async with asyncio.timeout(5):
        while not all(delivery["acked"] for delivery in await slack.deliveries()):
            await asyncio.sleep(0.02)
    return await slack.deliveries()


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A playground in a process of its own, for an app that is no relation of ours."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST, "utf-8")
    async with Workspace(manifest=manifest) as running:
        yield running


async def test_an_app_of_plain_slack_sdk_answers_stops_and_shows_views(workspace: Workspace) -> None:
    async with PlainApp(workspace.api_url, pace_s=0.005) as app:
        for channel in (GENERAL, DM):
            root = await workspace.say(ADA, channel, "@Tandem hello")
            (answer,) = await workspace.reply(channel, root)
            assert answer["text"] == ANSWER
        await workspace.click(ADA, DM, answer["ts"], "model", block_id="footer", option="gemini")
        await app.heard(1)
        assert app.model == "gemini"
        counting = await workspace.say(ADA, GENERAL, "@Tandem count")
        async with asyncio.timeout(5):
            while not (await workspace.status(GENERAL, counting))["stoppable"]:
                await asyncio.sleep(0.02)
        await workspace.stop(ADA, GENERAL, counting)
        (counted,) = await workspace.reply(GENERAL, counting)
        assert counted["text"].startswith("1 2") and not counted["_"]["streaming"]
        await until_acked(workspace)


async def test_an_app_that_restarts_finds_everything_and_hears_what_it_missed(workspace: Workspace) -> None:
    await workspace.trouble(timing={"retry_delays_s": [0, 0.3, 0.6, 1.2]})
    async with PlainApp(workspace.api_url, pace_s=0.005):
        first = await workspace.say(ADA, GENERAL, "@Tandem before")
        await workspace.reply(GENERAL, first)
        page = await workspace.get("workspace", **{"as": ADA})
        assert page["app"]["connected"]
    assert not (await workspace.get("workspace", **{"as": ADA}))["app"]["connected"]
    missed = await workspace.say(ADA, GENERAL, "@Tandem are you there?")
    assert len(await workspace.messages(GENERAL, first)) == 2, "what was said is still there"
    async with PlainApp(workspace.api_url, pace_s=0.005):
        (answer,) = await workspace.reply(GENERAL, missed)
        assert answer["text"] == ANSWER
        event = next(delivery for delivery in await until_acked(workspace) if missed in str(delivery["payload"]))
    assert event["attempts"][0]["reason"] == "connection_failed" and event["attempts"][-1]["acked"]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "drop"])
async def test_slacks_own_client_connects_anew_when_a_connection_ends(reason: str) -> None:
    async with InProcess() as slack:
        timing = {"disconnect_warning_s": 0.1, "ack_s": 0.3, "retry_delays_s": [0, 0.2, 0.4, 0.8, 1.6]}
        await slack.trouble(timing=timing)
        handler = AsyncSocketModeHandler(bolt_app(slack), APP_TOKEN, ping_interval=0.1)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.disconnect(reason)
        root = await slack.ask()
        (answer, *_) = await slack.reply(GENERAL, root)
        assert answer["text"] == "Hello from Bolt"
        await slack.connected()
        await handler.close_async()  # type: ignore[no-untyped-call]
        assert len(await slack.calls("apps.connections.open")) >= 2
