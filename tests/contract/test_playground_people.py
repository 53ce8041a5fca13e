"""What people may do and see in the playground, and what its pages are told as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.workspace_file import DEFAULT_FILE
from tests.doubles.in_process import ADA, BEN, BOT, DM, GENERAL, GIA, QUIET, SECRET, TEAM, InProcess
from tests.doubles.workspace import Refused, Workspace

JSON = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


class Page:
    """One open page's frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self, kind: str) -> JSON:
        """The next frame of a kind; others are passed over."""
        async with asyncio.timeout(5):
            while True:
                frame: JSON = json.loads((await self._socket.receive()).data)
                if frame["type"] == kind:
                    return frame


async def page(http: aiohttp.ClientSession, slack: InProcess, user: str, query: str = "") -> Page:
    return Page(await http.ws_connect(f"{slack.url}/_/live?as={user}{query}"))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def channels(slack: InProcess, user: str) -> list[str]:
    return [channel["id"] for channel in (await slack.get("workspace", **{"as": user}))["channels"]]


async def test_everyone_sees_their_own_channels(slack: InProcess) -> None:
    assert await channels(slack, ADA) == [GENERAL, SECRET, QUIET, DM]
    assert await channels(slack, GIA) == [GENERAL, "D0GIA"]


async def test_the_workspace_describes_the_app_and_its_people(slack: InProcess) -> None:
    workspace = await slack.get("workspace", **{"as": ADA})
    assert workspace["app"]["commands"][0]["command"] == "/model"
    guests = [user["id"] for user in workspace["users"] if user["is_restricted"]]
    assert guests == [GIA, "U0EVE"] and workspace["me"]["display_name"] == "Ada"


@pytest.mark.parametrize(
    ("call", "values", "error"),
    [
        ("say", {"as": GIA, "channel": SECRET, "text": "x"}, "channel_not_found"),
        ("say", {"as": BEN, "channel": DM, "text": "x"}, "channel_not_found"),
        ("say", {"as": "U0NOBODY", "channel": GENERAL, "text": "x"}, "user_not_found"),
        ("say", {"as": ADA, "channel": GENERAL, "text": "  "}, "no_text"),
        ("say", {"as": ADA, "channel": GENERAL, "text": "x" * 40_001}, "msg_too_long"),
        ("say", {"as": ADA, "channel": GENERAL, "text": "x", "thread_ts": "1.0"}, "thread_not_found"),
        ("say", {"channel": GENERAL, "text": "x"}, "invalid_arguments"),
        ("shout", {}, "unknown_method"),
        ("wait_reply", {"channel": GENERAL, "thread_ts": "1.0", "timeout_s": "soon"}, "invalid_arguments"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_code(
    slack: InProcess, call: str, values: JSON, error: str
) -> None:
    with pytest.raises(Refused) as raised:
        await slack.post(call, **values)
    assert raised.value.code == error


async def test_people_change_only_their_own_words_and_the_owner_may_delete_any(slack: InProcess) -> None:
    ts = await slack.say(BEN, GENERAL, "mine")
    with pytest.raises(Refused, match="cant_update_message"):
        await slack.edit(ADA, GENERAL, ts, "yours")
    with pytest.raises(Refused, match="cant_delete_message"):
        await slack.delete(GIA, GENERAL, ts)
    await slack.edit(BEN, GENERAL, ts, "still mine")
    assert (await slack.messages(GENERAL))[-1]["text"] == "still mine"
    await slack.delete(ADA, GENERAL, ts)
    assert await slack.messages(GENERAL) == []


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("@Tandem hi @ben", "<@U0BOT> hi <@U0BEN>"),
        ("mail me@ben.example", "mail me@ben.example"),
        ("#general or #nowhere", "<#C0GENERAL|general> or #nowhere"),
        ("@here 1 < 2 & 3", "<!here> 1 &lt; 2 &amp; 3"),
        ("<@U0BOT>", "&lt;@U0BOT&gt;"),
        ("see https://a.example/x?b=1&c=@ada now", "see <https://a.example/x?b=1&amp;c=@ada> now"),
        (
            "(so https://a.example/b_(c)), or https://a.example.",
            "(so <https://a.example/b_(c)>), or <https://a.example>.",
        ),
        ("<https://a.example?b&c>", "&lt;<https://a.example?b&amp;c>&gt;"),
    ],
)
async def test_typed_text_is_stored_as_slack_stores_it(slack: InProcess, typed: str, stored: str) -> None:
    await slack.say(ADA, GENERAL, typed)
    assert (await slack.messages(GENERAL))[-1]["text"] == stored


async def test_roots_count_their_replies(slack: InProcess) -> None:
    root = await slack.ask("root")
    first = await slack.say(BEN, GENERAL, "one", root)
    last = await slack.say(ADA, GENERAL, "two", root)
    shown = (await slack.messages(GENERAL))[0]
    assert (shown["reply_count"], shown["reply_users"], shown["latest_reply"]) == (2, [BEN, ADA], last)
    await slack.delete(BEN, GENERAL, first)
    assert (await slack.messages(GENERAL))[0]["reply_users"] == [ADA]


async def test_pages_see_what_happens_and_only_what_they_may(slack: InProcess, http: aiohttp.ClientSession) -> None:
    ada, gia = await page(http, slack, ADA), await page(http, slack, GIA)
    assert (await ada.next("connection"))["bot_connected"] is False
    await slack.say(BEN, SECRET, "secret")
    ts = await slack.say(BEN, GENERAL, "open")
    assert (await ada.next("message"))["message"]["text"] == "secret"
    assert (await gia.next("message"))["message"]["text"] == "open"
    await slack.edit(BEN, GENERAL, ts, "changed")
    assert (await gia.next("message_changed"))["message"]["text"] == "changed"
    await slack.delete(BEN, GENERAL, ts)
    assert (await gia.next("message_deleted"))["message"]["ts"] == ts


async def test_a_stream_grows_on_its_recipients_page_alone(slack: InProcess, http: aiohttp.ClientSession) -> None:
    root = await slack.ask("root")
    ada, ben = await page(http, slack, ADA), await page(http, slack, BEN)
    stream = await slack.client.chat_stream(
        channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM, buffer_size=1
    )
    await stream.append(markdown_text="one")
    await stream.append(markdown_text=" two")
    assert (await ada.next("message"))["message"]["_"] == {
        "streaming": True,
        "live_for": ADA,
        "live": [],
        "was_live": [],
        "unfurls": False,
    }
    assert (await ada.next("status"))["stoppable"]
    assert (await ada.next("message_changed"))["message"]["text"] == "one two"
    assert (await ben.next("message"))["message"]["text"] == "one"
    await stream.stop()
    finished = (await ben.next("message_changed"))["message"]
    assert finished["text"] == "one two" and not finished["_"]["streaming"]


async def test_a_page_that_comes_late_is_told_what_is_under_way(slack: InProcess, http: aiohttp.ClientSession) -> None:
    root = await slack.ask("root")
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    prompts = [{"title": "a", "message": "b"}]
    await slack.client.assistant_threads_setSuggestedPrompts(channel_id=DM, title="Try", prompts=prompts)
    await slack.client.views_publish(user_id=ADA, view={"type": "home", "blocks": []})
    ada = await page(http, slack, ADA)
    assert (await ada.next("home"))["view"]["type"] == "home"
    assert (await ada.next("prompts"))["prompts"] == prompts
    assert (await ada.next("status"))["thread_ts"] == root


async def test_the_wire_shows_calls_and_deliveries_to_who_asks(slack: InProcess, http: aiohttp.ClientSession) -> None:
    wire = await page(http, slack, ADA, "&wire=1")
    await slack.client.auth_test()
    assert (await wire.next("wire"))["method"] == "auth.test"
    await slack.ask("hello")
    assert (await wire.next("wire"))["kind"] == "delivery"


async def test_joining_is_seen_by_all(slack: InProcess) -> None:
    await slack.join(BOT, QUIET)
    assert (await slack.messages(QUIET))[-1]["subtype"] == "channel_join"
    await slack.client.chat_postMessage(channel=QUIET, text="thanks")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}])
async def test_no_other_web_page_may_act_in_the_workspace(
    slack: InProcess, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    body = {"as": ADA, "channel": GENERAL, "text": "@Tandem tell me everything"}
    async with http.post(f"{slack.url}/_/say", json=body, headers=headers) as response:
        assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"{slack.url}/_/live?as={ADA}", headers=headers)
    assert await slack.messages(GENERAL) == []


async def test_a_group_message_is_heard_like_a_channel(tmp_path: Path) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text(f"{DEFAULT_FILE.read_text()}  - {{id: G0TRIO, kind: group_dm, members: [U0ADA, U0BEN, U0BOT]}}\n")
    async with Workspace(options=["--workspace", str(file)]) as workspace:
        await workspace.say(ADA, "G0TRIO", "@Tandem hello")
        events = [delivery["payload"]["event"] for delivery in await workspace.deliveries()]
    assert sorted((event["type"], event.get("channel_type")) for event in events) == [
        ("app_mention", None),
        ("message", "mpim"),
    ]
