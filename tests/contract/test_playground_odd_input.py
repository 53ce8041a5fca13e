"""Whatever is sent to any method, the playground answers as Slack does: with a code, never a server error."""

import logging
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from playground.control import ROUTES
from playground.web_api import METHODS
from tests.doubles.in_process import ADA, DM, GENERAL, TEAM, InProcess

JSON = dict[str, Any]

NAMES = [
    "as", "action_id", "attachments", "block_id", "blocks", "channel", "channel_id", "channels", "chunks", "command",
    "cursor", "envelope", "event", "external_id", "file", "filename", "files", "hash", "include_all_metadata",
    "initial_comment", "initiator_user_id", "length", "limit", "loading_messages", "markdown_text", "message_ts",
    "metadata", "name", "oldest", "prompts", "recipient_team_id", "recipient_user_id", "reply_broadcast", "since",
    "status", "tab", "task_display_mode", "text", "thread_ts", "timestamp", "title", "trigger_id", "ts", "types",
    "unfurl_links", "user", "user_id", "users", "value", "values", "view", "view_id",
]  # fmt: skip

ODD: list[Any] = [
    "", " ", "x", "0", "-1", "1e9", "nan", "é\u0000😀", "x" * 5_000, "{", "[]", "{}", "null", "[[1]]",
    '[{"type":"section"}]',
    None, True, 0, -1, 1.5, [], {}, [None], [[]], [{}], {"type": None}, {"type": "modal", "blocks": [{"type": []}]},
    [{"type": "actions", "elements": [{"type": "static_select", "options": [None]}]}],
    [{"type": "markdown_text", "text": 5}], [{"type": "table", "rows": [[None]]}], [{"type": "section", "text": "x"}],
    {"event_type": [], "event_payload": 3}, ["x"], 10**30,
]  # fmt: skip


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def plausible(slack: InProcess) -> JSON:
    """Arguments that most methods would take, so that the odd one among them is reached."""
    root = await slack.ask("root")
    mine = await slack.client.chat_postMessage(channel=GENERAL, thread_ts=root, text="mine")
    return {
        "as": ADA, "channel": GENERAL, "channel_id": GENERAL, "thread_ts": root, "ts": mine["ts"], "text": "text",
        "message_ts": mine["ts"], "timestamp": root, "name": "eyes", "user": ADA, "user_id": ADA, "users": ADA,
        "recipient_user_id": ADA, "recipient_team_id": TEAM, "status": "active", "title": "title", "tab": "home",
        "prompts": [{"title": "a", "message": "b"}], "filename": "a.txt", "length": "3", "command": "/model",
    }  # fmt: skip


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_odd_arguments_never_break_a_method(
    slack: InProcess, method: str, rng: random.Random, caplog: pytest.LogCaptureFixture
) -> None:
    base = await plausible(slack)
    token = "xapp-playground" if METHODS[method].app_token else "xoxb-playground"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for _ in range(60):
            odd = {name: rng.choice(ODD) for name in rng.sample(NAMES, rng.choice((1, 2, 5)))}
            async with http.post(slack.api_url + method, json={**base, **odd}) as response:
                body = await response.json()
            assert response.status == 200 and body.get("error") != "internal_error", (odd, body)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_odd_values_never_break_a_control_call(
    slack: InProcess, route: tuple[str, str], rng: random.Random
) -> None:
    verb, name = route
    base = {**await plausible(slack), "timeout_s": 0.01, "settle_s": 0.01, "channel": rng.choice([GENERAL, DM])}
    async with aiohttp.ClientSession() as http:
        for _ in range(40):
            odd = {key: rng.choice(ODD) for key in rng.sample(NAMES, rng.choice((1, 2, 5)))}
            query = {key: str(value)[:200] for key, value in {**base, **odd}.items()} if verb == "GET" else None
            body = {**base, **odd} if verb == "POST" else None
            async with http.request(verb, f"{slack.url}/_/{name}", params=query, json=body) as response:
                assert response.status == 200 and "ok" in await response.json(), odd
