"""A scheduled post waits for its time, can be listed and taken back, and is refused as in Slack."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.doubles.in_process import GENERAL, QUIET, SECRET, InProcess, refusal


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def test_a_scheduled_post_comes_at_its_time_and_is_heard(slack: InProcess) -> None:
    slack.slack.workspace.now = lambda: 1_000.95
    answer = await slack.client.chat_scheduleMessage(channel=GENERAL, post_at=1_001, text="later")
    assert answer["post_at"] == 1_001 and answer["message"]["text"] == "later"
    assert await slack.messages(GENERAL) == []
    await asyncio.sleep(0.1)
    assert [message["text"] for message in await slack.messages(GENERAL)] == ["later"]
    assert (await slack.deliveries())[0]["payload"]["event"]["text"] == "later"
    assert (await slack.client.chat_scheduledMessages_list())["scheduled_messages"] == []


async def test_scheduled_posts_are_listed_and_taken_back(slack: InProcess) -> None:
    client, at = slack.client, int(time.time()) + 3_600
    second = await client.chat_scheduleMessage(channel=GENERAL, post_at=at + 60, text="second")
    first = await client.chat_scheduleMessage(channel=SECRET, post_at=at, text="first")
    listed = (await client.chat_scheduledMessages_list())["scheduled_messages"]
    assert [entry["id"] for entry in listed] == [first["scheduled_message_id"], second["scheduled_message_id"]]
    assert [
        entry["text"] for entry in (await client.chat_scheduledMessages_list(channel=GENERAL))["scheduled_messages"]
    ] == ["second"]
    wrong = client.chat_deleteScheduledMessage(channel=GENERAL, scheduled_message_id=first["scheduled_message_id"])
    assert await refusal(wrong) == "invalid_scheduled_message_id"
    await client.chat_deleteScheduledMessage(channel=SECRET, scheduled_message_id=first["scheduled_message_id"])
    again = client.chat_deleteScheduledMessage(channel=SECRET, scheduled_message_id=first["scheduled_message_id"])
    assert await refusal(again) == "invalid_scheduled_message_id"
    await slack.reset()
    assert (await client.chat_scheduledMessages_list())["scheduled_messages"] == []


async def test_scheduling_refuses_what_slack_refuses(slack: InProcess) -> None:
    schedule, now = slack.client.chat_scheduleMessage, int(time.time())
    assert await refusal(schedule(channel=GENERAL, post_at=now - 10, text="x")) == "time_in_past"
    assert await refusal(schedule(channel=GENERAL, post_at=now + 121 * 86_400, text="x")) == "time_too_far"
    assert await refusal(schedule(channel=QUIET, post_at=now + 60, text="x")) == "not_in_channel"
    empty = slack.client.api_call("chat.scheduleMessage", json={"channel": GENERAL, "post_at": now + 60})
    assert await refusal(empty) == "no_text"
