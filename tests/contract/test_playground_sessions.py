"""A thread has one status line; it ends when Slack says it ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.doubles.in_process import ADA, DM, GENERAL, QUIET, InProcess, refusal
from tests.doubles.workspace import Refused


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def test_processing_shows_working_and_a_stop_button_until_it_is_ended(slack: InProcess) -> None:
    root = await slack.ask()
    set_status = slack.client.agents_sessions_setStatus
    answer = await set_status(channel_id=GENERAL, thread_ts=root, status="processing", title="Greetings")
    assert (answer["status"], answer["title"]) == ("processing", "Greetings")
    await slack.client.chat_postMessage(channel=GENERAL, thread_ts=root, text="a first word")
    shown = await slack.status(GENERAL, root)
    assert (shown["text"], shown["stoppable"]) == ("Working…", True)
    await set_status(channel_id=GENERAL, thread_ts=root, status="active")
    shown = await slack.status(GENERAL, root)
    assert (shown["text"], shown["stoppable"]) == ("", False)


async def test_processing_ends_by_itself_after_its_time(slack: InProcess) -> None:
    await slack.trouble(timing={"processing_life_s": 0.05})
    root = await slack.ask()
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    await asyncio.sleep(0.15)
    assert (await slack.status(GENERAL, root))["status"] == "active"


async def test_a_session_refuses_what_slack_refuses(slack: InProcess) -> None:
    root = await slack.ask()
    set_status, rename = slack.client.agents_sessions_setStatus, slack.client.agents_sessions_rename
    assert await refusal(set_status(channel_id=GENERAL, thread_ts=root, status="busy")) == "invalid_status"
    assert await refusal(set_status(channel_id=GENERAL, status="active")) == "thread_ts_required"
    assert await refusal(set_status(channel_id=QUIET, thread_ts=root, status="active")) == "not_authorized"
    assert await refusal(set_status(channel_id="C0", thread_ts=root, status="active")) == "channel_not_found"
    nobody = set_status(channel_id=GENERAL, thread_ts=root, status="active", initiator_user_id="U0NOBODY")
    assert await refusal(nobody) == "user_not_found"
    assert await refusal(rename(channel_id=GENERAL, thread_ts=root, title="x")) == "session_not_found"
    await set_status(channel_id=GENERAL, thread_ts=root, status="active")
    assert await refusal(rename(channel_id=GENERAL, thread_ts=root, title="x" * 201)) == "invalid_name"
    await rename(channel_id=GENERAL, thread_ts=root, title="Renamed")
    assert (await slack.status(GENERAL, root))["title"] == "Renamed"


async def test_an_app_without_the_agent_feature_has_no_sessions() -> None:
    async with InProcess(is_agent=False) as slack:
        root = await slack.ask()
        call = slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="active")
        assert await refusal(call) == "feature_disabled"
        prompts = [{"title": "a", "message": "b"}]
        call = slack.client.assistant_threads_setSuggestedPrompts(channel_id=DM, prompts=prompts)
        assert await refusal(call) == "not_agent_app"


async def test_an_app_that_cannot_hear_stop_is_warned() -> None:
    async with InProcess(events=frozenset({"app_mention"})) as slack:
        root = await slack.ask()
        answer = await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
        assert answer["warning"] == "missing_agent_session_stopped_event_subscription"


async def test_a_free_status_shares_the_place_with_working_and_the_last_writer_wins(slack: InProcess) -> None:
    root = await slack.ask()
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    await slack.client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is reading…")
    shown = await slack.status(GENERAL, root)
    assert (shown["text"], shown["stoppable"]) == ("is reading…", False)
    with pytest.raises(Refused, match="not_stoppable"):
        await slack.stop(ADA, GENERAL, root)
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    assert (await slack.status(GENERAL, root))["stoppable"]


@pytest.mark.parametrize("ending", ["post", "clear", "time"])
async def test_a_free_status_goes_with_a_post_or_an_empty_one_or_time(slack: InProcess, ending: str) -> None:
    await slack.trouble(timing={"status_life_s": 0.05 if ending == "time" else 60})
    root = await slack.ask()
    await slack.client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="is thinking…")
    assert (await slack.status(GENERAL, root))["text"] == "is thinking…"
    if ending == "post":
        await slack.client.chat_postMessage(channel=GENERAL, thread_ts=root, text="done")
    elif ending == "clear":
        await slack.client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=root, status="")
    else:
        await asyncio.sleep(0.15)
    assert (await slack.status(GENERAL, root))["text"] == ""


async def test_a_free_status_needs_a_real_thread(slack: InProcess) -> None:
    call = slack.client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts="1.000001", status="x")
    assert await refusal(call) == "invalid_thread_ts"


async def test_suggested_prompts_are_at_most_four(slack: InProcess) -> None:
    prompts = [{"title": f"{n}", "message": "b"} for n in range(5)]
    call = slack.client.assistant_threads_setSuggestedPrompts(channel_id=DM, prompts=prompts)
    assert await refusal(call) == "invalid_arguments"
    await slack.client.assistant_threads_setSuggestedPrompts(channel_id=DM, title="Try", prompts=prompts[:4])


async def test_waiting_for_a_reply_waits_for_the_status_to_end(slack: InProcess) -> None:
    root = await slack.ask()
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="processing")
    ts = (await slack.client.chat_postMessage(channel=GENERAL, thread_ts=root, text="half"))["ts"]
    with pytest.raises(Refused, match="timeout") as raised:
        await slack.reply(GENERAL, root, timeout_s=0.4)
    assert raised.value.answer["messages"][0]["text"] == "half"
    waiting = asyncio.ensure_future(slack.reply(GENERAL, root, timeout_s=5))
    await slack.client.chat_update(channel=GENERAL, ts=ts, text="whole")
    await slack.client.agents_sessions_setStatus(channel_id=GENERAL, thread_ts=root, status="active")
    assert [message["text"] for message in await waiting] == ["whole"]
    with pytest.raises(Refused, match="timeout"):
        await slack.reply(GENERAL, root, after_ts=ts, timeout_s=0.3)
