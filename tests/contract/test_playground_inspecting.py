"""What the playground shows to developers: the wire, the bot's mirror, attached files; each only to whom it belongs."""

import asyncio
import base64
import json
import sys
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from slack_sdk.web.async_client import AsyncWebClient

from playground.wire import struck
from tests.doubles.workspace import BOT_TOKEN, ROOT, Refused, Workspace

JSON = dict[str, Any]


async def test_the_wire_shows_calls_with_their_answers_and_deliveries_in_their_order(workspace: Workspace) -> None:
    ts = await workspace.say("U0ADA", "C0GENERAL", "@Tandem hello")
    await AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url).chat_postMessage(
        channel="C0GENERAL", thread_ts=ts, text="Hello."
    )

    entries = (await workspace.get("wire", **{"as": "U0ADA"}))["entries"]

    kinds = [entry.get("method") or entry["payload"]["event"]["type"] for entry in entries]
    assert sorted(kinds[:2]) == ["app_mention", "message"]
    call = entries[kinds.index("chat.postMessage")]
    assert call["args"]["text"] == "Hello." and call["answer"]["message"]["text"] == "Hello."
    assert entries[0]["attempts"][0]["reason"] == "connection_failed" and not entries[0]["acked"]


async def test_no_token_is_on_the_wire(workspace: Workspace) -> None:
    client = AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)
    await client.apps_connections_open(app_token="xapp-playground")
    await workspace.say("U0ADA", "C0GENERAL", f"@Tandem my token is {BOT_TOKEN}")

    shown = json.dumps(await workspace.get("wire", **{"as": "U0ADA"}))

    assert "apps.connections.open" in shown and "ticket=" in shown
    assert BOT_TOKEN not in shown and '"token": "playground"' not in shown


def test_what_is_struck_out_keeps_its_shape() -> None:
    given: JSON = {"token": "abc", "url": "ws://h/link?ticket=a-b_c&x=1", "rows": ["xoxb-1-2 and so on", 3, None]}
    assert struck(given) == {"token": "…", "url": "ws://h/link?ticket=…&x=1", "rows": ["xoxb-… and so on", 3, None]}


async def test_a_file_is_downloaded_by_who_sees_its_message_and_by_nobody_else(workspace: Workspace) -> None:
    page = {"name": "a page.html", "mimetype": "text/html", "content_base64": base64.b64encode(b"<b>hi</b>").decode()}
    await workspace.say("U0ADA", "C0PRIVATE", "", files=[page])
    [message] = await workspace.messages("C0PRIVATE", user="U0ADA")
    query = {"as": "U0BEN", "id": message["files"][0]["id"]}
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{workspace.url}/_/file", params=query) as response:
            assert await response.read() == b"<b>hi</b>"
            assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20page.html"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Content-Security-Policy"].startswith("sandbox")
        for other in ({"as": "U0GIA"}, {"as": "U9NOBODY"}, {"id": "F0"}):
            async with http.get(f"{workspace.url}/_/file", params=query | other) as response:
                assert response.status == 404


async def _mirror(answer: Any, *, status: int = 200) -> TestServer:
    async def show(request: web.Request) -> web.Response:
        body = answer if isinstance(answer, str) else json.dumps({**answer, "asked": dict(request.query)})
        return web.Response(text=body, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_get("/inspect", show)
    server = TestServer(app)
    await server.start_server()
    return server


async def _stored(server: BaseTestServer | str, user: str = "U0ADA", channel: str = "C0GENERAL") -> JSON:
    url = server if isinstance(server, str) else str(server.make_url("/inspect"))
    async with Workspace(options=["--inspect", url]) as workspace:
        assert (await workspace.get("workspace", **{"as": "U0ADA"}))["store"]
        return await workspace.get("store", **{"as": user, "channel": channel, "thread_ts": "1.2"})


async def test_the_mirror_of_a_thread_is_asked_of_the_bot() -> None:
    server = await _mirror({"ok": True, "thread": None, "messages": [{"ts": "1.2", "text": "hi"}], "open_turns": []})
    async with server:
        answer = await _stored(server)
        assert answer["messages"] == [{"ts": "1.2", "text": "hi"}] and answer["thread"] is None


@pytest.mark.parametrize(
    ("answer", "said"), [({"ok": False, "error": "store_down"}, "store_down"), ("<html>", "JSON"), ("[]", "object")]
)
async def test_a_mirror_that_refuses_or_makes_no_sense_is_said_calmly(answer: Any, said: str) -> None:
    async with await _mirror(answer, status=503) as server:
        with pytest.raises(Refused, match="store_refused") as refused:
            await _stored(server)
    assert said in refused.value.answer["message"]


async def test_a_mirror_that_is_away_or_not_one_s_own_to_see_is_refused(workspace: Workspace) -> None:
    with pytest.raises(Refused, match="no_store"):
        await workspace.get("store", **{"as": "U0ADA", "channel": "C0GENERAL", "thread_ts": "1.2"})
    with pytest.raises(Refused, match="store_unreachable"):
        await _stored("http://127.0.0.1:9/inspect")
    async with await _mirror({"ok": True}) as running:
        with pytest.raises(Refused, match="channel_not_found"):
            await _stored(running, user="U0GIA", channel="C0PRIVATE")


@pytest.mark.parametrize("url", ["http://bot.example/inspect", "https://127.0.0.1/inspect", "inspect", "file:///etc"])
async def test_only_this_machine_is_asked_for_a_mirror(url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground", "--port", "0", "--inspect", url), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate()
    assert process.returncode == 2 and "no http:// URL on 127.0.0.1" in stderr.decode()
