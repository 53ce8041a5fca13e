"""What goes beyond Slack's limits is refused by the playground with Slack's own codes; what keeps them is taken."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.doubles.in_process import ADA, GENERAL, InProcess, refusal

CELL = {"type": "raw_text", "text": "a"}
LONG_CELL = {"type": "raw_text", "text": "x" * 101}
MENU = {
    "type": "static_select",
    "action_id": "model",
    "options": [{"text": {"type": "plain_text", "text": "Gemma"}, "value": "gemma"}],
}


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(text: str, value: str = "v") -> dict[str, Any]:
    return {"text": plain(text), "value": value}


BUTTON = {"type": "button", "action_id": "go", "text": plain("Go")}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        ("{", "application/json", "invalid_json"),
        ("[]", "application/json", "json_not_object"),
        ("<x/>", "text/xml", "invalid_post_type"),
    ],
)
async def test_a_malformed_body_has_its_own_code(slack: InProcess, body: str, content_type: str, error: str) -> None:
    headers = {"Authorization": "Bearer xoxb-playground", "Content-Type": content_type}
    url = f"{slack.api_url}chat.postMessage"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, data=body) as response:
        assert (response.status, (await response.json())["error"]) == (200, error)


@pytest.mark.parametrize("blocks", ['"x"', "[1]", '[{"type":5}]', '[{"type":"actions","elements":{}}]', "{"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.startStream", "views.open", "agents.sessions.setStatus"])
async def test_odd_structures_are_refused_and_never_a_server_error(slack: InProcess, method: str, blocks: str) -> None:
    root = await slack.ask()
    args = {"channel": GENERAL, "channel_id": GENERAL, "thread_ts": root, "blocks": blocks, "chunks": blocks}
    args |= {"view": blocks, "status": "?", "recipient_user_id": ADA, "recipient_team_id": "T0TANDEM"}
    error = await refusal(slack.client.api_call(method, data=args))
    assert error not in ("", "internal_error")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({}, "no_text"),
        ({"text": ""}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"blocks": [section("a")], "markdown_text": "b"}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": "a", "blocks": [{"type": "markdown", "text": "x" * 6_001}] * 2}, "msg_too_long"),
        ({"text": "a", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "a", "blocks": [section("x" * 3_001)]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "actions", "elements": [MENU] * 26}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "context", "elements": [section("a")["text"]] * 11}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "table", "rows": [[CELL] * 21]}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "table", "rows": [[CELL]] * 101}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "table", "rows": [[CELL]]}] * 2}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "actions", "elements": [{**MENU, "options": []}]}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "shiny"}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "alert", "text": plain("a")}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "table", "rows": [[LONG_CELL] * 10] * 10}]}, "msg_blocks_too_long"),
        ({"text": "a", "blocks": [{"type": "section", "fields": [plain("a")] * 11}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{**section("a"), "fields": [plain("x" * 2_001)]}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "header", "text": plain("x" * 151)}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "header", "text": section("a")["text"]}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{**section("a"), "block_id": "x" * 256}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{**section("a"), "block_id": "x"}] * 2}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**BUTTON, "text": plain("x" * 76)})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**BUTTON, "text": section("a")["text"]})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**BUTTON, "value": "x" * 2_001})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**BUTTON, "action_id": "x" * 256})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions(BUTTON, BUTTON)]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**MENU, "options": [option("x" * 76)]})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**MENU, "options": [option("a", "x" * 151)]})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**MENU, "options": [option("a")] * 101})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({**MENU, "initial_option": option("b")})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [actions({"type": "feedback_buttons", "action_id": "f"})]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{**actions(BUTTON), "type": "context_actions"}]}, "invalid_blocks"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_schema"),
        ({"text": "a", "metadata": {"event_type": "x", "event_payload": {"a": "y" * 17_000}}}, "metadata_too_large"),
        ({"text": "a", "thread_ts": "1.000001"}, "cannot_reply_to_message"),
        ({"text": "a", "username": "Someone"}, "missing_scope"),
    ],
)  # fmt: skip
async def test_a_post_beyond_slacks_limits_is_refused(content: dict[str, Any], error: str) -> None:
    async with InProcess(scopes=frozenset({"chat:write"})) as slack:
        call = slack.client.api_call("chat.postMessage", json={"channel": GENERAL, **content})
        assert await refusal(call) == error


async def test_content_at_slacks_limits_is_taken(slack: InProcess) -> None:
    table = {"type": "table", "rows": [[CELL] * 20] * 100}
    blocks: list[dict[str, Any]] = [
        {"type": "markdown", "text": "x" * 6_000},
        {"type": "markdown", "text": "y" * 6_000},
        table,
    ]
    await slack.client.chat_postMessage(channel=GENERAL, text="a", blocks=blocks)
    await slack.client.api_call("chat.postMessage", json={"channel": GENERAL, "markdown_text": "x" * 12_000})
    long = await slack.client.chat_postMessage(channel=GENERAL, text="x" * 40_001)
    assert len(long["message"]["text"]) == 40_000


async def test_an_update_has_limits_of_its_own(slack: InProcess) -> None:
    ts = (await slack.client.chat_postMessage(channel=GENERAL, text="a"))["ts"]
    person = await slack.ask()
    update = slack.client.chat_update
    assert await refusal(update(channel=GENERAL, ts=ts, text="x" * 4_001)) == "msg_too_long"
    empty = slack.client.api_call("chat.update", json={"channel": GENERAL, "ts": ts, "text": ""})
    assert await refusal(empty) == "no_text"
    assert await refusal(update(channel=GENERAL, ts="1.000001", text="x")) == "message_not_found"
    assert await refusal(update(channel=GENERAL, ts=person, text="x")) == "cant_update_message"
    assert await refusal(slack.client.chat_delete(channel=GENERAL, ts=person)) == "cant_delete_message"
