"""Whatever Slack answers, or fails to: an answer is shown once, whole, and its status ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.conversation.turn import ReplyMode
from bot.errors import LeaseLost, SlackRejected, SlackUnavailable
from tests.doubles.answering import ANSWERED, Answering, asked, footer_of
from tests.doubles.virtual_time import virtual_time
from tests.doubles.wireless_slack import Fault

WORDS = tuple(f"word {n} " for n in range(100))
WHOLE = "".join(WORDS)

Scenario = Callable[[Answering], Awaitable[None]]


def assert_shown_once(asking: Answering, text: str = WHOLE) -> None:
    """One message with the text, ended, and nothing that still looks busy."""
    assert asking.text == text
    assert len(asking.shown) == 1
    assert footer_of(asking.shown[0])
    assert not asking.busy
    assert [part.ts for part in asking.journal.turn.parts] == [asking.shown[0]["ts"]]


@pytest.mark.parametrize(
    "code",
    [
        "channel_type_not_supported",
        "feature_not_enabled",
        "invalid_arguments",
        "method_deprecated",
        "missing_recipient_user_id",
        "unknown_method",
    ],
)
@virtual_time
async def test_where_slack_refuses_to_stream_the_answer_is_edited(code: str) -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.startStream", "refuse", code=code, times=99))
        await asking.answer("native", *WORDS)

        assert_shown_once(asking)
        assert asking.methods[:2] == ["chat.startStream", "chat.postMessage"]
        assert asking.journal.notes == ["opening", "opened edit"]


@virtual_time
async def test_a_team_without_streams_is_asked_for_one_once() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.startStream", "refuse", code="unknown_method", times=99))
        await asking.answer("native", "one")
        await asking.answer("native", "two")

        assert len(asking.slack.named("chat.startStream")) == 1


@virtual_time
async def test_where_slack_refuses_updates_the_rest_follows_in_one_message() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.update", "refuse", code="cant_update_message", times=99))
        await asking.answer("edit", *WORDS)

        assert asking.text == WHOLE
        assert len(asking.shown) == 2
        assert footer_of(asking.shown[1])
        assert not asking.busy


@virtual_time
async def test_where_slack_refuses_markdown_blocks_the_text_is_shown_plain() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.postMessage", "refuse", code="invalid_blocks"))
        await asking.answer("edit", "**x** " * 1_000)

        sections = [block["text"]["text"] for block in asking.shown[0]["blocks"] if block["type"] == "section"]
        assert "".join(sections) == "**x** " * 1_000


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel", "thread_not_found", "cannot_reply_to_message"])
@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_where_nothing_can_be_posted_the_core_is_told_and_nothing_is_tried_over_and_over(
    mode: ReplyMode, code: str
) -> None:
    async with asked() as asking:
        for method in ("chat.startStream", "chat.postMessage"):
            asking.slack.faults.append(Fault(method, "refuse", code=code, times=99))
        reply = await asking.begin(mode)
        reply.push("hello world ")
        with pytest.raises(SlackRejected):
            await reply.open()
        assert isinstance(reply.lost.exception(), SlackRejected)
        with pytest.raises(SlackRejected):
            await reply.end(ANSWERED)

        assert len(asking.methods) <= 2
        assert not asking.busy


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_an_opening_that_slack_never_confirmed_is_looked_for_before_it_is_repeated(
    mode: ReplyMode, effect: bool
) -> None:
    async with asked() as asking:
        method = "chat.startStream" if mode == "native" else "chat.postMessage"
        asking.slack.faults.append(Fault(method, "trouble", effect=effect))
        await asking.answer(mode, *WORDS)

        assert_shown_once(asking)
        assert len(asking.slack.named(method)) == (1 if effect else 2)


@virtual_time
async def test_an_opening_that_can_neither_be_confirmed_nor_ruled_out_is_not_repeated() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.postMessage", "trouble", effect=True))
        asking.slack.faults.append(Fault("conversations.replies", "trouble", times=99))
        reply = await asking.begin("edit")
        reply.push("hello world ")
        with pytest.raises(SlackUnavailable):
            await reply.open()
        with pytest.raises(SlackUnavailable):
            await reply.end(ANSWERED)

        assert len(asking.slack.named("chat.postMessage")) == 1
        assert not asking.busy


@pytest.mark.parametrize("effect", [True, False])
@virtual_time
async def test_a_piece_that_slack_never_confirmed_is_never_appended_again(effect: bool) -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.appendStream", "trouble", effect=effect, after=2))
        await asking.answer("native", *WORDS)

        assert_shown_once(asking)
        assert len(asking.slack.named("chat.appendStream")) == 3


@pytest.mark.parametrize("times", [1, 3, 6])
@pytest.mark.parametrize("effect", [True, False])
@virtual_time
async def test_a_stop_that_slack_never_confirmed_ends_in_the_whole_answer(effect: bool, times: int) -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.stopStream", "trouble", effect=effect, times=times))
        await asking.answer("native", *WORDS)

        assert_shown_once(asking)


@virtual_time
async def test_an_answer_outlives_its_stream() -> None:
    async with asked() as asking:
        asking.slack.slack.timing.stream_life_s = 5
        await asking.answer("native", *WORDS)

        assert_shown_once(asking)


@virtual_time
async def test_an_answer_whose_stream_died_at_its_very_end_is_whole() -> None:
    async with asked() as asking:
        asking.slack.slack.timing.stream_life_s = 10
        await asking.answer("native", *WORDS, every_s=0.01)
        reply = await asking.begin("native")
        reply.push("two ")
        await reply.open()
        await asyncio.sleep(11)
        await reply.end(ANSWERED)

        assert footer_of(asking.shown[-1])
        assert not asking.busy


@pytest.mark.parametrize("kind", ["limit", "trouble"])
@pytest.mark.parametrize("method", ["chat.update", "chat.appendStream", "chat.stopStream"])
@virtual_time
async def test_no_trouble_in_the_middle_is_visible_at_the_end(method: str, kind: str) -> None:
    async with asked() as asking:
        fault = Fault(method, "limit" if kind == "limit" else "trouble", retry_after_s=7, times=2, after=1)
        asking.slack.faults.append(fault)
        await asking.answer("edit" if method == "chat.update" else "native", *WORDS)

        assert_shown_once(asking)


@virtual_time
async def test_nothing_is_sent_while_slack_wants_to_be_left_alone() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.update", "limit", retry_after_s=20))
        await asking.answer("edit", *WORDS)

        limited, *others = asking.slack.named("chat.update")
        assert limited.error and others
        assert all(call.at - limited.at >= 20 for call in others)
        assert_shown_once(asking)


@virtual_time
async def test_a_last_update_that_cannot_be_made_raises_and_clears_the_status() -> None:
    async with asked() as asking:
        asking.slack.faults.append(Fault("chat.update", "trouble", times=99))
        with pytest.raises(SlackUnavailable):
            await asking.answer("edit", "hello world ")

        assert not asking.busy
        assert len(asking.shown) == 1


@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_who_has_lost_the_thread_writes_nothing_more(mode: ReplyMode) -> None:
    async with asked() as asking:
        reply = await asking.begin(mode)
        reply.push("hello world ")
        await asyncio.sleep(1)
        asking.journal.lost = True
        before = len(asking.slack.calls)
        reply.push("more words ")
        await asyncio.sleep(5)
        with pytest.raises(LeaseLost):
            await reply.end(ANSWERED)

        assert len(asking.slack.calls) == before
        if mode != "final":
            assert isinstance(reply.lost.exception(), LeaseLost)


@virtual_time
async def test_an_abandoned_reply_stops_at_once() -> None:
    async with asked() as asking:
        reply = await asking.begin("native")
        reply.push("hello world ")
        await asyncio.sleep(1)
        reply.abandon()
        reply.push("more ")
        before = len(asking.slack.calls)
        await asyncio.sleep(20)

        assert len(asking.slack.calls) == before
        assert asking.text == "hello world "


@virtual_time
async def test_an_answer_whose_white_space_begins_another_page_is_opened_and_ends() -> None:
    async with asked(rollover_chars=40) as asking:
        reply = await asking.begin("native")
        for piece in ("Thirty-nine characters and a line end.\n", "\n", "\n"):
            reply.push(piece)
            await asyncio.sleep(1.0)
        await asyncio.wait_for(reply.open(), 60.0)
        await reply.end(ANSWERED)

        assert len(asking.shown) == 1 and footer_of(asking.shown[0])
