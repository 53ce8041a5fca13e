"""Answers grow in Slack in three modes, cost the calls that they may cost, and always end their status."""

import asyncio
from itertools import pairwise

import pytest

from bot.conversation.ports import Ending
from bot.conversation.turn import ReplyMode
from tests.doubles.answering import ANSWERED, DM, GENERAL, actions_of, asked, footer_of
from tests.doubles.virtual_time import virtual_time

WORDS = tuple(f"word {n} " for n in range(100))  # ten seconds of them


@pytest.mark.parametrize("channel", [DM, GENERAL])
@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_an_answer_is_shown_whole_with_its_footer_and_its_menu(mode: ReplyMode, channel: str) -> None:
    async with asked(channel) as asking:
        await asking.answer(mode, *WORDS)

        [message] = asking.shown
        assert asking.text == "".join(WORDS)
        assert footer_of(message) == "Gemma 3 12B · 2.3 s"
        [menu] = actions_of(message)
        assert menu["action_id"] == "model_menu" and menu["initial_option"]["value"] == "gemma"
        assert not asking.busy
        assert message["metadata"]["event_payload"] == {"turn": asking.journal.turn.id, "part": 0}
        assert asking.journal.notes == ["opening", f"opened {mode}"]


@virtual_time
async def test_a_native_answer_costs_one_status_one_start_one_stop_and_paced_appends() -> None:
    async with asked() as asking:
        await asking.answer("native", *WORDS)

        assert len(asking.statuses) == 1
        assert asking.methods[0] == "chat.startStream" and asking.methods[-1] == "chat.stopStream"
        appends = asking.slack.named("chat.appendStream")
        assert set(asking.methods[1:-1]) == {"chat.appendStream"}
        assert 8 <= len(appends) <= 15
        assert all(later.at - earlier.at >= 0.7 for earlier, later in pairwise(appends))


@virtual_time
async def test_an_edited_answer_is_updated_no_faster_than_every_three_seconds() -> None:
    async with asked() as asking:
        await asking.answer("edit", *WORDS)

        updates = asking.slack.named("chat.update")
        assert asking.methods == ["chat.postMessage"] + ["chat.update"] * len(updates)
        assert len(updates) == 4  # after 3, 6 and 9 seconds, and the closing one
        assert all(later.at - earlier.at >= 3 for earlier, later in pairwise(updates[:-1]))
        assert [status["status"] for status in asking.statuses] == ["processing", "active"]


@virtual_time
async def test_a_final_answer_is_one_post_and_one_closing_call() -> None:
    async with asked() as asking:
        await asking.answer("final", *WORDS)

        assert asking.methods == ["chat.postMessage", "chat.update"]


@virtual_time
async def test_no_post_unfurls_links_or_makes_mentions_of_names() -> None:
    async with asked() as asking:
        await asking.answer("edit", "hello")

        [post] = asking.slack.named("chat.postMessage")
        assert post.args["unfurl_links"] is False and post.args["unfurl_media"] is False
        assert post.args["parse"] == "none" and "link_names" not in post.args
        assert post.args["text"] == "hello"


@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_nothing_is_posted_before_there_is_text(mode: ReplyMode) -> None:
    async with asked() as asking:
        reply = await asking.begin(mode)
        reply.push("   \n")
        await asyncio.sleep(20)
        assert asking.methods == [] and asking.busy  # the status alone tells people that something happens

        await reply.end(Ending(kind="failed", model_label="Gemma", error_code="model_unavailable", reference="r-17"))
        assert asking.methods == ["chat.postMessage"]
        assert "Gemma could not be reached" in asking.text and "r-17" in asking.text
        assert not asking.busy


@virtual_time
async def test_a_failed_turn_offers_another_try_that_names_its_question() -> None:
    async with asked() as asking:
        await asking.answer("native", ending=Ending(kind="failed", error_code="internal", reference="r-1", retry=2))

        [button] = actions_of(asking.shown[0])
        assert button["action_id"] == "ask_again"
        assert button["value"] == f"{GENERAL}:{asking.root}:2"


@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_a_short_answer_opens_though_its_only_word_could_still_go_on(mode: ReplyMode) -> None:
    async with asked() as asking:
        reply = await asking.begin(mode)
        reply.push("Hello")
        await reply.open()
        assert asking.text == "Hello"

        await reply.end(ANSWERED)
        assert asking.text == "Hello"


@pytest.mark.parametrize("mode", ["native", "edit", "final"])
@virtual_time
async def test_thirty_thousand_characters_roll_over_and_lose_nothing(mode: ReplyMode) -> None:
    async with asked() as asking:
        paragraphs = [f"Paragraph {n}. " + "lorem ipsum " * 20 + "\n\n" for n in range(120)]
        await asking.answer(mode, *paragraphs, every_s=0.05)

        assert asking.text == "".join(paragraphs)
        assert 3 <= len(asking.shown) <= 5
        assert [footer_of(message) != "" for message in asking.shown] == [False] * (len(asking.shown) - 1) + [True]
        assert len(asking.journal.turn.parts) == len(asking.shown)
        assert not asking.busy


@virtual_time
async def test_a_long_stream_goes_on_in_a_new_message_before_slack_ends_it() -> None:
    async with asked() as asking:
        await asking.answer("native", *[f"word {n} " for n in range(700)], every_s=1.0)

        assert asking.text == "".join(f"word {n} " for n in range(700))
        assert len(asking.shown) == 3
        assert {call.error for call in asking.slack.calls} == {""}
        assert not asking.busy


@virtual_time
async def test_a_stopped_answer_keeps_what_was_shown_and_names_who_stopped_it_without_mentioning_them() -> None:
    async def name_of(_team_id: str, _user_id: str) -> str:
        return "Ada <!channel> *B*"

    async with asked(name_of=name_of) as asking:
        await asking.answer("edit", "half an ", ending=Ending(kind="stopped", model_label="Gemma", user_id="U0ADA"))

        assert asking.text == "half an "
        assert footer_of(asking.shown[0]) == "Gemma · _Stopped by Ada !channel B_"


@virtual_time
async def test_slacks_stop_button_tells_the_core_and_marks_what_was_shown() -> None:
    async with asked(DM) as asking:
        reply = await asking.begin("native")
        reply.push("one two ")
        await asyncio.sleep(1)
        asking.slack.slack.streams.stopped_by_user(DM, asking.root)
        reply.push("three ")
        await asyncio.sleep(2)
        assert getattr(reply.lost.exception(), "slack_code", "") == "stopped_by_user"

        await reply.end(Ending(kind="stopped", model_label="Gemma"))
        assert footer_of(asking.shown[0]) == "Gemma · _Stopped_"
        assert asking.text == "one two three "
        assert not asking.busy


@virtual_time
async def test_a_withdrawn_answer_vanishes() -> None:
    async with asked() as asking:
        for mode in ("native", "edit"):
            reply = await asking.begin(mode)
            reply.push("half an answer ")
            await asyncio.sleep(1)
            await reply.end(Ending(kind="withdrawn"))
            assert asking.shown == []
            assert not asking.busy


@virtual_time
async def test_the_bots_own_words_are_one_post() -> None:
    async with asked() as asking:
        facts = {"name": "gpt", "known": "`gemma` (Gemma 3 12B)"}
        await asking.answer("edit", ending=Ending(kind="told", error_code="unknown_model", facts=facts))

        assert asking.methods == ["chat.postMessage"]
        assert asking.text == "I know no model called “gpt”. There are: `gemma` (Gemma 3 12B)."


@virtual_time
async def test_a_notice_is_a_marked_message_in_the_thread() -> None:
    async with asked() as asking:
        await asking.replies.notice(asking.journal.turn, "questions_withdrawn", count="3")

        [message] = asking.shown
        assert "3" in message["text"] and message["metadata"]["event_type"] == "tandem_notice"
