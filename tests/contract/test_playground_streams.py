"""Native streaming in the playground obeys Slack's rules: who sees it, how long it lives, how much it takes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.in_process import ADA, BEN, DM, GENERAL, TEAM, InProcess, refusal


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


class Stream:
    """One stream of the app in a thread."""

    def __init__(self, slack: InProcess, root: str, channel: str = GENERAL) -> None:
        self._client = slack.client
        self._root = root
        self._channel = channel
        self.ts = ""

    async def start(self, text: str | None = "Hello", **more: Any) -> Any:
        args = {"recipient_user_id": ADA, "recipient_team_id": TEAM, "markdown_text": text, **more}
        answer = await self._client.chat_startStream(channel=self._channel, thread_ts=self._root, **args)
        self.ts = answer["ts"]
        return answer

    async def append(self, text: str | None = None, **more: Any) -> Any:
        return await self._client.chat_appendStream(channel=self._channel, ts=self.ts, markdown_text=text, **more)

    async def stop(self, **more: Any) -> Any:
        return await self._client.chat_stopStream(channel=self._channel, ts=self.ts, **more)


@pytest.fixture
async def stream(slack: InProcess) -> Stream:
    return Stream(slack, await slack.ask())


async def test_a_stream_grows_and_ends_as_one_message(slack: InProcess, stream: Stream) -> None:
    await stream.start("Hello")
    await stream.append(", **Ada**")
    footer = {"type": "context", "elements": [{"type": "mrkdwn", "text": "by Gemma"}]}
    metadata = {"event_type": "turn", "event_payload": {"id": "1"}}
    answer = await stream.stop(markdown_text=".", blocks=[footer], metadata=metadata)
    message = answer["message"]
    assert message["text"] == "Hello, **Ada**." and message["metadata"] == metadata
    assert [block["type"] for block in message["blocks"]] == ["markdown", "context"]
    assert (await slack.messages(GENERAL, message["thread_ts"]))[-1]["_"]["streaming"] is False


async def test_slacks_own_stream_helper_works_unchanged(slack: InProcess) -> None:
    root = await slack.ask()
    stream = await slack.client.chat_stream(
        channel=GENERAL, thread_ts=root, recipient_user_id=ADA, recipient_team_id=TEAM, buffer_size=8
    )
    for piece in ("one ", "two ", "three ", "four"):
        await stream.append(markdown_text=piece)
    await stream.stop()
    assert (await slack.reply(GENERAL, root))[0]["text"] == "one two three four"


@pytest.mark.parametrize("missing", ["recipient_user_id", "recipient_team_id"])
async def test_a_channel_stream_needs_its_recipient(stream: Stream, missing: str) -> None:
    assert await refusal(stream.start(**{missing: None})) == f"missing_{missing}"


async def test_a_recipient_must_exist_in_their_team(stream: Stream) -> None:
    assert await refusal(stream.start(recipient_user_id="U0NOBODY")) == "user_not_found"
    assert await refusal(stream.start(recipient_team_id="T0OTHER")) == "team_not_found"


async def test_a_direct_message_needs_no_recipient(slack: InProcess) -> None:
    stream = Stream(slack, await slack.say(ADA, DM, "hello"), DM)
    await stream.start(recipient_user_id=None, recipient_team_id=None)
    await stream.stop()


async def test_a_stream_belongs_to_a_thread(slack: InProcess) -> None:
    assert await refusal(Stream(slack, "").start()) == "invalid_arguments"
    assert await refusal(Stream(slack, "1.000001").start()) == "cannot_reply_to_message"


async def test_only_its_recipient_sees_a_channel_stream_live(slack: InProcess, stream: Stream) -> None:
    await stream.start("First. ")
    await stream.append("Second.")
    root = (await slack.messages(GENERAL))[0]["ts"]

    async def seen_by(user: str) -> str:
        return str((await slack.messages(GENERAL, root, user=user))[-1]["text"])

    assert await seen_by(ADA) == "First. Second." and await seen_by(BEN) == "First. "
    await stream.stop()
    assert await seen_by(BEN) == "First. Second."


async def test_a_streamed_message_takes_12000_characters_in_all(slack: InProcess, stream: Stream) -> None:
    assert await refusal(stream.start("x" * 12_001)) == "msg_too_long"
    await stream.start("x" * 11_000)
    assert await refusal(stream.append("y" * 1_001)) == "msg_too_long"
    await stream.append("y" * 1_000)
    assert await refusal(stream.append("z")) == "msg_too_long"
    assert await refusal(stream.stop(markdown_text="z")) == "msg_too_long"
    assert len((await stream.stop())["message"]["text"]) == 12_000


async def test_empty_pieces_are_refused(stream: Stream) -> None:
    assert await refusal(stream.start(None)) == "no_text"
    assert await refusal(stream.start("")) == "no_text"
    await stream.start()
    assert await refusal(stream.append("")) == "no_text"
    assert await refusal(stream.append(chunks=[{"type": "markdown_text", "text": ""}])) == "no_text"


@pytest.mark.parametrize(
    "chunks",
    [
        "[1]",
        "{",
        [{"type": "poem", "text": "x"}],
        [{"type": "markdown_text"}],
        [{"type": "task_update", "id": "1", "title": "t", "status": "lost"}],
        [{"type": "plan_update"}],
        [{"type": "blocks", "blocks": [{"type": "divider"}] * 51}],
    ],
)
async def test_malformed_chunks_are_refused_whole(slack: InProcess, stream: Stream, chunks: Any) -> None:
    await stream.start("kept")
    assert await refusal(stream.append(chunks=chunks)) == "invalid_chunks"
    assert (await stream.stop())["message"]["text"] == "kept"


async def test_tasks_and_blocks_keep_their_place_among_the_text(stream: Stream) -> None:
    task = {"type": "task_update", "id": "1", "title": "Reading", "status": "in_progress"}
    await stream.start("Before. ")
    await stream.append(chunks=[task, {"type": "markdown_text", "text": "After."}])
    await stream.append(chunks=[{**task, "status": "complete"}, {"type": "blocks", "blocks": [{"type": "divider"}]}])
    blocks = (await stream.stop())["message"]["blocks"]
    assert [block["type"] for block in blocks] == ["markdown", "task_card", "markdown", "divider"]
    assert blocks[1]["status"] == "complete"


async def test_a_live_stream_cannot_be_updated_otherwise(slack: InProcess, stream: Stream) -> None:
    await stream.start()
    update = slack.client.chat_update
    assert await refusal(update(channel=GENERAL, ts=stream.ts, text="no")) == "streaming_state_conflict"
    await stream.stop()
    await update(channel=GENERAL, ts=stream.ts, text="yes")


async def test_an_ended_stream_takes_nothing_more(stream: Stream) -> None:
    await stream.start()
    await stream.stop()
    assert await refusal(stream.append("more")) == "message_not_in_streaming_state"
    assert await refusal(stream.stop()) == "message_not_in_streaming_state"


async def test_only_the_apps_own_streams_take_text(slack: InProcess, stream: Stream) -> None:
    stream.ts = await slack.ask()
    assert await refusal(stream.append("x")) == "message_not_owned_by_app"
    stream.ts = "1.000001"
    assert await refusal(stream.append("x")) == "message_not_found"


async def test_slack_ends_a_stream_after_its_life_and_keeps_the_text(slack: InProcess, stream: Stream) -> None:
    await slack.trouble(timing={"stream_life_s": 0.1})
    await stream.start("kept")
    await stream.append(" whole")
    root = (await slack.messages(GENERAL))[0]["ts"]
    assert (await slack.reply(GENERAL, root))[0]["text"] == "kept whole"
    assert (await slack.status(GENERAL, root))["status"] == "active"
    assert await refusal(stream.append("late")) == "message_not_in_streaming_state"
    await slack.client.chat_update(channel=GENERAL, ts=stream.ts, text="mended")


async def test_a_stream_sets_the_sessions_status(slack: InProcess, stream: Stream) -> None:
    await stream.start()
    root = (await slack.messages(GENERAL))[0]["ts"]
    assert (await slack.status(GENERAL, root))["stoppable"] is True
    await stream.stop()
    assert (await slack.status(GENERAL, root))["status"] == "active"
    again = Stream(slack, root)
    await again.start()
    assert await refusal(again.stop(session_status="bored")) == "invalid_status"
    await again.stop(session_status="suspended")
    assert (await slack.status(GENERAL, root))["status"] == "suspended"


async def test_a_persons_stop_ends_the_text_but_leaves_the_app_its_last_word(slack: InProcess, stream: Stream) -> None:
    await stream.start("So far")
    root = (await slack.messages(GENERAL))[0]["ts"]
    assert await slack.stop(BEN, GENERAL, root) == [stream.ts]
    assert await refusal(stream.append(" and more")) == "stopped_by_user"
    assert (await slack.status(GENERAL, root))["status"] == "processing"
    footer = {"type": "context", "elements": [{"type": "mrkdwn", "text": "stopped"}]}
    message = (await stream.stop(markdown_text=" late", blocks=[footer]))["message"]
    assert message["text"] == "So far" and message["blocks"][-1]["type"] == "context"
    assert (await slack.status(GENERAL, root))["status"] == "active"


async def test_after_a_persons_stop_an_update_settles_the_message(slack: InProcess, stream: Stream) -> None:
    await stream.start("So far")
    await slack.stop(BEN, GENERAL, (await slack.messages(GENERAL))[0]["ts"])
    await slack.client.chat_update(channel=GENERAL, ts=stream.ts, text="Stopped here.")
    assert await refusal(stream.stop()) == "message_not_in_streaming_state"
    assert slack.slack.workspace.message(GENERAL, stream.ts).data["text"] == "Stopped here."


async def test_a_stop_takes_fifty_blocks_at_most(stream: Stream) -> None:
    await stream.start()
    assert await refusal(stream.stop(blocks=[{"type": "divider"}] * 51)) == "msg_blocks_too_many"
    assert len((await stream.stop(blocks=[{"type": "divider"}] * 50))["message"]["blocks"]) == 51


async def test_two_streams_of_different_threads_do_not_mix(slack: InProcess) -> None:
    streams = [Stream(slack, await slack.ask(f"question {n}")) for n in range(5)]
    await asyncio.gather(*(stream.start(f"{n}") for n, stream in enumerate(streams)))
    await asyncio.gather(*(stream.append(f"{n}") for n, stream in enumerate(streams)))
    answers = await asyncio.gather(*(stream.stop() for stream in streams))
    assert [answer["message"]["text"] for answer in answers] == ["00", "11", "22", "33", "44"]


async def test_what_a_stream_made_live_is_recorded_and_never_previewed(slack: InProcess, stream: Stream) -> None:
    await stream.start("<!chan")
    await stream.append("nel> [here](https://evil.example)")
    await stream.stop()
    facts = (await slack.messages(GENERAL, (await slack.messages(GENERAL))[0]["ts"]))[-1]["_"]
    assert {entity["kind"] for entity in facts["live"]} == {"broadcast", "link", "bare_link"}
    assert facts["unfurls"] is False


async def test_a_deleted_stream_is_gone_for_good(slack: InProcess, stream: Stream) -> None:
    await slack.trouble(timing={"stream_life_s": 0.1})
    await stream.start()
    root = (await slack.messages(GENERAL))[0]["ts"]
    await slack.delete(ADA, GENERAL, stream.ts)
    assert await refusal(stream.append("x")) == "message_not_found"
    await asyncio.sleep(0.2)
    assert len(await slack.messages(GENERAL, root)) == 1
